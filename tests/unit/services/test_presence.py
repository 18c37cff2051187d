"""Arm when everybody has left, disarm when the first one comes home: only if wanted, and only by what is certain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.policy.arming import Armed
from facesecure.config.presence import PresenceConfig
from facesecure.domain.errors import UsageError
from facesecure.domain.mode import Mode
from facesecure.domain.presence import Whereabouts
from facesecure.services.presence import Presence
from facesecure.services.presence_file import FILE_NAME, PresenceFile
from support.policy import FakeClock

HOME, AWAY, UNKNOWN = Whereabouts.HOME, Whereabouts.AWAY, Whereabouts.UNKNOWN
DELAY = 300.0


@dataclass
class House:
    """A house of Anna and Tom with its presence; ``did`` says what presence has done."""

    state: Path
    settings: dict[str, Any] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    armed: Armed = field(default_factory=lambda: Armed(Mode.HOME))
    did: list[str] = field(default_factory=list)
    broker_gone: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start, also again after a kill."""
        both = {"arm": True, "disarm": True}
        config = PresenceConfig.model_validate({"people": ["Anna", "Tom"], **both, **self.settings})
        self.presence = Presence(config, self, PresenceFile(self.state, self.clock), self.clock)
        self.presence.broker_gone = lambda: self.broker_gone

    @property
    def mode(self) -> Mode:
        return self.armed.mode

    def everybody_left(self) -> None:
        self.did.append("armed")
        self.arm(Mode.AWAY)

    def came_home(self, name: str) -> None:
        self.did.append(f"disarmed for {name}")
        self.arm(Mode.HOME)

    def arm(self, mode: Mode) -> None:
        self.armed = Armed(mode, self.clock.now())

    def both(self, where: Whereabouts) -> None:
        self.presence.report("Anna", where)
        self.presence.report("Tom", where)

    def wait(self, seconds: float) -> None:
        self.clock.pass_time(seconds)
        self.presence.look()

    def left(self) -> None:
        """Everybody leaves, and it is armed."""
        self.both(HOME)
        self.both(AWAY)
        self.wait(DELAY)
        assert self.did == ["armed"]
        self.did.clear()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_it_is_armed_when_everybody_has_been_away_long_enough(house: House) -> None:
    house.presence.report("Anna", AWAY)
    house.wait(DELAY)
    house.presence.report("Tom", AWAY)
    house.wait(DELAY - 1)
    assert (house.did, house.presence.arms_in) == ([], 1)
    house.wait(1)
    assert house.did == ["armed"]
    house.wait(10 * DELAY)
    assert house.did == ["armed"]


def test_who_comes_back_in_between_ends_the_wait(house: House) -> None:
    house.both(AWAY)
    house.wait(DELAY - 1)
    house.presence.report("Anna", HOME)
    house.presence.report("Anna", AWAY)
    house.wait(DELAY - 1)
    assert house.did == []


def test_the_first_who_comes_home_disarms_and_the_second_changes_nothing(house: House) -> None:
    house.left()
    house.presence.report("Tom", HOME)
    assert house.did == ["disarmed for Tom"]
    house.arm(Mode.AWAY)
    house.presence.report("Anna", HOME)
    assert house.did == ["disarmed for Tom"], "what was set by hand holds: somebody was at home"


def test_by_default_presence_does_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, {"arm": False, "disarm": False})
    house.both(AWAY)
    house.wait(DELAY)
    house.arm(Mode.AWAY)
    house.presence.report("Anna", HOME)
    assert house.did == []


def test_off_is_never_left(house: House) -> None:
    house.arm(Mode.OFF)
    house.both(AWAY)
    house.wait(DELAY)
    house.both(HOME)
    assert (house.did, house.mode) == ([], Mode.OFF)


def test_what_is_set_by_hand_holds_until_presence_changes_next(house: House) -> None:
    house.both(AWAY)
    house.wait(DELAY - 1)
    house.arm(Mode.HOME)  # the babysitter
    house.wait(10 * DELAY)
    assert house.did == []
    house.presence.report("Anna", HOME)
    house.presence.report("Anna", AWAY)
    house.wait(DELAY)
    assert house.did == ["armed"]


@pytest.mark.parametrize("before", [HOME, AWAY, UNKNOWN])
def test_an_unknown_state_neither_arms_nor_disarms(house: House, before: Whereabouts) -> None:
    house.presence.report("Anna", AWAY)
    house.presence.report("Tom", before)
    house.presence.report("Tom", UNKNOWN)
    house.wait(10 * DELAY)
    assert house.did == []
    house.arm(Mode.AWAY)
    house.presence.report("Tom", HOME)
    assert house.did == [], "it was never certain that nobody was there"


