"""Two people who hand over in one place are two tracks; one person whose face changes for a moment is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facesecure.config import VerdictConfig
from facesecure.domain import AlignedFace, Recognition, VerdictKind
from facesecure.pipeline.continuity import Continuity
from facesecure.pipeline.presence import PresenceDetector
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.tracker import Track, Tracker
from facesecure.recognition.decision import VerdictRule
from support.builders import SCORES, aligned, face_at, frame_at, quality

ANNA, TOM = np.eye(8, dtype=np.float32)[:2]
EVERY = 0.2


def recognition(person: np.ndarray, likeness: float = 0.95) -> Recognition:
    """A face of ``person``, whose cosine to them is ``likeness``; Anna is enrolled."""
    other = np.eye(8, dtype=np.float32)[7]
    embedding = np.float32(likeness) * person + np.float32(np.sqrt(1 - likeness**2)) * other
    return Recognition({"Anna": float(embedding @ ANNA)}, embedding, "model")


class Door:
    """A tracker, fed with a face in one place, that keeps every track that ended."""

    def __init__(self, continuity: Continuity | None = None) -> None:
        self.tracker = Tracker(
            VerdictRule(VerdictConfig(), SCORES), max_gap=1.0, continuity=continuity or Continuity(SCORES)
        )
        self.at = 0.0
        self.ended: list[Track] = []

    def sees(self, seen: Recognition | None, times: int = 1, face: AlignedFace | None = None, x: float = 100) -> Track:
        for _ in range(times):
            tracks = self.tracker.update([face_at(x, 100)], self.at)
            self.ended += [track for track in tracks if track.ended]
            (track,) = (track for track in tracks if track.live)
            if track.wants_identity:
                track = self.tracker.observe(track, face or aligned(), seen)
            self.at += EVERY
        return track

    def waits(self, seconds: float) -> None:
        for _ in range(round(seconds / EVERY)):
            self.ended += [track for track in self.tracker.update([], self.at) if track.ended]
            self.at += EVERY

    def finish(self) -> list[Track]:
        self.ended += self.tracker.finish()
        return sorted(self.ended, key=lambda track: track.number)


def unclear(clarity: float) -> AlignedFace:
    return replace(aligned(), quality=quality(clarity))


def test_whoever_takes_the_place_within_a_second_gets_a_track_of_their_own():
    door = Door()
    assert door.sees(recognition(ANNA), 5).verdict.name == "Anna"
    door.waits(0.6)
    after = door.sees(recognition(TOM), 4)
    assert (after.number, after.verdict.kind) == (2, VerdictKind.STRANGER)
    before, after = door.finish()
    assert (before.verdict.name, before.hits, before.evidence.usable) == ("Anna", 5, 2)
    assert before.last_seen == pytest.approx(4 * EVERY), "she was gone when he came"
    assert (after.hits, after.evidence.usable, after.first_seen) == (4, 3, pytest.approx(8 * EVERY))


def test_a_name_is_never_handed_over_with_the_place():
    door = Door()
    door.sees(recognition(ANNA), 5)
    door.waits(0.6)
    track = door.sees(None, 1, aligned(reasons=("averted",)))
    assert track.verdict.kind is VerdictKind.UNIDENTIFIED
    assert "same person" in track.verdict.why
    for _ in range(4):
        assert door.sees(recognition(TOM)).verdict.name is None


def test_whoever_comes_back_after_a_gap_keeps_track_and_name_at_once():
    door = Door()
    door.sees(recognition(ANNA), 5)
    door.waits(0.6)
    track = door.sees(recognition(ANNA, 0.7))
    assert (track.number, track.verdict.name, track.question) == (1, "Anna", None)
    assert len(door.finish()) == 1


def test_an_averted_head_in_between_is_no_reason_to_ask():
    door = Door()
    door.sees(recognition(ANNA), 5)
    door.sees(None, 5, aligned(reasons=("averted",)))
    assert door.sees(recognition(ANNA), 5).number == 1


def test_one_odd_face_is_the_same_persons():
    door = Door()
    door.sees(recognition(TOM), 5)  # a stranger is identified often
    while (odd := door.sees(recognition(ANNA))).question is None:
        assert door.at < 3.0
    assert odd.verdict.kind is VerdictKind.UNIDENTIFIED
    track = door.sees(recognition(TOM))
    assert (track.number, track.question, track.verdict.kind) == (1, None, VerdictKind.STRANGER)
    assert len(door.finish()) == 1


def test_two_who_cross_without_a_gap_are_parted_after_two_faces():
    door = Door()
    door.sees(recognition(TOM), 5)
    track = door.sees(recognition(ANNA, 0.9), 3)
    assert track.number == 2
    before, after = door.finish()
    assert before.verdict.kind is VerdictKind.STRANGER
    assert after.evidence.usable >= 2


def test_a_clear_face_that_is_half_alike_stays_with_its_track_while_there_is_no_gap():
    door = Door()
    door.sees(recognition(TOM, 0.99), 5)
    track = door.sees(recognition(TOM, 0.33), 5)
    assert (track.number, track.question) == (1, None)
    assert len(door.finish()) == 1


def test_an_unclear_face_says_little_either_way():
    door = Door()
    door.sees(recognition(ANNA, 0.99), 5)
    door.waits(0.6)
    track = door.sees(recognition(ANNA, 0.35), 1, unclear(0.45))
    assert track.number == 1
    assert door.sees(recognition(ANNA, 0.9)).verdict.name == "Anna"
    (track,) = door.finish()
    assert track.evidence.usable == 4, "the unclear one counts too, once it is hers"


def test_two_small_faces_that_are_half_alike_are_not_yet_one_person():
    blend = (0.6 * TOM + 0.8 * np.eye(8, dtype=np.float32)[6]).astype(np.float32)
    door = Door()
    door.sees(recognition(TOM, 0.99), 1, unclear(0.7))
    door.waits(0.6)
    assert door.sees(recognition(blend, 0.99), 1, unclear(0.7)).question is not None, "one earlier face proves little"
    again = Door()
    again.sees(recognition(TOM, 0.99), 3, unclear(0.7))
    again.waits(0.6)
    assert again.sees(recognition(blend, 0.99), 1, unclear(0.7)).question is None


def test_three_who_take_turns_in_one_place_are_three_tracks():
    door = Door()
    door.sees(recognition(ANNA, 0.99), 5)
    for person in (TOM, np.eye(8, dtype=np.float32)[5]):
        door.waits(0.6)
        door.sees(recognition(person, 0.8), 1, unclear(0.6))
    door.sees(recognition(np.eye(8, dtype=np.float32)[5], 0.99), 3)
    tracks = door.finish()
    assert [track.number for track in tracks] == [1, 2, 3]
    assert [track.hits for track in tracks] == [5, 1, 4]


def test_a_place_taken_over_shortly_before_the_end_ends_in_two_tracks():
    door = Door()
    door.sees(recognition(ANNA, 0.99), 5)
    door.waits(0.6)
    door.sees(recognition(TOM, 0.8), 2, unclear(0.55))
    before, after = door.finish()
    assert (before.verdict.name, before.hits) == ("Anna", 5)
    assert (after.evidence.usable, after.hits, after.ended) == (2, 2, True)


def test_a_lost_track_whose_last_face_was_another_persons_ends_as_it_was():
    door = Door()
    door.sees(recognition(ANNA, 0.99), 5)
    door.waits(0.6)
    door.sees(recognition(TOM, 0.8), 1, unclear(0.6))
    door.waits(1.4)
    assert [(track.number, track.hits) for track in door.ended] == [(1, 5), (2, 1)]
    assert door.finish() == door.ended


def test_without_a_model_of_scores_or_embeddings_a_track_is_always_one_persons():
    for door, seen in [(Door(Continuity()), recognition(TOM)), (Door(), Recognition({"Anna": 0.0}))]:
        door.sees(recognition(ANNA) if seen.embedding is not None else Recognition({"Anna": 0.8}), 5)
        door.waits(0.6)
        assert door.sees(seen, 5).number == 1


def test_faces_that_prove_neither_settle_by_the_likelier_answer_after_a_few():
    door = Door()
    door.sees(recognition(ANNA, 0.99), 5)
    door.waits(0.6)
    track = door.sees(recognition(ANNA, 0.3), 5, unclear(0.42))
    assert track.question is None


def test_each_of_the_two_is_a_sighting_with_a_picture_of_their_own():
    builder, door, sightings = SightingBuilder("door", PresenceDetector(0)), Door(), []

    def step(seen: Recognition | None) -> None:
        tracks = door.tracker.update([] if seen is None else [face_at(100, 100)], door.at)
        if seen is not None:
            tracks = [door.tracker.observe(t, aligned(), seen) if t.wants_identity else t for t in tracks]
        image = np.full((240, 320, 3), 200 if seen is not None and seen.scores["Anna"] > 0.5 else 50, np.uint8)
        for track in tracks:
            sightings.extend(builder.update(track, frame_at(door.at, image=image)))
        door.at += EVERY

    for seen in [*[recognition(ANNA)] * 5, *[None] * 3, *[recognition(TOM)] * 5, *[None] * 7]:
        step(seen)
    told = [(one.verdict.kind, one.closing) for one in sightings]
    assert told == [
        (VerdictKind.KNOWN, False),
        (VerdictKind.KNOWN, True),
        (VerdictKind.STRANGER, False),
        (VerdictKind.STRANGER, True),
    ]
    assert len({one.identifier for one in sightings}) == 2
    assert not any(one.supersedes for one in sightings)
    brightness = [int(one.snapshot[0, 0, 0]) for one in sightings]
    assert brightness == [200, 200, 50, 50]
