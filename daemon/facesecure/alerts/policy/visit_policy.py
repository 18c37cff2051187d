"""Alerts for visitors: the rules' channels and words, one alert a cool-down, and corrections of mistaken alerts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from facesecure.alerts.policy.cooldowns import NotifiedVisit, notified_visit_of
from facesecure.alerts.policy.live_rules import LiveRules, Moment
from facesecure.alerts.policy.rules import NO_CHANNELS, RuleOutcome, union
from facesecure.alerts.policy.state import PolicyState
from facesecure.alerts.policy.visit import VisitAppearance, VisitToNotify
from facesecure.alerts.policy.wording import aloud, sentence
from facesecure.domain import Alert, Sighting, VerdictKind
from facesecure.domain.messages import PhraseBook
from facesecure.domain.mode import Mode
from facesecure.recognition.visitor_matching import MatchVisitor


class VisitPolicy:
    """Decide on alerts for visitors. Changes ``state``, so the caller holds the policy's lock.

    Example::

        visits = VisitPolicy(book, rules, state, matcher.match)
        alerts = visits.decide(sighting, snapshot_path)
    """

    def __init__(self, book: PhraseBook, rules: LiveRules, state: PolicyState, match: MatchVisitor | None) -> None:
        """``match`` recognises a stranger who was here before; without it every stranger is a new one."""
        self._book, self._rules, self._state, self._match = book, rules, state, match

    def decide(self, sighting: Sighting, snapshot_path: Path | None) -> list[Alert]:
        """Return the alerts for ``sighting``, with those that only a mistake it corrects had suppressed."""
        state = self._state
        if sighting.closing:
            appearance = VisitAppearance.of(sighting.faces)
            state.history = state.history.with_appearance(sighting.identifier, appearance)
            return []
        state.history, wrong = state.history.retracting(sighting.supersedes)
        alerts = self._notify_or_suppress(VisitToNotify.of(sighting, snapshot_path), wrong)
        if wrong is not None and wrong.identifier == sighting.supersedes:
            for suppressed in wrong.suppressed:
                alerts += self._notify_or_suppress(suppressed.visit) if suppressed.visit else []
        return alerts

    def rehearse(self, sighting: Sighting, snapshot_path: Path | None) -> list[Alert]:
        """Return the alert for a drill's ``sighting`` of a stranger; does not change the state."""
        if sighting.closing or sighting.verdict.kind is not VerdictKind.STRANGER:
            return []
        visit, moment = VisitToNotify.of(sighting, snapshot_path), self._rules.moment()
        mode = Mode.HOME if moment.mode is Mode.OFF else moment.mode
        outcome = self._rules.outcome(visit.kind, moment, visit.name, mode, camera=visit.camera)
        words = self._book.first.drill(sentence(self._book, visit, outcome.say, correction=False))
        channels = None if outcome.channels == NO_CHANNELS else outcome.channels
        return [Alert.about(visit.sighting, words, snapshot_path=snapshot_path, channels=channels)]

    def _notify_or_suppress(self, visit: VisitToNotify, wrong: NotifiedVisit | None = None) -> list[Alert]:
        """Return the alert for ``visit``, or note it as suppressed. ``wrong`` was notified instead."""
        moment = self._rules.moment()
        outcome = self._rules.outcome(
            visit.kind, moment, visit.name, camera=visit.camera, doubted=visit.doubted, subject=visit.subject
        )
        if wrong is not None:
            outcome = replace(outcome, channels=union(outcome.channels, wrong.channels))
        if outcome.channels == NO_CHANNELS:
            return []
        past = self._state.history.find(visit, moment.steady, outcome.cooldown, self._match)
        recent = past is not None and moment.steady - past.at < outcome.cooldown
        if past is not None and wrong is None and recent and past.suppresses(visit, outcome.channels):
            self._state.history = self._state.history.replacing(past, past.suppressing(visit))
            return []
        return [self._notify(visit, outcome, moment, past, correction=wrong is not None)]

    def _notify(
        self,
        visit: VisitToNotify,
        outcome: RuleOutcome,
        moment: Moment,
        past: NotifiedVisit | None,
        *,
        correction: bool,
    ) -> Alert:
        """Note ``visit`` as notified and return its alert, which counts what was suppressed before."""
        history = self._state.history
        recent = past is not None and moment.steady - past.at < outcome.cooldown
        departed = history.departed(visit, moment.steady, outcome.cooldown)
        before = [past, *(one for one in departed if one is not past)] if past else departed
        reached = outcome.channels if past is None or not recent else union(past.channels, outcome.channels)
        notified = (past.notified_again if past else notified_visit_of)(visit, moment.steady, reached)
        self._state.history = history.adding(notified, moment.steady, instead_of=before)
        words = sentence(self._book, visit, outcome.say, correction=correction)
        route = self._book.route([*past.route, visit.camera]) if past else ""
        suppressed = sum(len(one.suppressed) for one in before)
        return Alert.about(
            visit.sighting,
            self._book.first.held_back(f"{words}: {route}" if route else words, suppressed),
            speech=aloud(self._book, visit, words),
            snapshot_path=visit.snapshot,
            held_back=suppressed,
            channels=outcome.channels,
            created_at=moment.now,
        )