def test_a_phone_that_is_lost_on_the_way_keeps_it_armed(house: House) -> None:
    house.left()
    house.both(UNKNOWN)
    house.wait(DELAY)
    assert (house.did, house.mode) == ([], Mode.AWAY)
    house.presence.report("Anna", HOME)
    assert house.did == ["disarmed for Anna"]


def test_what_lay_on_the_broker_never_disarms(house: House) -> None:
    house.left()
    house.presence.note("Anna", HOME, fresh=False)
    house.wait(1)
    assert house.did == []
    house.presence.note("Anna", HOME, fresh=True)
    house.wait(1)
    assert (house.did, house.mode) == ([], Mode.AWAY), "that she is there was known, and is nothing new"


def test_a_restart_does_nothing_by_itself(house: House) -> None:
    house.left()
    house.start()
    house.wait(10 * DELAY)
    assert house.did == []
    assert [one.where for one in house.presence.people] == [AWAY, AWAY]
    house.presence.report("Anna", HOME)
    assert house.did == ["disarmed for Anna"]


def test_a_restart_while_everybody_leaves_begins_the_wait_anew(house: House) -> None:
    house.both(AWAY)
    house.wait(DELAY - 1)
    with house.presence:
        pass
    house.start()
    house.wait(0)
    house.wait(DELAY - 1)
    assert house.did == []
    house.wait(1)
    assert house.did == ["armed"]


def test_nobody_leaves_while_the_broker_is_gone(house: House) -> None:
    house.both(AWAY)
    house.broker_gone = True
    house.wait(DELAY)
    house.broker_gone = False
    house.wait(DELAY - 1)
    assert house.did == []
    house.wait(1)
    assert house.did == ["armed"]


def test_what_was_heard_long_ago_is_unknown(house: House) -> None:
    house.presence.report("Tom", AWAY)
    house.clock.pass_time(timedelta(days=8).total_seconds())
    house.presence.report("Anna", AWAY)
    house.wait(DELAY)
    assert house.did == []
    assert house.presence.people[1].where is UNKNOWN


def test_a_clock_that_was_set_changes_nothing(house: House) -> None:
    house.both(AWAY)
    for days in (30, -60):
        house.clock.set_wall(days=days)
        house.wait(DELAY / 2 - 1)
    assert house.did == []
    house.wait(2)
    assert house.did == ["armed"]


def test_after_a_reboot_with_the_clock_back_what_was_heard_is_unknown(house: House) -> None:
    house.left()
    house.clock.boot, house.clock.seconds = "second", 20.0
    house.clock.set_wall(days=-400)
    house.start()
    assert [one.where for one in house.presence.people] == [UNKNOWN, UNKNOWN]
    house.wait(DELAY)
    assert house.did == []


def test_the_file_holds_no_name_and_one_of_somebody_elses_is_refused(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.left()
    path = house.state / FILE_NAME
    assert b"nna" not in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"away", b"home"))
    house.start()
    assert [one.where for one in house.presence.people] == [UNKNOWN, UNKNOWN]
    assert "nothing is known of who is at home" in caplog.text


def test_a_flood_of_messages_writes_the_disk_now_and_then(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = list[object]()
    monkeypatch.setattr(PresenceFile, "save", lambda _, memory: saved.append(memory))
    house.start()
    for number in range(2000):
        house.presence.note("Anna", HOME if number % 2 else AWAY, fresh=True)
        house.wait(0.1)
    assert 5 < len(saved) < 12, "in 200 seconds"


def test_who_is_not_in_the_configuration_is_refused(house: House) -> None:
    with pytest.raises(UsageError, match="'Berta' is not in"):
        house.presence.report("Berta", HOME)
    house.presence.note("Berta", HOME, fresh=True)
    house.wait(1)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"people": ["Anna", "ANNA"]}, "names somebody twice"),
        ({"people": ["Anna"], "topics": {"Tom": "a/b"}}, "not one of the people"),
        ({"people": ["Anna", "Tom"], "topics": {"Anna": "a/b", "Tom": "a/b"}}, "same topic for two"),
        ({"people": ["Anna"], "topics": {"Anna": "a/#"}}, "pattern"),
        ({"people": ["Anna"], "topics": {"Anna": "$SYS/x"}}, "pattern"),
        ({"people": ["Anna"], "away_words": ["home"]}, "cannot have home"),
        ({"people": ["Anna"], "leave_delay": 1}, "greater than or equal to 10"),
    ],
)
def test_mistakes_in_the_configuration_are_found(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        PresenceConfig.model_validate(settings)
