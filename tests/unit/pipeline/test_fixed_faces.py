"""A face that never moves, as on a poster, is judged once and then ignored; a person never is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import pytest

from facesecure.config import VerdictConfig
from facesecure.domain import Face
from facesecure.pipeline.fixed_faces import FixedFaces, Stillness
from facesecure.pipeline.tracker import Track, Tracker
from facesecure.recognition.decision import VerdictRule
from support.builders import SCORES, aligned, face_at

STEP = 0.2
"""Seconds between two searches."""
POSTER = (600.0, 200.0)


class Watch:
    """A tracker with fixed faces that is fed what a detector finds; ``ended`` are the tracks that ended so far."""

    def __init__(self, seed: int = 1) -> None:
        self.fixed = FixedFaces()
        self.tracker = Tracker(VerdictRule(VerdictConfig(), SCORES), fixed_faces=self.fixed)
        self.ended: list[Track] = []
        self.tracks: list[Track] = []
        self.now = 0.0
        self._rng = np.random.default_rng(seed)

    def watch(self, seconds: float, faces: Callable[[float], Sequence[Face]]) -> None:
        """Search for ``seconds``; ``faces`` returns what is found at a time after the beginning of this call."""
        for step in range(round(seconds / STEP)):
            self.now += STEP
            tracks = self.tracker.update(faces(step * STEP), self.now)
            self.tracks = [
                self.tracker.observe(track, aligned(), None) if track.wants_identity else track for track in tracks
            ]
            self.ended += [track for track in self.tracks if track.ended]

    def jittered(self, x: float, y: float, size: float = 60, jitter: float = 0.02) -> Face:
        """A detection of a face there, each landmark off by ``jitter`` face sizes (one standard deviation)."""
        face = face_at(x, y, size)
        noise = self._rng.normal(0, jitter * size, face.landmarks.shape).astype(np.float32)
        return Face(face.box, face.landmarks + noise, face.confidence)

    @property
    def live(self) -> list[Track]:
        return [track for track in self.tracks if track.live]


@pytest.fixture
def door() -> Watch:
    """A door at which a poster has hung for half a minute."""
    door = Watch()
    door.watch(30, lambda _: [door.jittered(*POSTER)])
    return door


@pytest.mark.parametrize("jitter", [0.0, 0.005, 0.02])
def test_a_face_that_does_not_move_ends_its_track_as_fixed_once_and_is_not_tracked_again(jitter):
    door = Watch()
    door.watch(15, lambda _: [door.jittered(*POSTER, jitter=jitter)])
    assert [track.number for track in door.live] == [1]  # first it is judged like any other
    assert not door.ended
    door.watch(60, lambda _: [door.jittered(*POSTER, jitter=jitter)])
    assert [(track.number, track.fixed) for track in door.ended] == [(1, True)]
    assert not door.live
    assert not door.tracker.busy
    assert len(door.fixed.faces) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_person_who_stands_and_talks_for_minutes_is_never_fixed(seed):
    """A head sways by a few per cent of its size, slowly: 2 % is a person who stands to attention."""
    door, rng = Watch(seed), np.random.default_rng(seed)
    phases, rates = rng.uniform(0, 6, (2, 3)), rng.uniform(0.2, 1.5, (2, 3))

    def person(at: float) -> list[Face]:
        sway = 0.02 * 60 * np.sin(rates * at + phases).sum(1)
        return [door.jittered(300 + sway[0], 200 + sway[1], jitter=0.01)]

    door.watch(240, person)
    assert not door.ended
    assert [track.number for track in door.live] == [1]


def test_a_face_that_was_never_looked_at_is_not_fixed():
    tracker = Tracker(VerdictRule(VerdictConfig(), SCORES), fixed_faces=FixedFaces())
    for step in range(300):
        tracks = tracker.update([face_at(*POSTER)], step * STEP)  # nothing observes it: no verdict could be made
    assert [track.fixed for track in tracks] == [False]


def test_without_fixed_faces_a_still_face_is_tracked_for_good():
    tracker = Tracker(VerdictRule(VerdictConfig(), SCORES))
    for step in range(300):
        for track in tracker.update([face_at(*POSTER)], step * STEP):
            tracker.observe(track, aligned(), None)
    assert tracker.busy


def test_a_person_who_passes_before_the_poster_keeps_one_track_from_side_to_side(door):
    def passing(at: float) -> list[Face]:
        person = door.jittered(420 + 60 * at, 210)
        hidden = abs(person.box.centre[0] - POSTER[0]) < 50
        return [person] if hidden else [person, door.jittered(*POSTER)]

    door.watch(6, passing)
    assert [track.number for track in door.live] == [2]
    assert [track.number for track in door.ended] == [1]
    assert door.live[0].face.box.centre[0] > 750


def test_a_person_lost_beside_the_poster_does_not_become_the_poster(door):
    walk = lambda at: [door.jittered(480 + 60 * min(at, 1), 210), door.jittered(*POSTER)]  # noqa: E731
    door.watch(1.5, walk)
    door.watch(4, lambda _: [door.jittered(*POSTER)])
    assert [track.number for track in door.ended] == [1, 2]
    assert not door.ended[1].fixed
    assert not door.live


def test_a_person_in_front_of_the_poster_is_followed_as_a_person(door):
    sway = lambda at: [door.jittered(POSTER[0] + 9 * np.sin(at), POSTER[1] + 5, 70)]  # noqa: E731
    door.watch(60, sway)
    assert [track.number for track in door.live] == [2]


def test_a_person_who_steps_exactly_before_the_poster_and_stays_there_keeps_the_track(door):
    def arrives(at: float) -> list[Face]:
        before = max(0.0, 3 - at) * 50
        hidden = [door.jittered(*POSTER)] if before > 60 else []
        sway = 2 * np.sin(1.5 * at), np.sin(2.3 * at)  # 3 % of the face: never off the poster's place
        return [door.jittered(POSTER[0] - before + sway[0], POSTER[1] + sway[1]), *hidden]

    door.watch(14, arrives)
    assert [track.number for track in door.live] == [2]


@pytest.mark.parametrize("away", [2.0, 120.0, 12 * 3600.0])
def test_a_poster_that_was_hidden_or_in_the_dark_is_not_a_newcomer(door, away):
    if away < 1000:
        door.watch(away, lambda _: [])
    door.now += away
    door.watch(60, lambda _: [door.jittered(*POSTER)])
    assert [track.number for track in door.ended] == [1]
    assert not door.live


def test_a_place_is_forgotten_after_a_day_without_its_face(door):
    door.now += 25 * 3600
    door.watch(2, lambda _: [door.jittered(*POSTER)])
    assert [track.number for track in door.live] == [2]


def test_what_hung_still_and_moves_again_is_a_face_again(door):
    door.watch(3, lambda at: [door.jittered(POSTER[0] - 40 * at, POSTER[1])])
    assert [track.number for track in door.live] == [2]


def test_a_poster_that_the_detector_often_misses_is_fixed_all_the_same():
    door, turn = Watch(), count()
    door.watch(120, lambda _: [door.jittered(*POSTER, jitter=0.01)] if next(turn) % 40 < 20 else [])  # 4 s of every 8 s
    assert [track.fixed for track in door.ended].count(True) == 1
    assert not door.live
    ended = len(door.ended)
    door.watch(120, lambda _: [door.jittered(*POSTER, jitter=0.01)] if next(turn) % 40 < 20 else [])
    assert len(door.ended) == ended


def test_two_posters_are_both_ignored_and_a_third_face_is_not(door):
    second = (100.0, 100.0)
    door.watch(30, lambda _: [door.jittered(*POSTER), door.jittered(*second)])
    assert len(door.fixed.faces) == 2
    door.watch(2, lambda _: [door.jittered(*POSTER), door.jittered(*second), door.jittered(350, 300)])
    assert [track.face.box.centre for track in door.live] == [(350, 300)]


def test_a_poster_hung_elsewhere_takes_a_place_of_its_own_and_one_over_the_old_place_replaces_it(door):
    door.watch(30, lambda _: [door.jittered(POSTER[0] + 12, POSTER[1])])  # a fifth of its size away: straightened
    assert [round(face.box.centre[0]) for face in door.fixed.faces] == [612]


def test_stillness_needs_the_whole_time():
    still = Stillness()
    for step in range(round(15.8 / STEP)):
        still = still.add(face_at(*POSTER), step * STEP)
    assert not still.is_fixed(100)
    for step in range(round(15.8 / STEP), round(16.4 / STEP)):
        still = still.add(face_at(*POSTER), step * STEP)
    assert still.is_fixed(100)
