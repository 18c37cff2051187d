"""What the page needs to know before it answers: its names, proxies and language, as the daemon's settings say."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class PageSettings:
    """``names``: host names that the page is reached by, beside those of this machine.

    ``proxies``: networks of the proxies whose X-Forwarded headers count. ``language``: of people who have not chosen,
    and whose browser asks for none that we have. Example::

        PageSettings(names=frozenset({"home.example.org"}), proxies=networks(["192.168.1.2"]))
    """

    names: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()
    language: str = LANGUAGE

    def knows(self, name: str) -> bool:
        """Return whether the page is reached by ``name``, the host of an address without its port."""
        name = name.lower().rstrip(".")
        return is_address(name) or name in self.names or name in own_names()

    def trusts(self, address: str) -> bool:
        """Return whether ``address``, the other end of a connection, is a proxy's."""
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.proxies)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that ``texts`` name: addresses, or networks such as 192.168.1.0/24. Raises ValueError."""
    return tuple(ip_network(text, strict=False) for text in texts)


def own_names() -> frozenset[str]:
    """Return the names that this machine answers to: localhost, its host name, and that with .local (mDNS)."""
    full = os.uname().nodename.lower()
    short = full.partition(".")[0]
    return frozenset({"localhost", full, short, f"{short}.local"})


def is_address(host: str) -> bool:
    """Return whether ``host`` is an IP address, in brackets or not.

    DNS rebinding needs a name that somebody else can point here; a page at an address comes from that address.
    """
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
