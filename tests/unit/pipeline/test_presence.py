from facesecure.pipeline.presence import PresenceDetector


def reported(
    presence: PresenceDetector, moving: list[bool], face_at: set[int] = frozenset(), every: float = 0.5
) -> list[int]:
    return [
        step
        for step, moves in enumerate(moving)
        if presence.update(step * every, moving=moves, face=step in face_at) is not None
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
