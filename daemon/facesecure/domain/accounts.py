"""Accounts of the page: what a signed-in person may do, and the session they do it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from facesecure.domain.actors import Actor

PAGE = "page"
"""The origin of what people do on the page, for the audit log."""
CONFIRMED_FOR = timedelta(minutes=10)
"""How long after the password was given the verbs may be called that ask for it again."""


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
class Account:
    """Somebody who may sign in. ``uid`` is random and is never used again; ``edition`` changes with password and role.

    ``password`` is its hash; empty until a one-time link sets it. ``language`` is a code such as "fr", or empty.
    """

    uid: str
    name: str
    role: Role
    created_at: datetime
    edition: str
    password: str = field(default="", repr=False)
    language: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link: it makes the account ``name``, or lets the owner of an account choose a new password.

    ``edition`` is that of the account as the link was made, empty for a new account.
    """

    name: str
    role: Role
    edition: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A secret in an address, with which another program reads the picture of ``cameras``; empty: of every camera."""

    identifier: str
    name: str
    cameras: tuple[str, ...]
    made_by: str
    created_at: datetime
    used_at: datetime | None = None

    def shows(self, camera: str) -> bool:
        """Return whether the token is for ``camera``."""
        return not self.cameras or camera in self.cameras


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
    address: str = ""
    language: str = ""
    used_at: datetime | None = None

    def is_confirmed(self, now: datetime) -> bool:
        """Return whether the password was given lately; not if that was in the future, when the clock was wrong."""
        return timedelta() <= now - self.confirmed_at <= CONFIRMED_FOR

    @property
    def actor(self) -> Actor:
        """Return who acts, for the audit log."""
        return Actor(self.account, PAGE)
