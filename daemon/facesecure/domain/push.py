"""A browser that wants to be notified by Web Push (RFC 8030)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from facesecure.domain.accounts import Role

PUSH = "push"
"""The name of the channel, for rules."""


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """Where to send, and for whom.

    ``endpoint`` is the push service's address of one browser. ``public_key`` (a point of P-256, 65 bytes) and ``auth``
    (16 bytes) are the browser's: what is encrypted for them only this browser reads. ``session`` is the identifier of
    the session in which it was made, ``used_at`` when that was last used.
    """

    identifier: str
    session: str
    account: str
    role: Role
    language: str
    endpoint: str = field(repr=False)
    public_key: bytes = field(repr=False)
    auth: bytes = field(repr=False)
    device: str
    created_at: datetime
    used_at: datetime
