"""The Cast device's advertisement by mDNS, on the loopback only."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from zeroconf import ServiceInfo, Zeroconf

from support.cast.script import Script

SERVICE = "_googlecast._tcp.local."
LOOPBACK = "127.0.0.1"


class Advertisement:
    """Advertise the device of ``script`` at ``host``, ``port``, until it moves or goes."""

    def __init__(self, zeroconf: Zeroconf, script: Script, host: str, port: int) -> None:
        self._zeroconf, self._script = zeroconf, script
        self._record = self._at(host, port)
        assert zeroconf.loop is not None  # at once: to announce it in full would take a second
        zeroconf.loop.call_soon_threadsafe(zeroconf.registry.async_add, self._record)

    def move(self, host: str, port: int) -> None:
        """Advertise a new address, as a device does that was given one."""
        self._record = self._at(host, port)
        self._zeroconf.update_service(self._record)

    def go(self) -> None:
        """Say goodbye."""
        self._zeroconf.unregister_service(self._record)

    def _at(self, host: str, port: int) -> ServiceInfo:
        script, plain = self._script, self._script.identifier.hex
        texts = {
            "id": plain,
            "fn": script.name,
            "md": script.model,
            "ca": str(script.capabilities),
            "ve": "05",
            "st": "0",
        }
        name = f"{script.model.replace(' ', '-')}-{plain}.{SERVICE}"
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        address = socket.inet_pton(family, host)
        return ServiceInfo(
            SERVICE, name, addresses=[address], port=port, properties=texts, server=f"{script.identifier}.local."
        )


@contextlib.contextmanager
def advertised(script: Script, host: str, port: int) -> Iterator[Advertisement]:
    """Advertise the device within the block.

    From a thread of its own: where the caller's has an event loop, zeroconf would use that one, and never answer while
    the test waits. Playwright leaves one in the main thread until its session ends.
    """
    with ThreadPoolExecutor(1) as elsewhere:
        zeroconf = elsewhere.submit(Zeroconf, interfaces=[LOOPBACK]).result()
        try:
            yield Advertisement(zeroconf, script, host, port)
        finally:
            elsewhere.submit(zeroconf.close).result()
