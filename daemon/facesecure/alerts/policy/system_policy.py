"""Alerts for facesecure itself: troubles of the camera, and events of the daemon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from facesecure.alerts.policy.camera_state import BACK
from facesecure.alerts.policy.cooldowns import NotifiedVisit
from facesecure.alerts.policy.live_rules import LiveRules, Moment
from facesecure.alerts.policy.rules import NO_CHANNELS, RuleOutcome, union
from facesecure.alerts.policy.state import PolicyState
from facesecure.domain import Alert, AlertKind
from facesecure.domain.messages import Phrases
from facesecure.domain.mode import Mode
from facesecure.util.redaction import redact


class CameraPolicy:
    """Decide on alerts for the camera. Changes ``state``, so the caller holds the policy's lock.

    Example::

        camera = CameraPolicy(phrases, rules, state)
        alerts = camera.on_event("offline", None, why="no answer from 192.168.1.20")
    """

    def __init__(self, phrases: Phrases, rules: LiveRules, state: PolicyState) -> None:
        """Begin without a reason."""
        self._phrases, self._rules, self._state = phrases, rules, state
        self._why = ""

    def on_event(self, event: str, snapshot_path: Path | None, *, why: str) -> list[Alert]:
        """Return the alerts for ``event``, a trouble or "back"; ``why`` is shown, never spoken."""
        self._why = why
        steady = self._rules.clock.steady()
        if event == BACK:
            self._state.camera = self._state.camera.on_recovery(steady)
            return self.due()
        cooldown = self._rules.outcome(AlertKind.CAMERA, self._rules.moment()).cooldown
        self._state.camera, notify = self._state.camera.on_trouble(event, steady, cooldown)
        return self._notify(event, snapshot_path) if notify else []

    def due(self) -> list[Alert]:
        """Return the alert that is due now: that the camera works, or a trouble from while it was disarmed."""
        moment = self._rules.moment()
        cooldown = self._rules.outcome(AlertKind.CAMERA, moment).cooldown
        if self._state.camera.recovery_due(moment.steady, self._rules.config.camera_settle, cooldown):
            alerts = self._notify(BACK)
            self._state.camera = self._state.camera.recovery_notified()
            return alerts
        if self._state.camera.unreported and moment.mode is not Mode.OFF:
            return self._notify(self._state.camera.last_notified)
        return []

    def _notify(self, event: str, snapshot_path: Path | None = None) -> list[Alert]:
        moment = self._rules.moment()
        outcome = self._rules.outcome(AlertKind.CAMERA, moment)
        camera = self._state.camera
        self._state.camera = replace(camera, held=0, silenced=moment.mode is Mode.OFF)
        if outcome.channels == NO_CHANNELS:
            return []
        words = _Words(self._phrases.camera(event), self._why)
        alert = _system_alert(self._phrases, AlertKind.CAMERA, words, outcome, moment, camera.held)
        return [replace(alert, snapshot_path=snapshot_path)]


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
