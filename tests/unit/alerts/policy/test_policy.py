"""Visitors at the door: which are notified, when, and which are suppressed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesecure.config.policy import PolicyConfig
from facesecure.domain import AlertKind
from facesecure.domain.mode import Mode
from support.policy import Door, rules
from support.visitors import faces

ANNA = "Anna is at the front door"
STRANGER = "A stranger is at the front door"
SOMETHING = "Somebody or something was at the front door"


def test_each_verdict_has_its_words_its_picture_and_its_kind():
    door = Door()
    assert door.comes(door.known()) == [ANNA]
    assert door.comes(door.stranger()) == [STRANGER]
    assert door.comes(door.unidentified()) == [SOMETHING]
    assert [alert.kind for alert in door.alerts] == [AlertKind.KNOWN, AlertKind.STRANGER, AlertKind.UNIDENTIFIED]
    assert {str(alert.snapshot_path) for alert in door.alerts} == {"picture.jpg"}
    assert {alert.channels for alert in door.alerts} == {None}


def test_a_sighting_is_told_once_and_its_end_not_at_all():
    door = Door()
    first = door.stranger()
    assert door.comes(first) == [STRANGER]
    assert door.comes(replace(first, closing=True)) == []


def test_plugins_are_not_given_the_faces():
    door = Door()
    seen = door.stranger(1)
    door.comes(seen)
    assert seen.faces
    assert door.alerts[0].sighting.faces == ()
    assert door.alerts[0].sighting.identifier == seen.identifier


# Cool-downs -----------------------------------------------------------------------------------------------------------


def test_somebody_told_of_a_moment_ago_is_not_told_of_again_until_the_cool_down_is_over():
    door = Door(PolicyConfig(known_cooldown=300))
    assert door.comes(door.known()) == [ANNA]
    door.wait(299)
    assert door.comes(door.known()) == []
    door.wait(1)
    assert door.comes(door.known()) == [f"{ANNA} (one earlier alert was held back)"]


def test_what_was_held_back_is_counted_for_the_eye_and_not_for_the_ear():
    door = Door(PolicyConfig(stranger_cooldown=60))
    for visit in range(4):
        door.comes(door.stranger(1, visit))
    door.wait(60)
    door.comes(door.stranger(1, 4))
    told = door.alerts[-1]
    assert (told.text, told.speech, told.held_back) == (f"{STRANGER} (3 earlier alerts were held back)", STRANGER, 3)


def test_the_count_begins_anew_with_each_message():
    door = Door(PolicyConfig(known_cooldown=10))
    door.comes(door.known())
    door.comes(door.known())
    door.wait(10)
    door.comes(door.known())
    door.wait(10)
    assert door.comes(door.known()) == [ANNA]


def test_a_cool_down_runs_from_what_was_told_so_that_somebody_who_stays_is_told_of_again_and_again():
    door = Door(PolicyConfig(stranger_cooldown=100))
    told = 0
    for visit in range(30):
        told += len(door.comes(door.stranger(1, visit)))
        door.wait(20)
    assert told == 6


def test_a_cool_down_of_nought_tells_always():
    door = Door(PolicyConfig(known_cooldown=0))
    assert [len(door.comes(door.known())) for _ in range(3)] == [1, 1, 1]


def test_a_cool_down_is_each_visitors_own_however_they_come_one_between_the_other():
    door = Door()
    people = ["Anna", "Tom", "Mia"]
    assert [len(door.comes(door.known(name))) for name in people * 3] == [1, 1, 1] + [0] * 6
    assert [len(door.comes(door.stranger(person, visit))) for visit in range(3) for person in (1, 2, 3)] == (
        [1, 1, 1] + [0] * 6
    )
    assert [len(door.comes(door.unidentified())) for _ in range(3)] == [1, 0, 0]


def test_a_name_is_the_same_however_it_is_written():
    door = Door()
    door.comes(door.known("Zoé"))
    assert door.comes(door.known("ZOE\u0301")) == []


def test_a_second_stranger_is_told_at_once_in_the_middle_of_the_firsts_cool_down():
    door = Door()
    door.comes(door.stranger(1))
    door.comes(door.stranger(1, 1))
    assert door.comes(door.stranger(2)) == [STRANGER]


def test_a_stranger_whose_face_cannot_be_compared_is_always_somebody_new():
    door = Door()
    door.comes(door.stranger(1))
    assert door.comes(door.stranger(None)) == [STRANGER]
    assert door.comes(door.stranger(None)) == [STRANGER]
    assert door.comes(door.stranger(1, 1, model="another model")) == [STRANGER]


def test_a_stranger_seen_better_at_the_end_of_the_visit_is_known_again_by_that():
    door = Door()
    first = door.stranger(None)
    door.comes(first)
    door.comes(replace(first, faces=faces(1), closing=True))
    assert door.comes(door.stranger(1, 1)) == []


def test_what_was_held_back_of_a_stranger_who_went_away_is_counted_with_the_next_stranger():
    door = Door(PolicyConfig(stranger_cooldown=60))
    door.comes(door.stranger(1))
    door.comes(door.stranger(1, 1))
    door.comes(door.stranger(2))
    assert door.alerts[-1].held_back == 0, "the first may still come again"
    door.wait(60)
    door.comes(door.stranger(3))
    assert door.alerts[-1].held_back == 1
    door.comes(door.stranger(1, 2))
    assert door.alerts[-1].held_back == 0, "counted already"


def test_thirty_barrages_say_one_thing_for_each_visitor_each_time():
    door = Door(PolicyConfig(known_cooldown=60, stranger_cooldown=60, unidentified_cooldown=60))
    for barrage in range(30):
        said = []
        for visit in range(5):
            said += door.comes(door.known())
            said += door.comes(door.stranger(1, 5 * barrage + visit))
            said += door.comes(door.unidentified())
        assert len(said) == 3, said
        door.wait(61)
    assert sum(alert.held_back for alert in door.alerts) == 29 * 12


events = st.lists(
    st.tuples(st.sampled_from(["Anna", "Tom", 1, 2, 3, 4, None]), st.floats(0, 200), st.floats(-4000, 4000)),
    max_size=25,
)


@settings(max_examples=60)
@given(events=events)
def test_nobody_new_is_ever_held_back_whatever_comes_and_however_the_clock_jumps(events):
    door = Door()
    seen: dict[object, float] = {}
    for visit, (who, pause, jump) in enumerate(events):
        door.clock.pass_time(pause)
        door.clock.set_wall(seconds=jump)
        sighting = door.known(who) if isinstance(who, str) else door.stranger(who, visit)
        told = bool(door.comes(sighting))
        long_ago = door.clock.steady() - seen.get(who, float("-inf")) >= (300 if isinstance(who, str) else 120)
        if who is None or long_ago:
            assert told, f"{who} was held back"
        if told:
            seen[who] = door.clock.steady()


steps = st.lists(
    st.tuples(st.sampled_from(["Anna", "Tom", 1, 2]), st.booleans(), st.sampled_from([0.0, 50.0, 150.0, 400.0])),
    max_size=20,
)


@settings(max_examples=60)
@given(steps=steps)
def test_whatever_is_put_right_nobody_is_left_untold_and_every_mistake_told_is_taken_back(steps):
    """Each step is a visitor, or (True) the correction of the sighting before."""
    door, stood = Door(), {}  # stood: who stands as told, by which sighting, and when
    last, last_who, last_told = None, None, False
    for visit, (who, corrects, pause) in enumerate(steps):
        door.clock.pass_time(pause)
        wrong = last if corrects and who != last_who else None
        seen = (
            door.known(who, instead_of=wrong) if isinstance(who, str) else door.stranger(who, visit, instead_of=wrong)
        )
        before = len(door.alerts)
        door.comes(seen)
        told = {alert.sighting.identifier: alert for alert in door.alerts[before:]}
        if wrong is not None:
            stood = {key: value for key, value in stood.items() if value[0] != wrong.identifier}
            assert ("orrection" in told[seen.identifier].text) if last_told else True
        since = door.clock.steady() - stood[who][1] if who in stood else float("inf")
        assert since < (300 if isinstance(who, str) else 120) or seen.identifier in told, f"{who} was left untold"
        for alert in told.values():
            person = alert.sighting.verdict.name or next(key for key in (who, last_who) if not isinstance(key, str))
            stood[person] = (alert.sighting.identifier, door.clock.steady())
        last, last_who, last_told = seen, who, seen.identifier in told


def test_the_clock_on_the_wall_may_jump_both_ways_and_no_cool_down_gets_longer_or_shorter():
    door = Door(PolicyConfig(known_cooldown=300))
    door.comes(door.known())
    door.clock.set_wall(days=400)
    assert door.comes(door.known()) == []
    door.clock.set_wall(days=-900)
    assert door.comes(door.known()) == []
    door.wait(300)
    assert len(door.comes(door.known())) == 1


# Corrections ----------------------------------------------------------------------------------------------------------


def test_a_mistake_that_was_told_is_always_put_right():
    door = Door()
    door.comes(door.known())
    wrong = door.stranger()
    door.comes(wrong)
    assert door.comes(door.known(instead_of=wrong)) == ["Correction: Anna is at the front door"]


def test_a_mistake_that_was_not_told_needs_no_correction_but_the_truth_is_told_if_it_is_new():
    door = Door()
    door.comes(door.known())
    wrong = door.known()
    assert door.comes(wrong) == []
    assert door.comes(door.stranger(instead_of=wrong)) == [STRANGER]
    door.wait(300)
    assert door.comes(door.known()) == [ANNA], "the mistake does not count as one of Anna's"


def test_a_mistake_that_was_not_told_and_turns_out_to_be_somebody_just_told_of_is_held_back_too():
    door = Door()
    door.comes(door.known("Anna"))
    door.comes(door.known("Tom"))
    wrong = door.known("Anna")
    door.comes(wrong)
    assert door.comes(door.known("Tom", instead_of=wrong)) == []


def test_whoever_was_only_told_of_by_mistake_is_told_of_when_they_really_come():
    door = Door()
    wrong = door.known("Anna")
    door.comes(wrong)
    door.comes(door.stranger(instead_of=wrong))
    assert door.comes(door.known("Anna")) == [ANNA]


def test_whoever_was_held_back_because_of_a_mistake_is_told_of_with_the_correction():
    door = Door()
    wrong = door.known("Anna")
    door.comes(wrong)
    real = door.known("Anna")
    assert door.comes(real) == []
    assert door.comes(door.stranger(instead_of=wrong)) == ["Correction: a stranger is at the front door", ANNA]
    assert door.alerts[-1].sighting.identifier == real.identifier


def test_a_correction_may_be_corrected():
    door = Door()
    first = door.stranger()
    door.comes(first)
    second = door.known(instead_of=first)
    door.comes(second)
    assert door.comes(door.stranger(instead_of=second)) == ["Correction: a stranger is at the front door"]


def test_a_mistake_is_put_right_even_when_the_same_visitor_was_rightly_told_of_since():
    door = Door(PolicyConfig(known_cooldown=10))
    wrong = door.known("Anna")
    door.comes(wrong)
    door.wait(10)
    door.comes(door.known("Anna"))
    assert door.comes(door.stranger(instead_of=wrong)) == ["Correction: a stranger is at the front door"]
    assert door.comes(door.known("Anna")) == [], "the second time it was her"


def test_a_correction_reaches_whoever_heard_the_mistake():
    door = Door(rules({"when": {"verdict": "known"}, "channels": ["notify"]}, quiet=["00:00-24:00"]))
    wrong = door.known()
    door.comes(wrong)
    door.comes(door.stranger(instead_of=wrong))
    assert door.alerts[-1].channels is None, "strangers are told to everybody"
    wrong = door.stranger(2)
    door.comes(wrong)
    door.comes(door.known("Tom", instead_of=wrong))
    assert door.alerts[-1].channels is None, "and so is that it was none"


def test_a_mistake_told_before_it_was_disarmed_is_still_put_right():
    door = Door()
    wrong = door.known()
    door.comes(wrong)
    door.arm(Mode.OFF)
    assert door.comes(door.stranger(instead_of=wrong)) == ["Correction: a stranger is at the front door"]


def test_the_own_words_of_a_rule_are_not_taken_for_a_correction():
    door = Door(rules({"when": {"verdict": "known"}, "say": "{name} is back"}))
    wrong = door.stranger()
    door.comes(wrong)
    assert door.comes(door.known(instead_of=wrong)) == ["Correction: Anna is at the front door"]
    assert door.comes(door.known("Tom")) == ["Tom is back"]


# Modes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.HOME, Mode.AWAY])
def test_armed_at_home_and_away_tell_of_everybody(mode):
    door = Door(mode=mode)
    assert [len(door.comes(seen)) for seen in (door.known(), door.stranger(), door.unidentified())] == [1, 1, 1]


def test_disarmed_nobody_is_told_of_anybody_and_nothing_is_counted():
    door = Door(mode=Mode.OFF)
    assert [door.comes(seen) for seen in (door.known(), door.stranger(), door.unidentified())] == [[], [], []]
    door.arm(Mode.HOME)
    assert door.comes(door.stranger()) == [STRANGER]


def test_arming_acts_on_the_next_visitor():
    door = Door()
    door.arm(Mode.OFF)
    assert door.comes(door.stranger(1)) == []
    door.arm(Mode.AWAY)
    assert door.comes(door.stranger(1, 1)) == [STRANGER]


# Drills ---------------------------------------------------------------------------------------------------------------


def test_a_drill_says_that_it_is_one_is_never_held_back_and_leaves_no_trace():
    door = Door(mode=Mode.OFF)
    for visit in range(3):
        (alert,) = door.policy.rehearse(door.stranger(1, visit))
        assert alert.text == "This is a drill. A stranger is at the front door"
    door.arm(Mode.HOME)
    assert door.comes(door.stranger(1, 4)) == [STRANGER]
