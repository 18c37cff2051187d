"""Connect to public addresses only: a name that somebody chose must not lead into the house.

The address is checked that is connected to, not one that was looked up before: a name may change between the two.
"""

from __future__ import annotations

import ipaddress
import socket


class PrivateAddressError(OSError):
    """A name that leads to this machine or into a private network; its text shows no address."""


def is_public(address: str) -> bool:
    """Return whether ``address`` is one of the internet; not if another, in IPv6, hides one that is not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        hidden = found.ipv4_mapped or found.sixtofour or _translated(found)
        if hidden is not None:
            return is_public(str(hidden))
    return found.is_global and not found.is_multicast


def connect_publicly(
    address: tuple[str, int], timeout: float | None = None, source_address: tuple[str, int] | None = None
) -> socket.socket:
    """Connect as ``socket.create_connection`` does, to public addresses only.

    Raises PrivateAddressError if ``address`` has another one, and OSError if none can be reached.
    """
    found = [one[4] for one in socket.getaddrinfo(*address, type=socket.SOCK_STREAM)]
    if not found or not all(is_public(str(one[0])) for one in found):
        raise PrivateAddressError("it is in a private network")
    problem: OSError = OSError("it has no address")
    for one in found:
        try:
            return socket.create_connection((str(one[0]), int(one[1])), timeout, source_address)
        except OSError as error:
            problem = error
    raise problem


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address in one of NAT64 (RFC 6052)."""
    if address in ipaddress.ip_network("64:ff9b::/96") or address in ipaddress.ip_network("64:ff9b:1::/48"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
