"""google_home: announce alerts on Google Home and other Cast devices. docs/google-home.md describes it for users.

- ``plugin``: what the daemon calls
- ``settings``: [plugins.google_home]
- ``speakers``: the configured devices: found, played on, and restored
- ``targets``: a device as the user wrote it: "Kitchen", "uuid:...", "192.168.1.20:8009"
- ``device``: a device as it was found on the network
- ``discovery``: mDNS: the devices on the network and their addresses
- ``playback``: one alert on one device, from the connection until everything is restored
- ``session``: one connected device: its status, app, volume and player
- ``media_state``: the state of the recording on its player
- ``known_devices``: which devices the names stand for, and their certificates
- ``identity``: the certificate that a device shows, and its proof
- ``tls``: a TLS connection for two threads
- ``connection``: pychromecast's connection, made safe for two threads
- ``volume``: volumes still to be restored
- ``media_server``: serves the recording to the devices
- ``deadline``: a time limit shared by several steps
- ``command``: facesecure alerts devices

pychromecast and zeroconf are loaded when the plugin is used, and the plugin itself only by its name, so that the help
of the command stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesecure_plugins.google_home.plugin import GoogleHomePlugin

__all__ = ["GoogleHomePlugin"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from facesecure_plugins.google_home import plugin

    return getattr(plugin, name)
