"""The policy at work: it holds what the pure parts beside it need to know, and asks them in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

from facesecure.alerts.policy.arming import Armed, Mode
from facesecure.alerts.policy.camera_state import BACK, CameraState
from facesecure.alerts.policy.cooldowns import NotificationHistory, NotifiedVisit, notified_visit_of
from facesecure.alerts.policy.rules import NOBODY, RuleContext, RuleOutcome, RuleSet, together
from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.alerts.policy.visit import VisitAppearance, VisitToNotify
from facesecure.alerts.policy.wording import every_sentence, sentence
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert, AlertKind, Sighting, VerdictKind
from facesecure.domain.messages import Phrases
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.util.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class _Moment:
    now: datetime
    steady: float
    mode: Mode


def _at_home() -> Armed:
    return Armed(Mode.HOME)


class Policy:
    """Sightings and troubles in, alerts out. Any thread may call."""

    def __init__(
        self,
        phrases: Phrases,
        config: PolicyConfig | None = None,
        *,
        armed: Callable[[], Armed] = _at_home,
        in_use: Collection[str] = (),
        fallback: Mapping[str, str] | None = None,
        choose: MatchVisitor | None = None,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        memory: PolicyStateFile | None = None,
    ) -> None:
        """``in_use``: the plugins that get alerts, by name; ``fallback``: which stands in for which.

        ``choose`` tells strangers apart; without it each is new. ``zone``: the household's time zone, left out the
        machine's. ``memory``: what was told before a restart.
        """
        self._phrases, self._config = phrases, config or PolicyConfig()
        self._rules = RuleSet(self._config, in_use, fallback, zone)
        self._armed, self._choose, self._memory = armed, choose, memory
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._history, self._story = memory.load(self._clock) if memory else (NotificationHistory(), CameraState())
        self._saved = self._unsaved = (self._history, self._story)
        self._why = ""

    @property
    def mode(self) -> Mode:
        """Home, away or off, as armed or by the hours."""
        return self._moment().mode

    @property
    def quiet(self) -> bool:
        """Whether it is within the quiet hours."""
        return self._rules.quiet(self._clock.now())

    def sentences(self, names: Iterable[str]) -> list[str]:
        """All that can be said aloud of a household with these ``names``, the most urgent first; none twice."""
        return every_sentence(self._phrases, self._config.rules, names)

    # Whoever is at the door ---------------------------------------------------------------------------------------

    def decide(self, sighting: Sighting, snapshot_path: Path | None = None) -> list[Alert]:
        """Alerts for ``sighting``: none where nobody is to know, or the same visitor was told of a moment ago.

        One that was told before and is merely closing is not told again. One that corrects what was told is told
        always; what only a mistake had held back is told with it. What a drill staged is said as a drill.
        """
        if sighting.staged:
            return self.rehearse(sighting, snapshot_path)
        with self._lock:
            if sighting.closing:
                self._history = self._history.looked_at_again(sighting.identifier, VisitAppearance.of(sighting.faces))
                return []
            self._history, wrong = self._history.taken_back(sighting.supersedes)
            alerts = self._consider(VisitToNotify.of(sighting, snapshot_path), wrong)
            released = wrong.held if wrong is not None and wrong.identifier == sighting.supersedes else ()
            for held in released:
                alerts += self._consider(held.seen) if held.seen else []
            return alerts

    def rehearse(self, sighting: Sighting, snapshot_path: Path | None = None) -> list[Alert]:
        """A stranger's ``sighting`` as it would be told by day, said as a drill: never held back, never remembered."""
        if sighting.closing or sighting.verdict.kind is not VerdictKind.STRANGER:
            return []
        seen, moment = VisitToNotify.of(sighting, snapshot_path), self._moment()
        armed = Mode.HOME if moment.mode is Mode.OFF else moment.mode
        treatment = self._rules.treat(RuleContext(seen.kind, seen.name, armed, moment.now))
        words = self._phrases.drill(sentence(self._phrases, seen, treatment.say, correction=False))
        channels = None if treatment.channels == NOBODY else treatment.channels
        return [Alert.about(seen.sighting, words, snapshot_path=snapshot_path, channels=channels)]

    def _consider(self, seen: VisitToNotify, wrong: NotifiedVisit | None = None) -> list[Alert]:
        """Tell of ``seen``, or hold it back. ``wrong`` was told of instead."""
        moment = self._moment()
        treatment = self._treatment(seen.kind, moment, seen.name)
        if wrong is not None:
            treatment = replace(treatment, channels=together(treatment.channels, wrong.channels))
        if treatment.channels == NOBODY:
            return []
        past = self._history.find(seen, moment.steady, treatment.cooldown, self._choose)
        if past is not None and wrong is None and moment.steady - past.at < treatment.cooldown:
            self._history = self._history.changed(past, past.holding(seen))
            return []
        return [self._notify(seen, treatment, moment, past, correction=wrong is not None)]

    def _notify(
        self,
        seen: VisitToNotify,
        treatment: RuleOutcome,
        moment: _Moment,
        past: NotifiedVisit | None,
        *,
        correction: bool,
    ) -> Alert:
        stragglers = self._history.stragglers(seen, moment.steady, treatment.cooldown)
        before = [past, *(each for each in stragglers if each is not past)] if past else stragglers
        told = (past.again if past else notified_visit_of)(seen, moment.steady, treatment.channels)
        self._history = self._history.with_told(told, moment.steady, instead_of=before)
        words = sentence(self._phrases, seen, treatment.say, correction=correction)
        held = sum(len(each.held) for each in before)
        return Alert.about(
            seen.sighting,
            self._phrases.held_back(words, held),
            speech=words,
            snapshot_path=seen.snapshot,
            held_back=held,
            channels=treatment.channels,
            created_at=moment.now,
        )

    # facesecure itself --------------------------------------------------------------------------------------------

    def on_camera_event(self, what: str, snapshot_path: Path | None = None, *, why: str = "") -> list[Alert]:
        """Alerts for a camera that is offline, frozen, covered, moved, or back; ``why`` is for reading, never spoken.

        A trouble is told at once, the end of it when it has lasted: ``overdue`` brings that. Raises ValueError for
        anything else.
        """
        self._phrases.camera(what)
        with self._lock:
            self._why = why
            steady = self._clock.steady()
            if what == BACK:
                self._story = self._story.works(steady)
                return self.due()
            cooldown = self._treatment(AlertKind.CAMERA, self._moment()).cooldown
            self._story, tell = self._story.trouble(what, steady, cooldown)
            return self._notify_camera(what, snapshot_path) if tell else []

    def due(self) -> list[Alert]:
        """What is to be told now though nothing happened: call it every second or so."""
        with self._lock:
            moment = self._moment()
            cooldown = self._treatment(AlertKind.CAMERA, moment).cooldown
            if self._story.settled(moment.steady, self._config.camera_settle, cooldown):
                alerts = self._notify_camera(BACK)
                self._story = self._story.notified_back()
                return alerts
            if self._story.unheard and moment.mode is not Mode.OFF:
                return self._notify_camera(self._story.last_notified)
            return []

    def _notify_camera(self, what: str, snapshot_path: Path | None = None) -> list[Alert]:
        moment = self._moment()
        treatment = self._treatment(AlertKind.CAMERA, moment)
        held, self._story = self._story.held, replace(self._story, held=0, silenced=moment.mode is Mode.OFF)
        words = self._phrases.camera(what)
        return self._about_us(AlertKind.CAMERA, words, treatment, moment, held, snapshot_path, self._why)

    def on_service_event(self, event: str, *, why: str = "") -> list[Alert]:
        """Alerts for something that befell the daemon: one of ``Phrases.service``'s events, or a sentence.

        ``why`` is for reading, never spoken.
        """
        with self._lock:
            moment = self._moment()
            treatment = self._treatment(AlertKind.SERVICE, moment)
            past = self._history.of(AlertKind.SERVICE, event)
            if treatment.channels == NOBODY:
                return []
            heard = past is not None and together(past.channels, treatment.channels) == past.channels
            if past is not None and heard and moment.steady - past.at < treatment.cooldown:
                self._history = self._history.changed(past, past.holding_one())
                return []
            told = NotifiedVisit(AlertKind.SERVICE, event, "", moment.steady, treatment.channels)
            self._history = self._history.with_told(told, moment.steady, instead_of=[past])
            held = len(past.held) if past else 0
            words = _service(self._phrases, event)
            return self._about_us(AlertKind.SERVICE, words, treatment, moment, held, why=why)

    def _treatment(self, kind: AlertKind, moment: _Moment, name: str | None = None) -> RuleOutcome:
        return self._rules.treat(RuleContext(kind, name, moment.mode, moment.now))

    def _about_us(
        self,
        kind: AlertKind,
        words: str,
        treatment: RuleOutcome,
        moment: _Moment,
        held: int,
        snapshot_path: Path | None = None,
        why: str = "",
    ) -> list[Alert]:
        if treatment.channels == NOBODY:
            return []
        return [
            Alert(
                kind,
                self._phrases.held_back(f"{words}: {why}" if why else words, held),
                speech=words,
                snapshot_path=snapshot_path,
                held_back=held,
                channels=treatment.channels,
                created_at=moment.now,
            )
        ]

    # Memory -------------------------------------------------------------------------------------------------------

    def save(self, *, at_once: bool = False) -> None:
        """Keep for after a restart what was told by the last time that this was called; with ``at_once`` by now.

        So what is remembered as told was handed on a while ago: killed in between, it is told again rather than never.
        """
        with self._lock:
            now = (self._history, self._story)
            ripe, self._unsaved = now if at_once else self._unsaved, now
            if self._memory is None or ripe == self._saved:
                return
            self._saved = ripe
        self._memory.save(*ripe, self._clock)

    def _moment(self) -> _Moment:
        now = self._clock.now()
        return _Moment(now, self._clock.steady(), self._rules.mode(self._armed(), now))


def _service(phrases: Phrases, event: str) -> str:
    try:
        return phrases.service(event)
    except ValueError:
        return event
