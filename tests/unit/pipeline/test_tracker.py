import pytest

from facesecure.config import VerdictConfig
from facesecure.domain import VerdictKind
from facesecure.pipeline.tracker import Tracker, identification_queue
from facesecure.recognition.decision import VerdictRule
from support.builders import SCORES, aligned, face_at, looks_like


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(VerdictRule(VerdictConfig(), SCORES), max_gap=1.0)


def numbers(tracks) -> list[int]:
    return [track.number for track in tracks]


def test_a_face_that_walks_by_keeps_its_number(tracker):
    for step in range(20):
        tracks = tracker.update([face_at(100 + 30 * step, 100)], step * 0.2)
        assert numbers(tracks) == [1]


def test_a_face_may_take_a_large_first_step_but_then_moves_as_expected(tracker):
    tracker.update([face_at(100, 100, 40)], 0.0)
    assert numbers(tracker.update([face_at(165, 100, 40)], 0.2)) == [1]
    assert numbers(tracker.update([face_at(230, 100, 40)], 0.4)) == [1]
    assert numbers(tracker.update([face_at(360, 100, 40)], 0.6)) == [1, 2]


def test_a_face_that_grows_keeps_its_number(tracker):
    for step in range(12):
        assert numbers(tracker.update([face_at(300, 300, 40 * 1.15**step)], step * 0.2)) == [1]


def test_a_face_keeps_its_number_through_a_short_gap(tracker):
    tracker.update([face_at(100, 100)], 0.0)
    assert numbers(tracker.update([], 0.3)) == [1]
    assert numbers(tracker.update(None, 0.5)) == [1]
    assert numbers(tracker.update([face_at(110, 100)], 0.8)) == [1]


def test_after_a_long_gap_the_track_ends_once_and_a_new_face_gets_a_new_number(tracker):
    tracker.update([face_at(100, 100)], 0.0)
    (ended,) = tracker.update(None, 1.5)
    assert ended.ended
    assert tracker.update(None, 1.6) == []
    assert not tracker.busy
    assert numbers(tracker.update([face_at(100, 100)], 1.7)) == [2]


def test_two_faces_side_by_side_keep_their_own_numbers(tracker):
    for step in range(10):
        tracks = tracker.update([face_at(400 - 5 * step, 100), face_at(100 + 5 * step, 100)], step * 0.2)
    first, second = tracks
    assert first.face.box.centre[0] > second.face.box.centre[0]


def test_two_people_who_cross_are_told_apart_by_where_they_were_going(tracker):
    for step in range(21):
        right, left = face_at(100 + 20 * step, 100), face_at(500 - 20 * step, 130)
        tracks = tracker.update([right, left], step * 0.2)
    assert numbers(tracks) == [1, 2]
    assert tracks[0].face.box.centre[0] > tracks[1].face.box.centre[0]


def test_a_face_far_away_is_somebody_else(tracker):
    tracker.update([face_at(100, 100)], 0.0)
    assert numbers(tracker.update([face_at(600, 100)], 0.2)) == [1, 2]


def test_a_skipped_frame_lets_time_go_on_without_making_a_track_fresh(tracker):
    tracker.update([face_at(100, 100)], 0.0)
    (track,) = tracker.update(None, 0.1)
    assert not track.fresh
    assert not track.wants_identity
    assert track.now == 0.1


def test_a_new_track_wants_to_be_identified(tracker):
    (track,) = tracker.update([face_at(100, 100)], 0.0)
    assert track.wants_identity


def recognised(tracker: Tracker, times: int, every: float = 0.3):
    for step in range(times):
        (track,) = tracker.update([face_at(100, 100)], step * every)
        track = tracker.observe(track, aligned(), looks_like(Tom=0.80))
    return track, (times - 1) * every


def test_a_sure_track_is_left_alone_until_it_is_seen_better(tracker):
    track, at = recognised(tracker, 4)
    assert track.verdict.kind is VerdictKind.KNOWN
    (same,) = tracker.update([face_at(100, 100)], at + 0.2)
    assert not same.wants_identity
    (better,) = tracker.update([face_at(100, 100, 140)], at + 0.4)
    assert better.wants_identity


def test_even_a_sure_track_is_asked_again_after_a_while(tracker):
    _, at = recognised(tracker, 4)
    for step in range(1, 12):
        (track,) = tracker.update([face_at(100, 100)], at + 0.2 * step)
    assert track.wants_identity


def test_an_alarm_is_doubted_sooner_than_a_name(tracker):
    for step in range(4):
        (track,) = tracker.update([face_at(100, 100)], step * 0.3)
        track = tracker.observe(track, aligned(), looks_like(Tom=0.0))
    assert track.verdict.kind is VerdictKind.STRANGER
    (soon,) = tracker.update([face_at(100, 100)], 0.9 + 0.2)
    assert not soon.wants_identity
    (later,) = tracker.update([face_at(100, 100)], 0.9 + 0.6)
    assert later.wants_identity


def test_a_face_not_seen_lately_is_not_followed_at_full_pace_but_keeps_its_number(tracker):
    tracker.update([face_at(100, 100)], 0.0)
    assert tracker.busy
    tracker.update([], 0.7)
    assert not tracker.busy
    assert numbers(tracker.update([face_at(100, 100)], 0.9)) == [1]


def test_what_was_observed_stays_with_the_track(tracker):
    track, at = recognised(tracker, 3)
    (later,) = tracker.update(None, at + 0.1)
    assert later.evidence == track.evidence
    assert later.verdict == track.verdict


def test_a_face_too_poor_to_ask_about_is_counted_as_refused(tracker):
    (track,) = tracker.update([face_at(100, 100)], 0.0)
    track = tracker.observe(track, aligned(reasons=("too dark",)), None)
    assert track.evidence.refused == 1
    assert "too dark" in track.verdict.why


def test_at_the_end_of_the_source_every_track_ends(tracker):
    tracker.update([face_at(100, 100), face_at(400, 100)], 0.0)
    assert [track.ended for track in tracker.finish()] == [True, True]
    assert not tracker.busy


def crowd(count: int):
    return [face_at(200 * number, 100) for number in range(count)]


def test_in_a_crowd_everybody_is_asked_in_turn_and_nobody_twice_before(tracker):
    asked = list[int]()
    for step in range(7):
        tracks = tracker.update(crowd(100), 0.2 * step)
        turn = identification_queue(tracks)
        assert len(turn) <= 16
        asked += [
            tracker.observe(track, aligned(), looks_like(Tom=0.1)).number for track in tracks if track.number in turn
        ]
    assert sorted(set(asked)) == list(range(1, 101))
    assert len(asked) - len(set(asked)) < 16


def test_a_crowd_that_has_gone_ends_a_few_at_a_time_and_each_once(tracker):
    tracker.update(crowd(100), 0.0)
    ended = [[track.number for track in tracker.update([], 2.0 + step) if track.ended] for step in range(8)]
    assert max(map(len, ended)) == 16
    assert sorted(number for frame in ended for number in frame) == list(range(1, 101))
