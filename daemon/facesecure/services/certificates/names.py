"""Host names and addresses under which browsers reach the page, checked before a certificate states them."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from facesecure.domain.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST = 253  # RFC 1035, 2.3.4, without the last dot


@dataclass(frozen=True, slots=True)
class Names:
    """Host names in lower case, and addresses; each once, in the order given.

    Example::

        Names.of(["pi.local", "192.168.1.20"])
    """

    hosts: tuple[str, ...]
    addresses: tuple[Address, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Sort ``texts`` into host names and addresses. Raises UsageError if one is neither."""
        hosts: dict[str, None] = {}
        addresses: dict[Address, None] = {}
        for text in texts:
            try:
                addresses[ipaddress.ip_address(text)] = None
            except ValueError:
                hosts[_host(text)] = None
        return cls(tuple(hosts), tuple(addresses))

    def texts(self) -> tuple[str, ...]:
        """Return all of them as text, host names first."""
        return self.hosts + tuple(map(str, self.addresses))


def _host(text: str) -> str:
    host = text.lower().removesuffix(".")
    if len(host) > _LONGEST or not _HOST.fullmatch(host):
        raise UsageError(f"{text!r} is neither a host name nor an address", "such as raspberrypi.local or 192.168.1.20")
    return host


def names_of_this_machine() -> Names:
    """Return this machine's name, alone and with ``.local`` behind it as phones look for it, and its addresses.

    Only addresses of a home network: private ones of IPv4, and unique local ones of IPv6.
    """
    host = socket.gethostname().lower()
    short = host.partition(".")[0]
    return Names.of([f"{short}.local", short, host, *map(str, _home_addresses())])


def _home_addresses() -> list[Address]:
    import ifaddr

    texts = [ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    found = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
    return [one for one in found if one.is_private and not (one.is_loopback or one.is_link_local)]
