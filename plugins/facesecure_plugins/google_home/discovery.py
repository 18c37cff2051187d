"""Who is on the network: Cast devices by mDNS, kept up to date.

zeroconf is asked directly. pychromecast's own browser would ask every device it hears of over https each half minute,
close a Zeroconf that others use, and leave a thread behind.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Sequence

import ifaddr
from zeroconf import InterfaceChoice, IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.device import Device, from_record

SERVICE = "_googlecast._tcp.local."
_RECORD_SECONDS = 3.0

log = logging.getLogger(__name__)


class Browser(ServiceListener):
    """Listens from ``start`` to ``close``. A device that went silent stays known: Wi-Fi loses its words, not it."""

    def __init__(self, interfaces: Sequence[str] = ()) -> None:
        """``interfaces``: this machine's addresses to ask on; none named: on all."""
        self._interfaces = list(interfaces)
        self._known: dict[str, Device] = {}
        self._changed = threading.Condition()
        self._zeroconf: Zeroconf | None = None
        self._browser: ServiceBrowser | None = None
        self._here: frozenset[str] = frozenset()

    def start(self) -> None:
        """Ask the network, and go on listening. Raises PluginError without a network.

        Again: nothing happens, unless this machine has other addresses by now, as when the Wi-Fi came up after us:
        zeroconf would never hear what comes there.
        """
        here = own_addresses()
        if self._zeroconf is not None and here == self._here:
            return
        self.close()
        try:
            self._zeroconf = _zeroconf(self._interfaces)
        except (OSError, RuntimeError) as error:  # the latter where there is no interface at all
            raise PluginError(f"nobody can be asked for Cast devices: {error}", "is the network up?") from error
        self._here = here
        self._browser = ServiceBrowser(self._zeroconf, SERVICE, listener=self)

    def close(self) -> None:
        """Stop listening; may be called again."""
        if self._browser is not None:
            self._browser.cancel()
        if self._zeroconf is not None:
            self._zeroconf.close()
        self._browser = self._zeroconf = None

    def devices(self) -> list[Device]:
        """All that are known, by name."""
        with self._changed:
            return sorted(self._known.values(), key=lambda device: (device.name.casefold(), device.key))

    def wait_for(self, enough: Callable[[list[Device]], bool], seconds: float) -> list[Device]:
        """What is known as soon as ``enough`` says so of it, or after ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: enough(list(self._known.values())), seconds)
        return self.devices()

    def look_again(self, device: Device, seconds: float) -> Device:
        """``device`` where it is now, asked anew and not from what was heard before; as it was if nobody answers."""
        with contextlib.closing(Browser(self._interfaces)) as fresh, contextlib.suppress(PluginError):
            fresh.start()
            fresh.wait_for(lambda found: any(other.key == device.key for other in found), seconds)
            with self._changed:
                self._known |= fresh._known
            return next((other for other in fresh.devices() if other.key == device.key), device)
        return device

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Zeroconf's word that a device is there."""
        info = zc.get_service_info(type_, name, timeout=int(_RECORD_SECONDS * 1000))
        device = _device(info) if info is not None else None
        if device is None:
            log.debug("%s tells nothing that could be used", name)
            return
        log.debug("%s is at %s", device.name, device.address)
        with self._changed:
            self._known[name] = device
            self._changed.notify_all()

    update_service = add_service

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:  # noqa: ARG002
        """Zeroconf's word that one has not been heard for long."""
        log.debug("%s has not been heard for long", name)


def own_addresses() -> frozenset[str]:
    """This machine's addresses at this moment."""
    return frozenset(str(address.ip) for adapter in ifaddr.get_adapters() for address in adapter.ips)


def _zeroconf(interfaces: list[str]) -> Zeroconf:
    """On both IP versions where this machine has them."""
    if interfaces:
        _need(interfaces)
        return Zeroconf(interfaces=interfaces)
    try:
        return Zeroconf(InterfaceChoice.All, ip_version=IPVersion.All)
    except (OSError, RuntimeError):
        return Zeroconf(InterfaceChoice.All, ip_version=IPVersion.V4Only)


def _need(interfaces: list[str]) -> None:
    """Raises OSError for an address that is not this machine's, where zeroconf would leave a socket open."""
    for address in interfaces:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))


def _device(info: ServiceInfo) -> Device | None:
    texts = {key: value or "" for key, value in info.decoded_properties.items()}
    return from_record(texts, info.parsed_scoped_addresses(), info.port or 0)
