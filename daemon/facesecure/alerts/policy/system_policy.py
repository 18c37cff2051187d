"""Alerts for facesecure itself: troubles of the cameras, and events of the daemon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from facesecure.alerts.policy.camera_state import BACK
from facesecure.alerts.policy.cooldowns import NotifiedVisit
from facesecure.alerts.policy.live_rules import LiveRules, Moment
from facesecure.alerts.policy.rules import NO_CHANNELS, RuleOutcome, union
from facesecure.alerts.policy.state import PolicyState
from facesecure.domain import Alert, AlertKind
from facesecure.domain.messages import PhraseBook, Phrases
from facesecure.domain.mode import Mode
from facesecure.util.redaction import redact


class CameraPolicy:
    """Decide on alerts for the cameras, each for itself. Changes ``state``, so the caller holds the policy's lock.

    Example::

        camera = CameraPolicy(book, rules, state)
        alerts = camera.on_event("gate", "offline", None, why="no answer from 192.168.1.20")
    """

    def __init__(self, book: PhraseBook, rules: LiveRules, state: PolicyState) -> None:
        """Begin without a reason."""
        self._book, self._rules, self._state = book, rules, state
        self._whys: dict[str, str] = {}

    def on_event(self, camera: str, event: str, snapshot_path: Path | None, *, why: str) -> list[Alert]:
        """Return the alerts for ``event`` of ``camera``, a trouble or "back"; ``why`` is shown, never spoken."""
        self._whys[camera] = why
        state, steady = self._state.camera(camera), self._rules.clock.steady()
        if event == BACK:
            self._state.put_camera(camera, state.on_recovery(steady))
            return self._due(camera)
        cooldown = self._outcome(camera, self._rules.moment()).cooldown
        state, notify = state.on_trouble(event, steady, cooldown)
        self._state.put_camera(camera, state)
        return self._notify(camera, event, snapshot_path) if notify else []

    def due(self) -> list[Alert]:
        """Return the alerts that are due now: that a camera works, or a trouble from while it was disarmed."""
        return [alert for camera in self._state.cameras for alert in self._due(camera)]

    def _due(self, camera: str) -> list[Alert]:
        state, moment = self._state.camera(camera), self._rules.moment()
        cooldown = self._outcome(camera, moment).cooldown
        if state.recovery_due(moment.steady, self._rules.config.camera_settle, cooldown):
            alerts = self._notify(camera, BACK)
            self._state.put_camera(camera, self._state.camera(camera).recovery_notified())
            return alerts
        if state.unreported and moment.mode is not Mode.OFF:
            return self._notify(camera, state.last_notified)
        return []

    def _notify(self, camera: str, event: str, snapshot_path: Path | None = None) -> list[Alert]:
        moment, state, phrases = self._rules.moment(), self._state.camera(camera), self._book.of(camera)
        outcome = self._outcome(camera, moment)
        self._state.put_camera(camera, replace(state, held=0, silenced=moment.mode is Mode.OFF))
        if outcome.channels == NO_CHANNELS:
            return []
        words = _Words(phrases.camera(event), self._whys.get(camera, ""))
        alert = _system_alert(phrases, AlertKind.CAMERA, words, outcome, moment, state.held)
        return [replace(alert, snapshot_path=snapshot_path)]

    def _outcome(self, camera: str, moment: Moment) -> RuleOutcome:
        return self._rules.outcome(AlertKind.CAMERA, moment, camera=camera)


class ServicePolicy:
    """Decide on alerts for events of the daemon. Changes ``state``, so the caller holds the policy's lock.

    Example::

        service = ServicePolicy(phrases, rules, state)
        alerts = service.on_event("disk_full", why="5 MB were freed")
    """

    def __init__(self, phrases: Phrases, rules: LiveRules, state: PolicyState) -> None:
        """Decide by ``rules``, in the words of ``phrases``."""
        self._phrases, self._rules, self._state = phrases, rules, state

    def on_event(self, event: str, *, why: str) -> list[Alert]:
        """Return the alerts for ``event``: a name that ``Phrases.service`` knows, or a sentence."""
        moment = self._rules.moment()
        outcome = self._rules.outcome(AlertKind.SERVICE, moment)
        if outcome.channels == NO_CHANNELS:
            return []
        history = self._state.history
        past = history.by_key(AlertKind.SERVICE, event)
        reached_all = past is not None and union(past.channels, outcome.channels) == past.channels
        if past is not None and reached_all and moment.steady - past.at < outcome.cooldown:
            self._state.history = history.replacing(past, past.suppressing_one())
            return []
        notified = NotifiedVisit(AlertKind.SERVICE, event, "", moment.steady, outcome.channels)
        self._state.history = history.adding(notified, moment.steady, instead_of=[past])
        suppressed = len(past.suppressed) if past else 0
        words = _Words(_service_words(self._phrases, event), why)
        return [_system_alert(self._phrases, AlertKind.SERVICE, words, outcome, moment, suppressed)]

    def tell(self, words: str) -> Alert:
        """Return an alert with ``words`` that somebody always gets: without cool-down, and at least by the log."""
        moment = self._rules.moment()
        outcome = self._rules.outcome(AlertKind.SERVICE, moment)
        if outcome.channels == NO_CHANNELS:
            outcome = replace(outcome, channels=None)
        return _system_alert(self._phrases, AlertKind.SERVICE, _Words(words, ""), outcome, moment, 0)


@dataclass(frozen=True, slots=True)
class _Words:
    spoken: str
    why: str

    @property
    def shown(self) -> str:
        return f"{self.spoken}: {redact(self.why)}" if self.why else self.spoken


def _system_alert(
    phrases: Phrases, kind: AlertKind, words: _Words, outcome: RuleOutcome, moment: Moment, suppressed: int
) -> Alert:
    return Alert(
        kind,
        phrases.held_back(words.shown, suppressed),
        speech=words.spoken,
        held_back=suppressed,
        channels=outcome.channels,
        created_at=moment.now,
    )


def _service_words(phrases: Phrases, event: str) -> str:
    try:
        return phrases.service(event)
    except ValueError:
        return event
