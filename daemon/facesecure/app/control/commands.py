"""The commands that a running daemon answers on its control socket: ping, status, arm, drill, drill-report.

``Commands`` holds the handlers; ``status_words`` has the one line that ``facesecure status`` and systemd show.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from facesecure import __version__
from facesecure.alerts.build import AlertStack
from facesecure.alerts.delivery.channel import ChannelReport
from facesecure.alerts.policy.arming import Arming
from facesecure.alerts.policy.entry_delay import Entry
from facesecure.alerts.policy.policy import Policy
from facesecure.app.context import DaemonContext
from facesecure.app.control.camera_report import CameraReport, watching_words
from facesecure.app.control.drill_commands import DrillCommands
from facesecure.app.control.server import Handler
from facesecure.app.control.status_words import LastSeen, entry_words, last_seen_document, status_line
from facesecure.app.watching import WatchedCamera
from facesecure.domain.door_visits import DoorVisit, PicturesElsewhere
from facesecure.domain.doors import Assigner, OtherDoor
from facesecure.domain.errors import StoreError, UsageError
from facesecure.domain.mode import Mode
from facesecure.domain.presence import Whereabouts
from facesecure.recognition.calibration import calibration_words
from facesecure.services.audit import Record, ignore_action
from facesecure.services.presence import Presence
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.write_queue import WriteLag

if TYPE_CHECKING:
    from facesecure.services.updates import Updates

MODES = ", ".join(mode.value for mode in Mode)

_log = logging.getLogger(__name__)


class StatusStore(Protocol):
    """The part of ``storage.store.Store`` that a status needs."""

    def people(self) -> Any:
        """Return the people enrolled."""

    def sightings(self, limit: int = 50, *, latest_only: bool = False) -> Any:
        """Return the newest sightings."""

    @property
    def lag(self) -> WriteLag | None:
        """How far writing lags because the database is locked; None if it does not."""


class DeliveryReports(Protocol):
    """The part of ``alerts.delivery.dispatcher.Dispatcher`` that a status needs."""

    def reports(self) -> Sequence[ChannelReport]:
        """Return the state of each plugin."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The handlers of the control socket, and the parts of the daemon they answer from.

    ``cameras`` has at least one. ``names`` returns the people who can be recognised; by default all in ``store``.
    ``complaint`` says what is wrong with the state directory, empty if nothing. Example::

        commands = Commands.of(context, alerts, cameras)
        with serve_control(commands.handlers(), state_dir):
            ...
    """

    cameras: Sequence[CameraReport]
    arming: Arming
    policy: Policy
    store: StatusStore
    channels: DeliveryReports
    names: Callable[[], Sequence[str]] | None = None
    complaint: str = ""
    drills: DrillCommands | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    problems: Callable[[], Sequence[str]] = tuple
    """Returns what is refused because others changed it in the state directory."""
    record: Record = ignore_action
    """Records an action in the audit log."""
    troubles: dict[str, Callable[[], str]] = field(default_factory=dict)
    """For each front, by its name, a function that returns what is wrong with it; empty if nothing."""
    updates: Callable[[], Updates | None] = lambda: None
    """Returns what is known of newer versions; nothing where that is not asked for."""
    entry: Callable[[], Entry] = Entry
    """Returns how far an alarm has come."""
    others: list[Callable[[], Sequence[OtherDoor]]] = field(default_factory=list)
    """One that returns the household's other doors, if there is a hub."""
    elsewhere: list[Callable[[], Sequence[DoorVisit]]] = field(default_factory=list)
    """One that returns the visits at these, newest first."""
    pictures: list[PicturesElsewhere] = field(default_factory=list)
    """One that fetches pictures of those visits."""
    assigners: list[Assigner] = field(default_factory=list)
    """One that says which of these know a person."""
    presence: list[Presence] = field(default_factory=list)
    """Who is at home: one, if presence is followed."""
    calibration: Callable[[], str] = str
    """Returns when and where the calibration in use was made."""

    @classmethod
    def of(cls, context: DaemonContext, alerts: AlertStack, cameras: Sequence[WatchedCamera]) -> Commands:
        """Return the commands of a daemon made of these parts."""
        return cls(
            [CameraReport.of(camera) for camera in cameras],
            context.arming,
            alerts.policy,
            context.store,
            alerts.dispatcher,
            context.names,
            context.location.complaint,
            DrillCommands([camera.drill for camera in cameras], context.record),
            problems=context.problems,
            record=context.record,
            updates=context.updates,
            entry=lambda: alerts.visitors.entry,
            calibration=lambda: calibration_words(SignedDocuments(context.state_dir)),
        )

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each command, by its name."""
        handlers: dict[str, Handler] = {"ping": self.ping, "status": self.status, "arm": self.arm}
        handlers["presence"] = self.report_presence
        return handlers if self.drills is None else {**handlers, **self.drills.handlers()}

    def ping(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Return the daemon's process id, version and start time."""
        return {"pid": os.getpid(), "program": __version__, "started_at": self.started_at.isoformat()}

    def arm(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Set the mode to ``mode`` of ``request``: home, away or off. Raises UsageError for any other.

        The mode is in force at once; ``warning`` in the result says if it will not survive a restart.
        """
        return self.set_mode(_mode(request.get("mode")))

    def set_mode(self, mode: Mode, *, at_once: bool = False) -> dict[str, Any]:
        """Set ``mode``, without an exit delay if ``at_once``, and return what ``arm`` answers."""
        before, warning = self.policy.mode, self.complaint or None
        try:
            self.arming.arm(mode, at_once=at_once)
        except StoreError as error:
            warning = f"{error.message}; the mode will be lost at the next restart"
        leaving, intended = self.arming.leaving, self.arming.intended
        soon = "" if leaving is None else f" in {leaving:.0f} s"
        _log.info("%s%s (was %s)", intended.words, soon, before.words)
        self.record("armed", intended.value)
        return {
            "mode": self.policy.mode.value,
            "before": before.value,
            "set": intended.value,
            "leaving": leaving,
            "warning": warning,
        }

    @property
    def strictest(self) -> Mode:
        """The mode that applies or, during an exit delay, the one that follows: the stricter of both."""
        return max(self.policy.mode, self.arming.intended, key=lambda mode: mode.strictness)

    def entry_document(self) -> dict[str, Any]:
        """Return how far an alarm has come, and the seconds that are left to disarm, as JSON."""
        entry = self.entry()
        return {"alarm": entry.phase.value, "alarm_seconds": entry.seconds}

    def report_presence(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Take that the person ``name`` of ``request`` is ``where``: home or away. Raises UsageError for any other."""
        name, where = request.get("name"), request.get("where")
        if where not in (Whereabouts.HOME, Whereabouts.AWAY) or not isinstance(name, str):
            raise UsageError("presence needs a name, and home or away")
        if not self.presence:
            raise UsageError("nobody's presence is followed", "name the people in [presence]: docs/arming.md")
        self.presence[0].report(name, Whereabouts(where))
        return {"mode": self.policy.mode.value, **self.presence_document()}

    def presence_document(self) -> dict[str, Any]:
        """Return who is at home, and the seconds until it is armed since everybody has left, as JSON."""
        people = [one for each in self.presence for one in each.people]
        return {
            "presence": [
                {"name": one.name, "where": one.where.value, "since": one.since.isoformat() if one.since else None}
                for one in people
            ],
            "arms_in": self.presence[0].arms_in if self.presence else None,
        }

    def doors_document(self) -> list[dict[str, Any]]:
        """Return the state of the household's other doors, as JSON."""
        return [door.as_json() for look in list(self.others) for door in look()]

    def visits_elsewhere(self) -> list[DoorVisit]:
        """Return the visits at the household's other doors, newest first."""
        return [visit for look in list(self.elsewhere) for visit in look()]

    def public_line(self) -> str:
        """Return what every user of the machine may read: neither the mode, nor who lives there or was seen."""
        lag = self.store.lag
        return "; ".join(filter(None, [watching_words(self.cameras), lag.words if lag else ""]))

    def status(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state of the daemon, as one ``line`` and in detail."""
        now = datetime.now(UTC)
        names = list(self.names()) if self.names else [person.name for person in self.store.people()]
        last, reports, cameras = self._last_seen(), self.channels.reports(), [one.as_json() for one in self.cameras]
        mode, quiet, armed = self.policy.mode, self.policy.quiet, self.arming.armed
        watching, lag = watching_words(self.cameras), self.store.lag
        line = status_line(
            mode,
            len(names),
            last,
            now,
            camera=watching,
            quiet=quiet,
            soon=entry_words(self.arming.leaving, self.entry()),
        )
        return {
            **self.ping(request),
            "line": "; ".join(filter(None, [line, self.complaint, lag.words if lag else ""])),
            "mode": mode.value,
            "armed": {"mode": armed.mode.value, "since": armed.since.isoformat() if armed.since else None},
            "leaving": self.arming.leaving,
            **self.entry_document(),
            **self.presence_document(),
            "quiet": quiet,
            "camera": cameras[0],
            "cameras": cameras,
            "people": names,
            "calibration": self.calibration(),
            "last_seen": last_seen_document(last, now),
            "pending": sum(report.waiting for report in reports),
            "plugins": [asdict(report) for report in reports],
            "problems": list(self.problems()),
            "troubles": self.front_troubles(),
            "doors": self.doors_document(),
            "lag": asdict(lag) if lag else None,
            "update": self.update_document(),
        }

    def front_troubles(self) -> dict[str, str]:
        """Return what is wrong with the fronts, by name."""
        return {name: trouble for name, look in self.troubles.items() if (trouble := look())}

    def update_document(self) -> dict[str, Any] | None:
        """Return what is known of newer versions, as JSON; None where that is not asked for."""
        known = self.updates()
        if known is None:
            return None
        return {
            "installed": __version__,
            "newer": known.newer,
            "asked_at": known.asked_at.isoformat() if known.asked_at else None,
            "problem": known.problem or None,
        }

    def _last_seen(self) -> LastSeen | None:
        found = self.store.sightings(limit=1, latest_only=True)
        return LastSeen(found[0].kind, found[0].name, found[0].last_seen, found[0].subject) if found else None


def _mode(word: object) -> Mode:
    try:
        return Mode(str(word))
    except ValueError:
        raise UsageError(f"there is no mode {word!r}", f"the modes are: {MODES}") from None
