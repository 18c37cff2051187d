"""The alert policy: sightings and events of the system in, alerts out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from facesecure.alerts.policy.arming import Armed
from facesecure.alerts.policy.foresight import Foresight, foresee
from facesecure.alerts.policy.live_rules import LiveRules, armed_home
from facesecure.alerts.policy.rules import RuleSet
from facesecure.alerts.policy.state import PolicyState
from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.alerts.policy.system_policy import CameraPolicy, ServicePolicy
from facesecure.alerts.policy.visit_policy import VisitPolicy
from facesecure.alerts.policy.wording import every_sentence
from facesecure.domain import Alert, Sighting
from facesecure.domain.messages import PhraseBook, Phrases
from facesecure.domain.mode import Mode
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.util.clock import Clock, SystemClock


class Policy:
    """Decide which alerts are sent, in which words and through which channels. Thread-safe.

    Example::

        policy = Policy(phrases, RuleSet(config.policy, in_use=plugins), armed=lambda: arming.armed)
        for alert in policy.decide(sighting, snapshot_path):
            dispatcher.send(alert)
    """

    def __init__(
        self,
        phrases: Phrases | PhraseBook,
        rules: RuleSet | None = None,
        *,
        armed: Callable[[], Armed] = armed_home,
        match: MatchVisitor | None = None,
        state_file: PolicyStateFile | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Decide by ``rules``, by default those of an empty configuration, in the words of ``phrases``.

        ``armed`` returns the mode that was set last. ``match`` recognises strangers who were here before; without it
        every stranger is a new one. ``state_file`` keeps across restarts what was notified.
        """
        self._book = book = PhraseBook([phrases]) if isinstance(phrases, Phrases) else phrases
        self._match = match
        self._rules = LiveRules(rules or RuleSet(), armed, clock or SystemClock())
        self._state = PolicyState(self._rules.clock, state_file, book.cameras)
        self._visits = VisitPolicy(book, self._rules, self._state, match)
        self._camera = CameraPolicy(book, self._rules, self._state)
        self._service = ServicePolicy(book.first, self._rules, self._state)
        self._lock = threading.RLock()

    @property
    def mode(self) -> Mode:
        """Home, away or off: as armed, or away by the hours."""
        return self._rules.moment().mode

    @property
    def rules(self) -> RuleSet:
        """The rules as they are configured, whatever the mode and the time."""
        return self._rules.rules

    @property
    def quiet(self) -> bool:
        """True if it is within the quiet hours."""
        return self._rules.quiet

    def sentences(self, names: Iterable[str]) -> list[str]:
        """Return every sentence that can be spoken while ``names`` are enrolled, most urgent first, each once."""
        return every_sentence(self._book, self._rules.config.rules, names)

    def decide(self, sighting: Sighting, snapshot_path: Path | None = None) -> list[Alert]:
        """Return the alerts for ``sighting``: none if the rules say so, or within the visitor's cool-down.

        A closing sighting causes no alert. One that corrects a sighting that was notified always does, together with
        alerts that only the mistake had suppressed. A sighting staged by a drill is announced as a drill.
        """
        if sighting.staged:
            return self.rehearse(sighting, snapshot_path)
        with self._lock:
            return self._visits.decide(sighting, snapshot_path)

    def rehearse(self, sighting: Sighting, snapshot_path: Path | None = None) -> list[Alert]:
        """Return the alert for a stranger's ``sighting``, as a drill: never suppressed, never remembered."""
        return self._visits.rehearse(sighting, snapshot_path)

    def foresee(self, sighting: Sighting, at: datetime | None = None, mode: Mode | None = None) -> Foresight:
        """Return what ``decide`` would decide on ``sighting``, now or as if it was ``at``, with ``mode`` set.

        Nobody is notified, and nothing is remembered.
        """
        with self._lock:
            rules, state = self._rules.imagined(at, mode), self._state.copy()
        return foresee(self._book, rules, state, self._match, sighting)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The names of the cameras, the first first."""
        return self._book.cameras

    def on_camera_event(
        self, event: str, snapshot_path: Path | None = None, *, why: str = "", camera: str = ""
    ) -> list[Alert]:
        """Return the alerts for a camera that is offline, frozen, covered, moved or back; ``why`` is never spoken.

        ``camera`` is its name, by default that of the first; each camera has its troubles and cool-downs for itself. A
        trouble is notified at once. That the camera is back is notified once it has lasted: ``due`` returns that.
        Raises ValueError for any other event.
        """
        self._book.first.camera(event)
        with self._lock:
            return self._camera.on_event(camera or self._book.cameras[0], event, snapshot_path, why=why)

    def on_service_event(self, event: str, *, why: str = "") -> list[Alert]:
        """Return the alerts for an event of the daemon: a name that ``Phrases.service`` knows, or a sentence.

        ``why`` is shown after it, never spoken.
        """
        with self._lock:
            return self._service.on_event(event, why=why)

    def tell_disarmed(self, name: str, *, by_face: bool) -> Alert:
        """Return the alert that it was disarmed since ``name`` has come home. It is always sent: no rule is against it.

        ``by_face``: by the face at the door, else by presence.
        """
        return self._service.tell(self._book.first.disarmed(name, by_face=by_face))

    def due(self) -> list[Alert]:
        """Return the alerts that are due although nothing has happened: to be called every second or so."""
        with self._lock:
            return self._camera.due()

    def save(self, *, at_once: bool = False) -> None:
        """Write what was notified by the previous call, or by now with ``at_once``, for after a restart.

        What is stored as notified was thus handed to the dispatcher a while ago: if the daemon is killed in between,
        an alert is sent twice rather than never.
        """
        with self._lock:
            snapshot = self._state.snapshot_to_save(at_once=at_once)
        if snapshot is not None:
            self._state.write(snapshot)
