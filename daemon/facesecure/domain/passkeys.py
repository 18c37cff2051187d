"""Passkeys: keys that a phone, a computer or a stick keeps, with which somebody signs in instead of a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MOST_PASSKEYS = 20
"""Of one account."""


class Purpose(StrEnum):
    """What a passkey is asked for."""

    ADD = "add"
    SIGN_IN = "sign-in"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Site:
    """The page as a browser reaches it. A passkey is bound to ``host``, and answers no other.

    Example: ``Site("https://raspberrypi.local:8443", "raspberrypi.local")``.
    """

    origin: str
    host: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of the account with the uid ``account``.

    ``credential`` is its identifier and public key, as WebAuthn encodes them; ``signed`` how often it has signed, which
    stays 0 for passkeys that do not count. ``host``: the name of the page that it was made for.
    """

    identifier: str
    account: str
    name: str
    host: str
    credential: bytes = field(repr=False)
    signed: int
    created_at: datetime
    used_at: datetime | None = None
