"""The household's rules applied at this moment: with the mode that is armed, and the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from facesecure.alerts.policy.arming import Armed
from facesecure.alerts.policy.rules import RuleContext, RuleOutcome, RuleSet, Ruling
from facesecure.domain import AlertKind, Subject
from facesecure.domain.mode import Mode
from facesecure.util.clock import Clock


@dataclass(frozen=True, slots=True)
class Moment:
    """The time on both clocks (aware, and steady seconds), and the mode that applies."""

    now: datetime
    steady: float
    mode: Mode


def armed_home() -> Armed:
    """Return the mode home: the default where no ``Arming`` is given."""
    return Armed(Mode.HOME)


@dataclass(frozen=True, slots=True)
class _Imagined:
    """A clock that stands at ``at``, and its steady time with it."""

    at: datetime
    seconds: float
    boot: str = ""

    def now(self) -> datetime:
        return self.at

    def steady(self) -> float:
        return self.seconds


class LiveRules:
    """Rules together with the mode and the clock that they depend on.

    Example::

        rules = LiveRules(RuleSet(config.policy), lambda: arming.armed, SystemClock())
        rules.outcome(AlertKind.STRANGER, rules.moment()).channels
    """

    def __init__(self, rules: RuleSet, armed: Callable[[], Armed], clock: Clock) -> None:
        """``armed`` returns the mode that was set last."""
        self.config = rules.config
        self.clock = clock
        self.rules = rules
        self._armed = armed

    @property
    def quiet(self) -> bool:
        """True if it is within the quiet hours."""
        return self.rules.quiet(self.clock.now())

    def moment(self) -> Moment:
        """Return the present time and mode."""
        now = self.clock.now()
        return Moment(now, self.clock.steady(), self.rules.mode(self._armed(), now))

    def imagined(self, at: datetime | None = None, mode: Mode | None = None) -> LiveRules:
        """Return the same rules as if it was ``at`` (aware), and ``mode`` had been set just before."""
        now, steady = self.clock.now(), self.clock.steady()
        at = at or now
        armed = self._armed if mode is None else lambda: Armed(mode, at)
        return LiveRules(self.rules, armed, _Imagined(at, steady + (at - now).total_seconds()))

    def outcome(
        self,
        kind: AlertKind,
        moment: Moment,
        name: str | None = None,
        mode: Mode | None = None,
        *,
        camera: str | None = None,
        doubted: bool = False,
        subject: Subject | None = None,
    ) -> RuleOutcome:
        """Return the outcome for an alert of ``kind`` about ``name`` at ``moment``, or as if ``mode`` applied then.

        ``camera`` is the name of the camera that it concerns, None for an alert of the service; ``doubted`` whether it
        is a known person, or a picture of them; ``subject`` what was seen instead of a face.
        """
        return self.rules.outcome(RuleContext(kind, name, mode or moment.mode, moment.now, camera, doubted, subject))

    def ruling(
        self,
        kind: AlertKind,
        moment: Moment,
        name: str | None = None,
        *,
        camera: str | None = None,
        subject: Subject | None = None,
    ) -> Ruling:
        """Return the outcome as ``outcome`` does, and which rule it is of."""
        return self.rules.ruling(RuleContext(kind, name, moment.mode, moment.now, camera, subject=subject))
