"""A Cast device as it was found on the network."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from facesecure.util.plain_text import one_line

PORT = 8009
"""The port of devices; groups have ports of their own."""

LONGEST_NAME = 100
"""Characters of a name or model from the network that are kept."""

GROUP_MODEL = "Google Cast Group"
_VIDEO_OUT, _GROUP = 1, 32  # bits of the TXT record's "ca": Chromium, cast_channel's CastDeviceCapability


@dataclass(frozen=True, slots=True)
class Device:
    """A device or group: its ``addresses`` are (host, port), the best first.

    ``kind`` is speaker, display, group, or "" if unknown. A device given by its address has no ``uuid``, and the
    address as its name.
    """

    name: str
    addresses: tuple[tuple[str, int], ...]
    uuid: UUID | None = None
    model: str = ""
    kind: str = ""

    @property
    def key(self) -> str:
        """An identifier that is the same at every address."""
        return str(self.uuid or self.address)

    @property
    def address(self) -> str:
        """The best address, as host:port."""
        return format_address(*self.addresses[0])


def format_address(host: str, port: int) -> str:
    """Return host:port, with an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def from_record(texts: Mapping[str, str], hosts: Sequence[str], port: int) -> Device | None:
    """Return the device of an mDNS record with these TXT values, None without a valid "id" or an address."""
    try:
        uuid = UUID(texts.get("id", ""))
        bits = int(texts.get("ca") or 0)
    except ValueError:
        return None
    if not hosts:
        return None
    model = one_line(texts.get("md", ""), LONGEST_NAME)
    addresses = tuple((host, port) for host in sorted(hosts, key=_rank))
    return Device(
        one_line(texts.get("fn", ""), LONGEST_NAME) or model or str(uuid), addresses, uuid, model, _kind(model, bits)
    )


def _kind(model: str, bits: int) -> str:
    """Return the kind by the device's own description; its port, which pychromecast uses, can be any."""
    if bits & _GROUP or model == GROUP_MODEL:
        return "group"
    return "display" if bits & _VIDEO_OUT else "speaker"


def _rank(host: str) -> tuple[bool, bool]:
    """Sort IPv4 first and link-local addresses last, from which no device can fetch."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return address.is_link_local, address.version == 6


@dataclass(frozen=True, slots=True)
class Loudness:
    """A volume: ``level`` is 0 to 1 as the device reported it, and 0 is a level like any other."""

    level: float
    muted: bool

    def __str__(self) -> str:
        return f"{self.level:.0%}{', muted' if self.muted else ''}"
