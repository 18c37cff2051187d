from facesecure.domain import Subject
from facesecure.pipeline.presence import PresenceDetector


def reported(
    presence: PresenceDetector, moving: list[bool], face_at: set[int] = frozenset(), every: float = 0.5
) -> list[int]:
    return [
        step
        for step, moves in enumerate(moving)
        if (episode := presence.update(step * every, moving=moves, faces={7} if step in face_at else ()))
        and not episode.faces
    ]


def test_long_movement_without_a_face_is_told_once_when_it_is_over():
    assert reported(PresenceDetector(3.0), [False] + [True] * 10 + [False] * 20) == [15]


def test_a_short_movement_is_not_worth_telling():
    assert reported(PresenceDetector(3.0), [True] * 4 + [False] * 20) == []


def test_movement_with_a_face_in_it_is_the_tracks_to_tell():
    assert reported(PresenceDetector(3.0), [True] * 10 + [False] * 20, face_at={5}) == []


def test_somebody_who_does_not_leave_is_told_all_the_same_and_once():
    assert reported(PresenceDetector(3.0), [True] * 100) == [30]


def test_two_visits_are_two_episodes():
    assert len(reported(PresenceDetector(3.0), ([True] * 10 + [False] * 10) * 2)) == 2


def test_nothing_is_told_when_it_is_turned_off():
    presence = PresenceDetector(0)
    assert reported(presence, [True] * 50 + [False] * 10) == []
    assert presence.finish() is None


def test_the_end_of_the_source_ends_the_episode():
    presence = PresenceDetector(3.0)
    reported(presence, [True] * 10)
    episode = presence.finish()
    assert episode is not None
    assert episode.moving > 3


def episodes(presence: PresenceDetector, moving: list[bool], faces: dict[int, set[int]], fixed_at: int) -> list:
    """Every episode that is due, with the step; track 1 turns out to be fixed at ``fixed_at``."""
    due = []
    for step, moves in enumerate(moving):
        fixed = {1} if step == fixed_at else ()
        episode = presence.update(step * 0.5, moving=moves, faces=faces.get(step, set()), fixed=fixed)
        due += [(step, episode)] if episode is not None else []
    return due


def always(numbers: set[int], until: int, since: int = 0) -> dict[int, set[int]]:
    return dict.fromkeys(range(since, until), numbers)


def test_a_fixed_face_explains_no_movement_that_is_going_on():
    ((step, episode),) = episodes(PresenceDetector(3.0), [True] * 60, always({1}, 40), fixed_at=40)
    assert step == 40
    assert not episode.faces
    assert episode.started == 0


def test_movement_beside_a_face_is_due_when_it_is_over_and_names_the_face():
    moving = [False] * 4 + [True] * 10 + [False] * 30
    ((step, episode),) = episodes(PresenceDetector(3.0), moving, always({1}, 44), fixed_at=99)
    assert step == 18
    assert episode.faces == {1}
    assert (episode.started, episode.last_moved) == (2.0, 6.5)  # of the movement, however long the face was there


def test_beside_a_fixed_face_another_one_still_explains_the_movement():
    faces = {step: {1, 2} if 10 <= step < 12 else {1} for step in range(20)}
    ((_, episode),) = episodes(PresenceDetector(3.0), [True] * 20 + [False] * 20, faces, fixed_at=20)
    assert episode.faces == {2}


def test_a_face_seen_just_before_the_movement_explains_it_and_an_earlier_one_does_not():
    moving = [False] * 20 + [True] * 10 + [False] * 20
    (one,) = episodes(PresenceDetector(3.0), moving, always({2}, 17), fixed_at=99)
    assert one[1].faces == {2}
    (other,) = episodes(PresenceDetector(3.0), moving, always({2}, 15), fixed_at=99)
    assert not other[1].faces


def seen(presence: PresenceDetector, subjects: list[Subject | None], faces: dict[int, set[int]] | None = None) -> list:
    """Every episode that is due while something moves all the time, twice a second, as (step, subject)."""
    due = []
    for step, subject in enumerate(subjects):
        episode = presence.update(step * 0.5, moving=True, faces=(faces or {}).get(step, ()), subject=subject)
        due += [(step, episode.subject)] if episode is not None and not episode.faces else []
    return due


def test_what_was_seen_to_move_is_told_with_the_movement():
    assert seen(PresenceDetector(3.0), [None, Subject.NOTHING] + [Subject.ANIMAL] * 40) == [(30, Subject.ANIMAL)]


def test_of_several_the_person_is_told():
    mixed = [Subject.ANIMAL] * 10 + [Subject.VEHICLE] * 5 + [Subject.PERSON] * 20
    assert seen(PresenceDetector(3.0), mixed) == [(30, Subject.PERSON)]


def test_a_person_who_comes_into_leaves_that_move_all_day_is_told_and_so_is_the_next():
    leaves, person = [Subject.NOTHING] * 100, [Subject.PERSON] * 20
    due = seen(PresenceDetector(3.0), leaves + person + leaves + person + leaves)
    assert [subject for _, subject in due if subject is Subject.PERSON] == [Subject.PERSON] * 2
    assert due[0] == (30, Subject.NOTHING)


def test_a_person_who_has_left_is_told_at_once():
    assert seen(PresenceDetector(3.0), [Subject.PERSON] * 10 + [Subject.NOTHING] * 5) == [(10, Subject.PERSON)]


def test_a_face_explains_no_person_who_comes_after_it_has_left():
    person, left = [Subject.PERSON] * 10, [Subject.NOTHING] * 10
    assert seen(PresenceDetector(3.0), person + left + person + left, {3: {1}}) == [(30, Subject.PERSON)]
