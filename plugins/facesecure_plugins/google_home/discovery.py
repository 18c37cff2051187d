"""Cast devices on the network, found by mDNS and kept up to date.

zeroconf is used directly: pychromecast's own browser requests https from every device it finds each half minute,
closes a Zeroconf that others use, and leaves a thread behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import ifaddr
from zeroconf import InterfaceChoice, IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.device import Device, from_record

SERVICE = "_googlecast._tcp.local."
_RECORD_SECONDS = 3.0
_ASKED = 8
"""Devices that are asked for their record at once."""

log = logging.getLogger(__name__)


class Browser(ServiceListener):
    """Listen for devices from ``start`` to ``close``.

    A device that has gone silent stays in the list: Wi-Fi loses mDNS packets more often than devices disappear.
    Example::

        with contextlib.closing(Browser()) as browser:
            browser.start()
            devices = browser.wait_for(lambda found: len(found) >= 2, seconds=4.0)
    """

    def __init__(self, interfaces: Sequence[str] = ()) -> None:
        """``interfaces`` are this machine's addresses to search from; without any, all of them."""
        self._interfaces = list(interfaces)
        self._found: dict[str, Device] = {}
        self._changed = threading.Condition()
        self._asked = set[Future[None]]()
        self._zeroconf: Zeroconf | None = None
        self._browser: ServiceBrowser | None = None
        self._addresses: frozenset[str] = frozenset()

    def start(self) -> None:
        """Query the network and keep listening. Raises PluginError without a network.

        Does nothing if it listens already, unless this machine's addresses have changed since, for example because the
        Wi-Fi came up later: zeroconf would never receive anything there.
        """
        addresses = own_addresses()
        if self._zeroconf is not None and addresses == self._addresses:
            return
        self.close()
        try:
            self._zeroconf = _zeroconf(self._interfaces)
        except (OSError, RuntimeError) as error:  # the latter if there is no interface at all
            raise PluginError(f"cannot search for Cast devices: {error}", "is the network up?") from error
        self._addresses = addresses
        self._browser = ServiceBrowser(self._zeroconf, SERVICE, listener=self)

    def close(self) -> None:
        """Stop listening. May be called twice."""
        if self._browser is not None:
            self._browser.cancel()
        for asked in list(self._asked):
            asked.cancel()
        if self._zeroconf is not None:
            self._zeroconf.close()
        self._browser = self._zeroconf = None

    def devices(self) -> list[Device]:
        """Return the devices found so far, by name."""
        with self._changed:
            return sorted(self._found.values(), key=lambda device: (device.name.casefold(), device.key))

    def wait_for(self, enough: Callable[[list[Device]], bool], seconds: float) -> list[Device]:
        """Return the devices as soon as ``enough`` returns True for them, or after ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: enough(list(self._found.values())), seconds)
        return self.devices()

    def find_again(self, device: Device, seconds: float) -> Device:
        """Search for ``device`` without using earlier records. Returns it unchanged if it is not found."""
        with contextlib.closing(Browser(self._interfaces)) as fresh, contextlib.suppress(PluginError):
            fresh.start()
            fresh.wait_for(lambda found: any(other.key == device.key for other in found), seconds)
            with self._changed:
                self._found |= fresh._found
            return next((other for other in fresh.devices() if other.key == device.key), device)
        return device

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Handle a new or changed device, called by zeroconf.

        Devices tell their whole record at once. One that tells only its name is asked meanwhile, and few are at a
        time: thousands of names without a device behind them would otherwise keep the real ones waiting for hours.
        """
        info = ServiceInfo(type_, name)
        if info.load_from_cache(zc):
            self._add(name, info)
        elif len(self._asked) < _ASKED and zc.loop is not None:
            asked = asyncio.run_coroutine_threadsafe(self._ask(zc, info), zc.loop)
            self._asked.add(asked)
            asked.add_done_callback(self._asked.discard)
        else:
            log.debug("%s is not asked for its record: too many have none", name)

    async def _ask(self, zc: Zeroconf, info: ServiceInfo) -> None:
        if await info.async_request(zc, _RECORD_SECONDS * 1000):
            self._add(info.name, info)

    def _add(self, name: str, info: ServiceInfo) -> None:
        device = _device(info)
        if device is None:
            log.debug("the record of %s cannot be used", name)
            return
        log.debug("%s is at %s", device.name, device.address)
        with self._changed:
            self._found[name] = device
            self._changed.notify_all()

    update_service = add_service

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:  # noqa: ARG002
        """Log that a device has expired, called by zeroconf."""
        log.debug("%s has not answered for long", name)


def own_addresses() -> frozenset[str]:
    """Return this machine's present addresses."""
    return frozenset(str(address.ip) for adapter in ifaddr.get_adapters() for address in adapter.ips)


def _zeroconf(interfaces: list[str]) -> Zeroconf:
    """Open Zeroconf on both IP versions if this machine has them."""
    if interfaces:
        _require_own(interfaces)
        return Zeroconf(interfaces=interfaces)
    try:
        return Zeroconf(InterfaceChoice.All, ip_version=IPVersion.All)
    except (OSError, RuntimeError):
        return Zeroconf(InterfaceChoice.All, ip_version=IPVersion.V4Only)


def _require_own(interfaces: list[str]) -> None:
    """Raise OSError for an address that is not this machine's; zeroconf would leave a socket open for it."""
    for address in interfaces:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))


def _device(info: ServiceInfo) -> Device | None:
    texts = {key: value or "" for key, value in info.decoded_properties.items()}
    return from_record(texts, info.parsed_scoped_addresses(), info.port or 0)
