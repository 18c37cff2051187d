"""The household's rules, quiet hours and away hours decide which channels are notified."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from facesecure.alerts.policy.rules import warn_of_unknown
from facesecure.config.policy import PolicyConfig
from facesecure.domain.mode import Mode
from support.policy import CHANNELS, Door, FakeClock, rules

PARIS = ZoneInfo("Europe/Paris")
SILENT = ("log", "notify")
"""Those in use who do not speak aloud."""


def paris(text: str) -> FakeClock:
    return FakeClock(datetime.fromisoformat(text).replace(tzinfo=PARIS))


def at(text: str, config: PolicyConfig, mode: Mode = Mode.HOME) -> Door:
    """A door in Paris, when the clock there shows ``text``."""
    return Door(config, mode, PARIS, clock=paris(text))


def heard(door: Door, sighting) -> object:
    """Who is told of ``sighting``: None for everybody, nobody for nobody."""
    before = len(door.alerts)
    door.comes(sighting)
    return "nobody" if len(door.alerts) == before else door.alerts[-1].channels


NIGHT = PolicyConfig(quiet=["22:00-07:00"])


def test_in_quiet_hours_only_a_stranger_is_said_aloud_and_messages_come_all_the_same():
    door = at("2026-05-05T23:30", NIGHT)
    assert heard(door, door.known()) == SILENT
    assert heard(door, door.unidentified()) == SILENT
    assert heard(door, door.stranger()) is None
    door.camera("offline")
    assert door.alerts[-1].channels == SILENT


def test_when_the_quiet_hours_are_over_everybody_hears_of_everybody():
    door = at("2026-05-05T07:00", NIGHT)
    assert heard(door, door.known()) is None


def test_quiet_hours_change_nothing_where_nobody_speaks_aloud():
    door = Door(NIGHT, zone=PARIS, clock=paris("2026-05-05T23:30"), channels=("log", "notify"))
    assert heard(door, door.known()) is None


def test_a_household_may_name_its_own_plugins_that_speak():
    door = Door(NIGHT.model_copy(update={"aloud": ["bell"]}), zone=PARIS, clock=paris("2026-05-05T23:30"),
                channels=("log", "bell"))  # fmt: skip
    assert heard(door, door.known()) == ("log",)


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
@pytest.mark.parametrize(("time", "quiet"), [("00:30", True), ("04:30", True), ("06:59", True), ("07:00", False)])
def test_nights_when_the_clocks_change_are_quiet_till_seven(night, time, quiet):
    door = at(f"{night}T{time}", NIGHT)
    assert door.policy.quiet is quiet
    assert heard(door, door.known()) == (SILENT if quiet else None)


def test_quiet_hours_follow_the_clock_on_the_wall_when_it_is_set():
    door = at("2026-05-05T21:00", NIGHT)
    assert not door.policy.quiet
    door.clock.set_wall(hours=2)
    assert door.policy.quiet


# Rules ----------------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_fits_wins():
    door = Door(rules(
        {"when": {"verdict": "known", "name": "Anna"}, "channels": ["notify"]},
        {"when": {"verdict": "known"}, "channels": "none"},
        {"channels": ["log"]},
    ))  # fmt: skip
    assert heard(door, door.known("anna")) == ("notify",)
    assert heard(door, door.known("Tom")) == "nobody"
    assert heard(door, door.stranger()) == ("log",)


def test_what_a_rule_leaves_out_is_as_without_it():
    config = rules({"when": {"verdict": "known"}, "cooldown": 10}, quiet=["22:00-07:00"])
    door = at("2026-05-05T23:30", config)
    assert heard(door, door.known()) == SILENT
    door.wait(10)
    assert heard(door, door.known()) == SILENT


def test_a_rule_may_say_that_everybody_hears_of_it_even_at_night():
    door = at("2026-05-05T23:30", rules({"when": {"name": "Anna"}, "channels": "all"}, quiet=["22:00-07:00"]))
    assert heard(door, door.known("Anna")) is None
    assert heard(door, door.known("Tom")) == SILENT


def test_a_rule_may_have_hours_of_its_own_or_go_by_the_quiet_ones():
    config = rules(
        {"when": {"verdict": "known", "between": ["Mon-Fri 15:00-17:00"]}, "say": "{name} is home from school"},
        {"when": {"verdict": "stranger", "quiet": True}, "say": "Wake up! A stranger is {where}"},
        quiet=["22:00-07:00"],
    )
    door = at("2026-05-05T16:00", config)
    assert door.comes(door.known()) == ["Anna is home from school"]
    assert door.comes(door.stranger()) == ["A stranger is at the front door"]
    saturday_night = at("2026-05-09T23:00", config)
    assert saturday_night.comes(saturday_night.known()) == ["Anna is at the front door"]
    assert saturday_night.comes(saturday_night.stranger()) == ["Wake up! A stranger is at the front door"]


def test_a_rule_is_for_the_modes_it_names_and_never_for_off_unless_it_says_so():
    config = rules(
        {"when": {"verdict": "known", "mode": "away"}, "say": "{name} came home"},
        {"when": {"verdict": "stranger", "mode": "off"}, "channels": ["log"]},
        {"when": {"verdict": "unidentified"}, "channels": ["notify"]},
    )
    away, home, off = (Door(config, mode) for mode in (Mode.AWAY, Mode.HOME, Mode.OFF))
    assert away.comes(away.known()) == ["Anna came home"]
    assert home.comes(home.known()) == ["Anna is at the front door"]
    assert heard(off, off.stranger()) == ("log",)
    assert heard(off, off.unidentified()) == "nobody"


def test_a_rule_whose_plugins_are_not_in_use_loses_no_alarm_and_is_warned_of(caplog):
    door = Door(rules({"when": {"verdict": "stranger"}, "channels": ["pager"]}))
    assert heard(door, door.stranger()) is None
    assert "rule 1: pager is not in use" in caplog.text


def test_a_rule_about_somebody_who_is_not_enrolled_is_warned_of(caplog):
    warn_of_unknown(rules({"when": {"name": ["Ana", "Tom", "Zoe"]}, "channels": "none"}), ["Anna", "tom"])
    assert [record.getMessage() for record in caplog.records] == [
        "policy rule 1 is about Ana, who is not enrolled; did you mean 'Anna'?",
        "policy rule 1 is about Zoe, who is not enrolled",
    ]


def test_a_rule_may_name_a_plugin_for_which_another_stands_in():
    door = Door(rules({"channels": ["google_home"]}), channels=("log", "speaker"))
    assert heard(door, door.stranger()) == ("google_home",)


def test_whoever_only_stands_in_is_not_told_for_its_own_sake_in_quiet_hours():
    config = NIGHT.model_copy(update={"aloud": ["google_home"]})
    door = at("2026-05-05T23:30", config)
    assert heard(door, door.known()) == SILENT


# Camera and service, disarmed -----------------------------------------------------------------------------------------


def test_disarmed_troubles_of_camera_and_service_go_to_the_log_alone():
    door = Door(mode=Mode.OFF)
    door.camera("offline")
    door.service("disk_full")
    assert [alert.channels for alert in door.alerts] == [("log",), ("log",)]


def test_disarmed_without_a_log_nobody_is_told():
    door = Door(mode=Mode.OFF, channels=("google_home",))
    assert door.camera("offline") == door.service("disk_full") == []


def test_a_rule_may_be_about_the_camera():
    door = at("2026-05-05T23:30", rules({"when": {"verdict": "camera", "mode": "away"}, "channels": "all"},
                                        quiet=["22:00-07:00"]), Mode.AWAY)  # fmt: skip
    door.camera("covered")
    assert door.alerts[-1].channels is None


# Away by the hours ----------------------------------------------------------------------------------------------------

OFFICE = PolicyConfig(away=["Mon-Fri 09:00-17:00"])


@pytest.mark.parametrize(
    ("time", "mode"),
    [
        ("2026-05-05T08:59", Mode.HOME),
        ("2026-05-05T09:00", Mode.AWAY),
        ("2026-05-05T16:59", Mode.AWAY),
        ("2026-05-05T17:00", Mode.HOME),
        ("2026-05-09T12:00", Mode.HOME),
    ],
)
def test_at_home_becomes_away_by_the_hours_and_back(time, mode):
    assert at(time, OFFICE).policy.mode is mode


def test_off_stays_off_and_away_stays_away_whatever_the_hours():
    assert at("2026-05-05T12:00", OFFICE, Mode.OFF).policy.mode is Mode.OFF
    assert at("2026-05-05T20:00", OFFICE, Mode.AWAY).policy.mode is Mode.AWAY


def test_what_was_armed_by_hand_since_the_hours_began_holds_until_they_begin_again():
    door = at("2026-05-05T12:00", OFFICE)
    assert door.policy.mode is Mode.AWAY
    door.arm(Mode.HOME)
    assert door.policy.mode is Mode.HOME
    door.clock.pass_time(24 * 3600)
    assert door.policy.mode is Mode.AWAY


def test_what_was_armed_by_hand_before_gives_way_to_the_hours():
    door = at("2026-05-05T08:00", OFFICE)
    door.arm(Mode.HOME)
    door.clock.pass_time(2 * 3600)
    assert door.policy.mode is Mode.AWAY


def test_a_clock_set_back_after_arming_by_hand_does_not_undo_it():
    door = at("2026-05-05T12:00", OFFICE)
    door.arm(Mode.HOME)
    door.clock.set_wall(hours=-2)
    assert door.policy.mode is Mode.HOME


# Words ----------------------------------------------------------------------------------------------------------------


def test_every_sentence_that_is_ever_spoken_is_known_beforehand():
    config = rules(
        {"when": {"name": ["Anna", "Nobody Yet"]}, "say": "{name} is back {where}"},
        {"when": {"verdict": ["stranger", "unidentified"], "mode": "away"}, "say": "Who is at the {place}?"},
        known_cooldown=0, stranger_cooldown=0, unidentified_cooldown=0, camera_cooldown=0, service_cooldown=0,
    )  # fmt: skip
    names = ["Anna", "Tom"]
    for mode in Mode:
        door = Door(config, mode)
        beforehand = door.policy.sentences(names)
        assert len(beforehand) == len(set(beforehand))
        for who in (*map(door.known, names), door.stranger(), door.unidentified()):
            door.comes(who)
            door.alerts += door.policy.rehearse(who) if who.verdict.kind != "known" else []
        first = door.stranger(5)
        door.comes(first)
        door.comes(door.known("Tom", instead_of=first))
        for trouble in ("offline", "frozen", "covered", "moved", "back"):
            door.camera(trouble)
        door.service("restored")
        assert {alert.speech for alert in door.alerts} <= set(beforehand)
    assert "Anna is back at the front door" in beforehand
    assert "Tom is back at the front door" not in beforehand
    assert "Nobody Yet is back at the front door" not in beforehand


def test_all_channels_are_told_by_default():
    assert len(CHANNELS) == 4
    door = Door()
    assert heard(door, door.stranger()) is None
