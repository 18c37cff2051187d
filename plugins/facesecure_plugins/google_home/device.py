"""A Cast device as the network shows it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

PORT = 8009
"""Where devices listen; groups have ports of their own."""

GROUP_MODEL = "Google Cast Group"
_VIDEO_OUT, _GROUP = 1, 32  # bits of the TXT record's "ca": Chromium, cast_channel's CastDeviceCapability


@dataclass(frozen=True, slots=True)
class Device:
    """``addresses`` are (host, port), the likeliest first. ``kind``: speaker, display, group, or "" if unknown.

    A device given by its address has no ``uuid``, and its address for a name.
    """

    name: str
    addresses: tuple[tuple[str, int], ...]
    uuid: UUID | None = None
    model: str = ""
    kind: str = ""

    @property
    def key(self) -> str:
        """The same for the same device, wherever it is."""
        return str(self.uuid or self.address)

    @property
    def address(self) -> str:
        return written(*self.addresses[0])


def written(host: str, port: int) -> str:
    """host:port, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def from_record(texts: Mapping[str, str], hosts: Sequence[str], port: int) -> Device | None:
    """The device of an mDNS record with these TXT values; None where it has no usable "id"."""
    try:
        uuid = UUID(texts.get("id", ""))
        bits = int(texts.get("ca") or 0)
    except ValueError:
        return None
    model = texts.get("md", "")
    addresses = tuple((host, port) for host in sorted(hosts, key=_reluctance))
    return (
        Device(texts.get("fn") or model or str(uuid), addresses, uuid, model, _kind(model, bits)) if addresses else None
    )


def _kind(model: str, bits: int) -> str:
    """By what the device says of itself: its port, which pychromecast goes by, may be another for any device."""
    if bits & _GROUP or model == GROUP_MODEL:
        return "group"
    return "display" if bits & _VIDEO_OUT else "speaker"


def _reluctance(host: str) -> tuple[bool, bool]:
    """IPv4 first; a link-local IPv6 address last, as no device can fetch from one."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return address.is_link_local, address.version == 6


@dataclass(frozen=True, slots=True)
class Loudness:
    """``level`` 0 to 1, as the device gave it: 0 is a level like any other."""

    level: float
    muted: bool

    def __str__(self) -> str:
        return f"{self.level:.0%}{', muted' if self.muted else ''}"
