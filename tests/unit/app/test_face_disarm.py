"""A face disarms only if nothing at all speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from facesecure.alerts.policy.entry_delay import Entry, EntryPhase
from facesecure.app.face_disarm import FACES, SURE, FaceDisarm
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Frame, Sighting, Verdict, VerdictKind
from facesecure.domain.mode import Mode
from facesecure.pipeline.observer import NullObserver
from facesecure.pipeline.tracker import Track
from facesecure.recognition.liveness.visit import LEAST_FACES, VisitCues
from support.store import sighting

ALIVE = VisitCues(faces=9, scored=LEAST_FACES, wide=0.4, near=0.4)
SURELY_ANNA = Verdict(VerdictKind.KNOWN, "because", name="Anna", evidence=SURE, faces_used=FACES)
FRAME = cast(Frame, None)


@dataclass
class Door:
    """A door at which the face of Anna disarms."""

    mode: Mode = Mode.AWAY
    entry: Entry = field(default_factory=Entry)
    cues: VisitCues = ALIVE
    seconds: float = 0.0
    came: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = PolicyConfig.model_validate({"known_disarms": ["Anna"], "entry_delay": 30})
        self.observer = FaceDisarm(
            NullObserver(), config, lambda: self.mode, lambda: self.entry, lambda _: self.cues, self.came.append,
            lambda: self.seconds,
        )  # fmt: skip

    def visit(self, last: Verdict = SURELY_ANNA, *, lasts: float = 8.0, **seen: Any) -> list[str]:
        """Let somebody come, be reported, and leave; return whose face has disarmed."""
        reported: Sighting = replace(sighting("s1", Verdict(VerdictKind.KNOWN, "because", name="Anna")), track=1)
        self.observer.on_frame(FRAME, [track(last, ended=False)])
        self.observer.on_alerts(reported, [])
        self.seconds += lasts
        self.observer.on_frame(FRAME, [track(last, ended=True)])
        assert self.came == [], "the visit is not over"
        self.observer.on_alerts(replace(reported, closing=True, **seen), [])
        return self.came


def track(verdict: Verdict, *, ended: bool) -> Track:
    return cast(Track, SimpleNamespace(number=1, verdict=verdict, ended=ended))


def test_who_is_surely_there_and_alive_disarms_when_the_visit_ends() -> None:
    assert Door().visit() == ["Anna"]
    assert Door(entry=Entry(EntryPhase.PENDING, 20.0)).visit() == ["Anna"]


@pytest.mark.parametrize("mode", [Mode.HOME, Mode.OFF])
def test_it_never_leaves_another_mode_than_away(mode: Mode) -> None:
    assert Door(mode).visit() == []


WEAK: Mapping[str, Verdict] = {
    "too little evidence": replace(SURELY_ANNA, evidence=SURE - 0.1),
    "no evidence": replace(SURELY_ANNA, evidence=None),
    "too few faces": replace(SURELY_ANNA, faces_used=FACES - 1),
    "another name in the end": replace(SURELY_ANNA, name="Tom"),
    "unsure in the end": Verdict(VerdictKind.UNIDENTIFIED, "because"),
    "a stranger in the end": Verdict(VerdictKind.STRANGER, "because", evidence=SURE, faces_used=FACES),
}


@pytest.mark.parametrize("last", WEAK.values(), ids=WEAK)
def test_a_verdict_that_is_not_certain_to_the_end_disarms_nobody(last: Verdict) -> None:
    assert Door().visit(last) == []


PICTURES: Mapping[str, VisitCues] = {
    "not judged, since it is dark or the networks are not there": VisitCues(faces=9),
    "too few faces judged": replace(ALIVE, scored=LEAST_FACES - 1),
    "a doubt": replace(ALIVE, doubt="a screen"),
    "half of one": replace(ALIVE, wide=0.5 * LEAST_FACES, near=0.5 * LEAST_FACES),
    "its surroundings may move with it": replace(ALIVE, together=2, apart=1),
}


@pytest.mark.parametrize("cues", PICTURES.values(), ids=PICTURES)
def test_what_may_be_a_picture_disarms_nobody(cues: VisitCues) -> None:
    assert Door(cues=cues).visit() == []


def test_a_doubt_or_a_drill_in_the_sighting_disarms_nobody() -> None:
    assert Door().visit(doubt="a screen") == []
    assert Door().visit(staged=True) == []


def test_after_the_entry_delay_or_beside_a_stranger_a_face_disarms_nobody() -> None:
    assert Door().visit(lasts=30.1) == []
    assert Door(entry=Entry(EntryPhase.TRIGGERED, 60.0)).visit() == []
    assert Door(entry=Entry(EntryPhase.PENDING, 20.0, stranger=True)).visit() == []


def test_who_is_not_on_the_list_disarms_nobody() -> None:
    tom = replace(SURELY_ANNA, name="Tom")
    assert Door().visit(tom, verdict=tom) == []


def test_a_visit_whose_end_was_not_seen_disarms_nobody() -> None:
    door = Door()
    closing = replace(sighting("s1", SURELY_ANNA), track=1, closing=True)
    door.observer.on_alerts(closing, [])
    assert door.came == []


def test_visits_that_never_close_fill_no_memory() -> None:
    door = Door()
    for number in range(1000):
        ended = cast(Track, SimpleNamespace(number=number, verdict=SURELY_ANNA, ended=True))
        door.observer.on_frame(FRAME, [ended])
    assert len(door.observer._ended) == len(door.observer._began) == 64
