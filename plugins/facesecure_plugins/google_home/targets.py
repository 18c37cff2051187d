"""A device as the user wrote it: a name, a UUID or an address."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

from facesecure_plugins.google_home.device import PORT, Device

_BRACKETED = re.compile(r"\[(?P<host>[^\]]+)\](?::(?P<port>\d+))?")
_INVISIBLE = re.compile("[\u00ad\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_TYPED = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4`"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
}
"""Apostrophes, quotation marks and dashes, which phones choose by themselves, to those of a keyboard."""
_WITH_PORT = re.compile(r"(?P<host>[^:]+):(?P<port>\d+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A configured device: ``text`` as written, and one of ``uuid``, ``address`` and ``name``.

    Example::

        Target.parse("192.168.1.20").device.address  # "192.168.1.20:8009"
    """

    text: str
    uuid: UUID | None = None
    address: tuple[str, int] | None = None
    name: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Parse one entry of the setting ``devices``. Raises ValueError with an explanation."""
        stripped = text.strip()
        if not stripped:
            raise ValueError("a device needs a name, uuid:..., or an address")
        if stripped.lower().startswith("uuid:"):
            return cls(text, uuid=_uuid(stripped[5:]))
        if stripped.lower().startswith("host:"):
            return cls(text, address=_address(stripped[5:], names=True))
        if (address := _address(stripped)) is not None:
            return cls(text, address=address)
        return cls(text, name=normalized(stripped))

    @property
    def device(self) -> Device | None:
        """The device at the address; None if a name or a UUID was written, which has to be found."""
        return Device(self.text.strip().removeprefix("host:"), (self.address,)) if self.address else None

    def matches(self, device: Device) -> bool:
        """Return whether ``device`` is meant. Several devices can have the same name."""
        if self.uuid is not None:
            return device.uuid == self.uuid
        return self.name == normalized(device.name) if self.name is not None else self.address in device.addresses


def normalized(name: str) -> str:
    """Return ``name`` for comparison, without differences that a user cannot see or type.

    These are case, spaces, the Unicode form, the kind of apostrophe, quotation mark or dash, accents typed apart, and
    invisible characters such as the variation selector after an emoji.
    """
    plain = unicodedata.normalize("NFKC", name.translate(_TYPED))
    folded = unicodedata.normalize("NFKC", plain.casefold())
    visible = "".join(letter for letter in folded if not _INVISIBLE.fullmatch(letter))
    return " ".join(visible.split())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError:
        raise ValueError(f"{text.strip()!r} is not a UUID: facesecure alerts devices shows them") from None


def _address(text: str, *, names: bool = False) -> tuple[str, int] | None:
    """Return (host, port) of an IP address, or of any host if ``names``; None if ``text`` is neither."""
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    host, port = (match["host"], int(match["port"] or PORT)) if match else (text, PORT)
    if not names and not _is_ip(host):
        return None
    if not 0 < port < 65536:
        raise ValueError(f"{text!r}: {port} is not a port")
    return host.strip(), port


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
