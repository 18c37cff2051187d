"""google_home: says alerts aloud through Google Home and other Cast devices. docs/google-home.md is for its owner.

    plugin        settings, and what the daemon calls
    targets       "Kitchen", "uuid:...", "192.168.1.20:8009": what the householder wrote
    devices       what was found on the network, and how to get there
    browser       mDNS: who is there, and where to now
    connection    pychromecast's connection, safe for two threads
    conversation  one device: its status, its app, its volume, what it plays
    announcement  one alert on one device, from the first word to everything put back
    debts         volumes that could not be put back yet
    server        serves the recording to the devices, and nothing else

pychromecast and zeroconf are loaded when the plugin is in use, not before.
"""

from facesecure_plugins.google_home.plugin import GoogleHomePlugin

__all__ = ["GoogleHomePlugin"]
