"""Accounts of the page: what a signed-in person may do, and the session they do it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesecure.domain.actors import Actor

PAGE = "page"
"""The origin of what people do on the page, for the audit log."""


class Role(StrEnum):
    """What an account may do; each role may do what the ones before it may.

    A kiosk is a tablet on the wall: it shows the state and the cameras, and arms. A viewer also sees visits and people,
    a member also disarms, names and corrects, and an owner also changes settings, accounts and keys.
    """

    KIOSK = "kiosk"
    VIEWER = "viewer"
    MEMBER = "member"
    OWNER = "owner"

    def includes(self, least: Role) -> bool:
        """Return whether this role may do what ``least`` may."""
        order = list(Role)
        return order.index(self) >= order.index(least)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person is signed in. The daemon keeps sessions, and knows one by its token's hash.

    ``confirmed_at`` is when the password, or passkey, was last given. Example::

        session.role.includes(Role.MEMBER)
    """

    identifier: str
    account: str
    role: Role
    began_at: datetime
    confirmed_at: datetime
    device: str = ""

    @property
    def actor(self) -> Actor:
        """Return who acts, for the audit log."""
        return Actor(self.account, PAGE)
