"""While armed away, alerts wait a moment for somebody to disarm; a kill meanwhile loses none of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.delivery.held_alerts import HeldAlerts
from facesecure.alerts.policy.arming import Arming
from facesecure.alerts.policy.entry_delay import TRIGGERED, EntryDelay, EntryPhase
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert, AlertKind, Verdict, VerdictKind
from facesecure.domain.deliveries import ENTRY_DELAY, MQTT, DeliveryState
from facesecure.domain.errors import StoreError
from facesecure.domain.mode import Mode
from facesecure.storage.store import Store
from support.policy import FakeClock
from support.store import sighting

DELAY = 30.0


@dataclass
class House:
    """A house that is armed away; what is announced is in ``told``, by the words of the alert."""

    state: Path
    store: Store
    settings: dict[str, Any] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[Alert] = field(default_factory=list)
    hours: Mode | None = None
    """The mode by the hours of the week, where they set one."""

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the daemon, also again after a kill."""
        config = PolicyConfig.model_validate({"entry_delay": DELAY, **self.settings})
        self.arming = Arming(self.state, Mode.AWAY)
        self.delay = EntryDelay(
            config, lambda: self.hours or self.arming.armed.mode, self.arming,
            HeldAlerts(self.store.outbox, self), self, steady=self.clock.steady,
        )  # fmt: skip
        self.delay.resume()

    def send(self, alert: Alert) -> None:
        self.told.append(alert)
        self.store.outbox.write(alert, [])

    @property
    def texts(self) -> list[str]:
        return [alert.text for alert in self.told]

    def phase(self) -> EntryPhase:
        return self.delay.entry.phase

    def wait(self, seconds: float) -> None:
        self.clock.pass_time(seconds)
        self.delay.look()

    def states(self) -> dict[str, DeliveryState]:
        return {
            one.alert.text: each.status.state
            for one in self.store.outbox.history()
            for each in one.deliveries
            if each.channel == ENTRY_DELAY
        }


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store.open(tmp_path) as store:
        yield House(tmp_path, store)


def about(kind: VerdictKind, identifier: str = "s1", text: str = "", **more: Any) -> Alert:
    verdict = Verdict(kind, "because", name="Anna" if kind is VerdictKind.KNOWN else None)
    seen = replace(sighting(identifier, verdict), **{key: more.pop(key) for key in ("doubt", "supersedes", "staged")
                                                     if key in more})  # fmt: skip
    return Alert.about(seen, text or f"{kind.value} {identifier}", **more)


STRANGER, KNOWN, FACELESS = VerdictKind.STRANGER, VerdictKind.KNOWN, VerdictKind.UNIDENTIFIED


def test_a_stranger_is_announced_at_the_end_of_the_delay_and_not_before(house: House) -> None:
    house.delay.send(about(STRANGER))
    assert house.phase() is EntryPhase.PENDING
    house.wait(DELAY - 1)
    assert house.told == []
    house.wait(1)
    assert house.texts == ["stranger s1"]
    assert datetime.now(UTC) - house.told[0].created_at < timedelta(seconds=10), "it would expire unspoken"
    assert house.phase() is EntryPhase.TRIGGERED
    house.wait(TRIGGERED)
    assert house.phase() is EntryPhase.QUIET


@pytest.mark.parametrize("mode", [Mode.HOME, Mode.OFF])
def test_who_disarms_in_time_is_not_announced(house: House, mode: Mode) -> None:
    house.delay.send(about(STRANGER))
    house.clock.pass_time(DELAY - 0.1)
    house.arming.arm(mode)
    house.wait(0.1)
    house.wait(1000)
    assert house.told == []
    assert house.states() == {"stranger s1": DeliveryState.WITHDRAWN}
    assert house.phase() is EntryPhase.QUIET


def test_all_who_come_meanwhile_wait_for_the_same_end_and_nobody_afterwards(house: House) -> None:
    house.delay.send(about(STRANGER, "s1"))
    house.wait(DELAY - 1)
    house.delay.send(about(FACELESS, "s2"))
    house.wait(1)
    assert house.texts == ["stranger s1", "unidentified s2"]
    house.delay.send(about(STRANGER, "s3"))
    assert house.texts[2:] == ["stranger s3"], "the alarm is on already"


def test_known_people_cameras_drills_and_the_brokers_events_do_not_wait(house: House) -> None:
    alerts = [
        about(KNOWN), Alert(AlertKind.CAMERA, "covered"), about(STRANGER, "s2", staged=True),
        about(STRANGER, "s3", channels=(MQTT,)),
    ]  # fmt: skip
    for alert in alerts:
        house.delay.send(alert)
    assert house.told == alerts


