"""Foresee what the policy would decide on a visit, without notifying anybody and without remembering it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facesecure.alerts.policy.live_rules import LiveRules
from facesecure.alerts.policy.rules import Channels
from facesecure.alerts.policy.state import PolicyState
from facesecure.alerts.policy.visit import VisitToNotify
from facesecure.alerts.policy.visit_policy import VisitPolicy
from facesecure.domain import Alert, Sighting
from facesecure.domain.messages import PhraseBook
from facesecure.domain.mode import Mode
from facesecure.recognition.visitor_matching import MatchVisitor


@dataclass(frozen=True, slots=True)
class Foresight:
    """What would be decided: the alerts, the mode, and why.

    ``channels`` are those that the rules choose, ``rule`` the number of the one that applies, from 1, None if it is
    the defaults. ``wait`` are the seconds until an alert about the same visitor would be sent again; 0 if it would be.
    """

    alerts: tuple[Alert, ...]
    mode: Mode
    quiet: bool
    at: datetime
    channels: Channels
    rule: int | None
    cooldown: float
    wait: float = 0.0


def foresee(
    book: PhraseBook, rules: LiveRules, state: PolicyState, match: MatchVisitor | None, sighting: Sighting
) -> Foresight:
    """Return what would be decided on ``sighting``. ``state`` is a copy: it is changed.

    Example::

        foresee(book, rules.imagined(mode=Mode.AWAY), state.copy(), match, sighting).alerts
    """
    visit, moment, quiet = VisitToNotify.of(sighting, None), rules.moment(), rules.quiet
    ruling = rules.ruling(visit.kind, moment, visit.name, camera=visit.camera, subject=visit.subject)
    outcome = ruling.outcome
    past = state.history.find(visit, moment.steady, outcome.cooldown, match)
    alerts = VisitPolicy(book, rules, state, match).decide(sighting, None)
    wait = 0.0 if past is None or alerts else max(0.0, outcome.cooldown - (moment.steady - past.at))
    return Foresight(
        tuple(alerts), moment.mode, quiet, moment.now, outcome.channels, ruling.rule, outcome.cooldown, wait
    )
