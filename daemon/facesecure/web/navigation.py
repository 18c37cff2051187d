"""The places of the page: what the bar at the bottom and the side bar lead to, and who may go there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ROLES = ("kiosk", "viewer", "member", "owner")


@dataclass(frozen=True, slots=True)
class Place:
    """A screen that people go to: ``least`` is the role that may, ``main`` whether it is in the bar on a phone."""

    path: str
    title: str
    icon: str
    least: str = "viewer"
    main: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Who is signed in, as far as the page shows it; the daemon decides what they may do. Nobody has no role."""

    account: str = ""
    role: str = ""
    language: str | None = None

    def may(self, least: str) -> bool:
        """Return whether the role is ``least`` or includes it. For what is offered, never for what is allowed."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(least)


PLACES = (
    Place("/", "Now", "now", "kiosk", main=True),
    Place("/timeline", "Timeline", "timeline", main=True),
    Place("/who", "Who is this?", "who", "member", main=True),
    Place("/live", "Live", "live", "kiosk", main=True),
    Place("/people", "People", "people", about="Who is known, and by which pictures"),
    Place("/enrol", "Add a person", "enrol", "member", about="With the camera of this phone, or with photos"),
    Place("/arm", "When it is armed", "arm", about="The hours of the week, and what would happen now"),
    Place("/drill", "Drill", "drill", "member", about="Rehearse the alarm, step by step"),
    Place("/health", "Health", "health", about="Cameras, channels, disk and backups"),
    Place("/zones", "Masks and zones", "zones", "owner", about="Where to look, and where not"),
    Place("/settings", "Settings", "settings", "owner", about="Everything in the configuration file"),
    Place("/accounts", "Accounts and devices", "accounts", "kiosk", about="Who may use this page, and on what"),
    Place("/push", "Notifications", "bell", "viewer", about="Who came, on this phone, also when the page is closed"),
    Place("/audit", "Audit log", "audit", "owner", about="Who did what, and when"),
)
"""In the order of the side bar. A place without a route is left out."""


def reachable(paths: Iterable[str]) -> tuple[Place, ...]:
    """Return the places whose path is among ``paths``, those of the routes."""
    there = frozenset(paths)
    return tuple(place for place in PLACES if place.path in there)