def test_a_picture_of_somebody_waits_as_a_stranger_does(house: House) -> None:
    house.delay.send(about(KNOWN, doubt="a screen"))
    assert house.delay.entry.stranger
    house.wait(DELAY)
    assert house.texts == ["known s1"]


@pytest.mark.parametrize("mode", [Mode.HOME, Mode.OFF])
def test_at_home_nothing_waits(house: House, mode: Mode) -> None:
    house.arming.arm(mode)
    house.delay.send(about(STRANGER))
    assert house.texts == ["stranger s1"]


def test_the_household_chooses_who_waits(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        house = House(tmp_path, store, {"entry_delay_for": ["known"]})
        house.delay.send(about(KNOWN))
        house.delay.send(about(STRANGER, "s2"))
        assert house.texts == ["stranger s2"]
        assert not house.delay.entry.stranger


def test_the_end_of_the_away_hours_disarms_nobody(house: House) -> None:
    house.arming.arm(Mode.HOME)
    house.hours = Mode.AWAY
    house.delay.send(about(STRANGER))
    house.hours = Mode.HOME
    house.wait(DELAY)
    assert house.texts == ["stranger s1"]


def test_a_stranger_who_turns_out_to_be_somebody_known_is_not_announced(house: House) -> None:
    house.delay.send(about(STRANGER, "s1"))
    house.delay.send(about(KNOWN, "s2", supersedes="s1"))
    house.wait(DELAY)
    assert house.texts == ["known s2"]
    assert house.states() == {"stranger s1": DeliveryState.WITHDRAWN}


def test_a_picture_that_is_held_up_takes_no_strangers_alert_back(house: House) -> None:
    house.delay.send(about(STRANGER, "s1"))
    house.delay.send(about(KNOWN, "s2", supersedes="s1", doubt="a screen"))
    house.wait(DELAY)
    assert house.texts == ["known s2"], "it waited in the stranger's place, and warns of the picture"


def test_the_event_for_the_broker_takes_nothing_back(house: House) -> None:
    house.delay.send(about(STRANGER, "s1"))
    house.delay.send(about(KNOWN, "s2", supersedes="s1", channels=(MQTT,)))
    house.wait(DELAY)
    assert house.texts == ["known s2", "stranger s1"]


def test_what_waits_when_it_is_killed_waits_on_and_is_sent_once(house: House) -> None:
    house.delay.send(about(STRANGER))
    house.start()
    assert house.phase() is EntryPhase.PENDING
    house.wait(DELAY + 1)
    house.start()
    assert house.texts == ["stranger s1"]


def test_what_was_sent_and_not_marked_before_the_kill_has_the_same_name_again(house: House) -> None:
    alert = about(STRANGER)
    house.delay.send(alert)
    HeldAlerts(None, house).release(alert)
    house.start()
    house.wait(DELAY + 1)
    assert len({one.identifier for one in house.told}) == 1, "so the outbox sends it once"


@pytest.mark.parametrize("mode", [Mode.HOME, Mode.OFF])
def test_who_disarms_while_it_is_not_running_is_heeded(house: House, mode: Mode) -> None:
    house.delay.send(about(STRANGER))
    house.arming.arm(mode, lambda: datetime.now(UTC) + timedelta(seconds=1))
    house.start()
    assert house.told == []
    assert house.states() == {"stranger s1": DeliveryState.WITHDRAWN}


def test_a_planted_mode_takes_nothing_back(house: House) -> None:
    house.delay.send(about(STRANGER))
    house.arming.path.write_text('{"version": 1, "mode": "off", "since": "2099-01-01T00:00:00+00:00"}')
    house.start()
    house.wait(DELAY + 1)
    assert house.texts == ["stranger s1"]


def test_a_clock_that_was_set_makes_nothing_wait_longer_or_be_lost(house: House) -> None:
    house.delay.send(about(STRANGER))
    for hours in (3, -6):
        house.clock.set_wall(hours=hours)
        house.wait(DELAY / 3)
    assert house.told == []
    house.wait(DELAY / 3 + 0.1)
    assert house.texts == ["stranger s1"]


def test_what_cannot_be_written_is_not_held_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    write = house.store.outbox.write

    def refuse(alert: Alert, planned: Any) -> bool:
        if planned:
            raise StoreError("the disk is full", "free some space")
        return write(alert, planned)

    monkeypatch.setattr(house.store.outbox, "write", refuse)
    house.delay.send(about(STRANGER))
    assert house.texts == ["stranger s1"]
