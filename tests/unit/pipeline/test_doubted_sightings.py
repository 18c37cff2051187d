"""Sightings of visits that may be a picture held up, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from facesecure.domain import Sighting, Verdict, VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.pipeline.presence import PresenceDetector
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.sighting_recorder import SightingRecorder
from facesecure.pipeline.tracker import Track
from facesecure.storage.store import Store
from support.builders import NOON, face_at, frame_at
from support.visitors import CHOOSE, faces

TOM = Verdict(VerdictKind.KNOWN, "looks like Tom", name="Tom", faces_used=5)
STRANGER = Verdict(VerdictKind.STRANGER, "nobody we know", faces_used=3)
WHY = "its surroundings moved with the face (5 of 5 times)"


@dataclass
class Doubts:
    """Says what the test wants, and notes which visits ended."""

    why: str = ""
    waits: bool = False
    ended: list[tuple[int, bool]] = field(default_factory=list)

    def doubt(self, number: int) -> str:
        return self.why

    def undecided(self, number: int, now: float) -> bool:
        return self.waits

    def end(self, number: int, *, known: bool) -> str:
        self.ended.append((number, known))
        return self.why


def track(verdict: Verdict, at: float, *, ended: bool = False) -> Track:
    return Track(7, face_at(160, 120, 60), 0.0, at, at, verdict, hits=5, ended=ended)


@pytest.fixture
def doubts() -> Doubts:
    return Doubts()


@pytest.fixture
def builder(doubts: Doubts) -> SightingBuilder:
    return SightingBuilder("front door", PresenceDetector(3.0), doubts=doubts)


def test_a_known_person_stays_known_and_carries_the_doubt(builder: SightingBuilder, doubts: Doubts) -> None:
    doubts.why = WHY
    (sighting,) = builder.update(track(TOM, 1), frame_at(1))
    assert (sighting.verdict, sighting.doubt) == (TOM, WHY)
    assert not sighting.proves_presence
    assert builder.update(track(TOM, 2), frame_at(2)) == []
    (end,) = builder.update(track(TOM, 2, ended=True), frame_at(3.5))
    assert (end.closing, end.doubt) == (True, WHY)
    assert doubts.ended == [(7, True)]


def test_a_doubt_that_comes_later_is_a_sighting_of_its_own(builder: SightingBuilder, doubts: Doubts) -> None:
    (first,) = builder.update(track(TOM, 1), frame_at(1))
    assert first.proves_presence
    doubts.why = WHY
    (second,) = builder.update(track(TOM, 2), frame_at(2))
    assert (second.supersedes, second.doubt) == (first.identifier, WHY)


def test_a_name_waits_while_the_visit_is_undecided(builder: SightingBuilder, doubts: Doubts) -> None:
    doubts.waits = True
    assert builder.update(track(TOM, 1), frame_at(1)) == []
    doubts.waits = False
    assert len(builder.update(track(TOM, 1.2), frame_at(1.2))) == 1


def test_a_visit_that_ends_while_it_waits_is_not_lost(builder: SightingBuilder, doubts: Doubts) -> None:
    doubts.waits = True
    builder.update(track(TOM, 1), frame_at(1))
    doubts.why = WHY
    (sighting,) = builder.update(track(TOM, 1, ended=True), frame_at(2.5))
    assert (sighting.verdict, sighting.doubt, sighting.closing) == (TOM, WHY, False)


def test_a_stranger_is_reported_at_once_and_the_doubt_noted_at_the_end(
    builder: SightingBuilder, doubts: Doubts
) -> None:
    doubts.waits = True
    assert len(builder.update(track(STRANGER, 1), frame_at(1))) == 1
    doubts.why = WHY
    assert builder.update(track(STRANGER, 2), frame_at(2)) == []
    (end,) = builder.update(track(STRANGER, 2, ended=True), frame_at(3.5))
    assert (end.closing, end.doubt) == (True, WHY)


def sighting(verdict: Verdict, identifier: str = "a1", **others: Any) -> Sighting:
    return replace(Sighting(identifier, verdict, "front door", NOON, NOON, faces=faces(1)), **others)


def test_no_faces_are_kept_of_a_doubted_visit_and_nobody_is_enrolled_from_it(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.record(sighting(TOM))
        assert store.faces_seen("a1")
        store.record(sighting(TOM, "b2", supersedes="a1", doubt=WHY))
        assert store.faces_seen("a1") == store.faces_seen("b2") == []
        assert [one.doubt for one in store.sightings()] in ([WHY, ""], ["", WHY])
        with pytest.raises(UsageError) as refused:
            store.corrections.faces("b2")
        assert "picture held up" in (refused.value.hint or "")


def test_a_doubt_at_the_end_removes_the_faces_and_makes_no_visitor(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        recorder = SightingRecorder(store, lambda identifier: store.visitors.group(identifier, CHOOSE))
        recorder.record(sighting(STRANGER))
        recorder.record(sighting(STRANGER, closing=True, doubt=WHY))
        assert store.sighting("a1").doubt == WHY
        assert store.faces_seen("a1") == []
        assert store.visitors.all() == []
