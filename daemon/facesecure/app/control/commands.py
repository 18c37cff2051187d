"""What the running daemon can be asked: ping, status, and to arm."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from facesecure import __version__
from facesecure.alerts.policy.arming import Arming, Mode
from facesecure.alerts.policy.policy import Policy
from facesecure.app.control.server import Handler
from facesecure.domain import VerdictKind
from facesecure.domain.errors import SourceError, StoreError, UsageError
from facesecure.services.drill.drill import Drill

_log = logging.getLogger(__name__)

MODES = ", ".join(mode.value for mode in Mode)


class People(Protocol):
    """What is needed of ``store.Store``."""

    def people(self) -> Any: ...

    def sightings(self, limit: int = 50, *, latest_only: bool = False) -> Any: ...


class Channels(Protocol):
    """What is needed of ``alerts.dispatcher.Dispatcher``."""

    def reports(self) -> Any: ...


class Camera(Protocol):
    """What is needed of ``sources.capture.LatestFrame``."""

    @property
    def trouble(self) -> SourceError | None: ...


@dataclass(frozen=True, slots=True)
class Commands:
    """The parts of a daemon that answer. ``names`` are those it can recognise; left out, everybody in ``store``.

    ``complaint`` says what is wrong with the state directory, if something is.
    """

    place: str
    arming: Arming
    policy: Policy
    store: People
    camera: Camera
    channels: Channels
    names: Callable[[], Sequence[str]] | None = None
    complaint: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def handlers(self) -> dict[str, Handler]:
        return {"ping": self.ping, "status": self.status, "arm": self.arm}

    def ping(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Is anybody there?"""
        return {"pid": os.getpid(), "program": __version__, "started_at": self.started_at.isoformat()}

    def arm(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``mode``: home, away or off. It acts from now on; ``warning`` says where it will not outlive a restart."""
        before, warning = self.policy.mode, self.complaint or None
        try:
            self.arming.arm(_mode(request.get("mode")))
        except StoreError as error:
            warning = f"{error.message}; after a restart it will be as it was before"
        _log.info("%s (was %s)", self.policy.mode.words, before.words)
        return {"mode": self.policy.mode.value, "before": before.value, "warning": warning}

    def status(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """How things stand, in one line and in full."""
        now = datetime.now(UTC)
        names = list(self.names()) if self.names else [person.name for person in self.store.people()]
        last, trouble, reports = self._last_seen(), self.camera.trouble, self.channels.reports()
        mode, quiet, armed = self.policy.mode, self.policy.quiet, self.arming.armed
        doing = f"no picture of the {self.place}" if trouble else WATCHING
        line = status_line(mode, len(names), last, now, camera=doing, quiet=quiet)
        return {
            **self.ping(request),
            "line": f"{line}; {self.complaint}" if self.complaint else line,
            "mode": mode.value,
            "armed": {"mode": armed.mode.value, "since": armed.since.isoformat() if armed.since else None},
            "quiet": quiet,
            "camera": {"name": self.place, "trouble": trouble.message if trouble else None},
            "people": names,
            "last_seen": _seen(last, now),
            "pending": sum(report.waiting for report in reports),
            "plugins": [asdict(report) for report in reports],
        }

    def _last_seen(self) -> LastSeen | None:
        found = self.store.sightings(limit=1, latest_only=True)
        return LastSeen(found[0].kind, found[0].name, found[0].last_seen) if found else None


def _mode(word: object) -> Mode:
    try:
        return Mode(str(word))
    except ValueError:
        raise UsageError(f"there is no mode {word!r}", f"the modes are: {MODES}") from None


def _seen(last: LastSeen | None, now: datetime) -> dict[str, Any] | None:
    if last is None:
        return None
    return {"verdict": last.kind.value, "name": last.name, "at": last.at.isoformat(), "ago": ago(last.at, now)}


_MINUTE, _HOUR, _DAY = 60, 3600, 86400

WATCHING = "watching"


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Who was at the door last, as far as anybody can tell, and when."""

    kind: VerdictKind
    name: str | None
    at: datetime

    @property
    def words(self) -> str:
        """A name, "a stranger", or "somebody"."""
        return self.name or ("a stranger" if self.kind is VerdictKind.STRANGER else "somebody")


def status_line(
    mode: Mode, people: int, last: LastSeen | None, now: datetime, *, camera: str = WATCHING, quiet: bool = False
) -> str:
    """One line for systemd's STATUS= and for ``facesecure status``.

    ``people``: how many are enrolled. ``camera``: what it does ("watching", "camera offline"). ``quiet``: it is within
    the quiet hours.
    """
    who = "nobody enrolled" if people == 0 else "1 person" if people == 1 else f"{people} people"
    seen = f"last seen {last.words} {ago(last.at, now)}" if last else "nobody seen yet"
    return ", ".join([camera, mode.words + (" (quiet hours)" if quiet else ""), who, seen])


def ago(then: datetime, now: datetime) -> str:
    """How long ago ``then`` was, as people say it. A ``then`` to come (the clock was set back) is "just now"."""
    seconds = (now - then).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    days = int(seconds // _DAY)
    return "yesterday" if days == 1 else f"{days} days ago"


def handlers(drill: Drill) -> dict[str, Handler]:
    """``drill`` begins one, ``drill-report`` says how far it has come."""

    def begin(_: Mapping[str, Any]) -> dict[str, Any]:
        drill.begin()
        return {}

    def report(_: Mapping[str, Any]) -> dict[str, Any]:
        present = drill.report()
        return present.as_json() if present else {}

    return {"drill": begin, "drill-report": report}
