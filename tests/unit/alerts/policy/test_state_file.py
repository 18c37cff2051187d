"""Notifications are remembered across a restart; if in doubt, an alert is sent again."""

import json
import time
from dataclasses import dataclass, field, replace

import pytest

from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.alerts.policy.timer import PolicyTimer
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert
from facesecure.storage.store import Store
from facesecure.util.clock import SystemClock
from support.policy import Door

ANNA = "Anna is at the front door"


@pytest.fixture
def door(tmp_path):
    """A door whose sightings are kept in a real store."""
    with Store.open(tmp_path / "state") as store:
        yield DoorWithStore(config=PolicyConfig(known_cooldown=300, stranger_cooldown=120), store=store,
                            memory=PolicyStateFile(tmp_path / "state", store))  # fmt: skip


@dataclass
class DoorWithStore(Door):
    store: Store = field(kw_only=True)

    def comes(self, sighting) -> list[str]:
        if not sighting.closing:
            self.store.record(sighting)
        return super().comes(sighting)

    def restart(self, seconds: float = 5.0) -> None:
        """The daemon ends well and starts again."""
        self.policy.save(at_once=True)
        self.clock.pass_time(seconds)
        self.open()

    def reboot(self, *, wall: float) -> None:
        """The machine starts anew: its steady clock from nought, the other ``wall`` seconds later."""
        self.policy.save(at_once=True)
        self.clock.boot, self.clock.seconds = "second", 20.0
        self.clock.set_wall(seconds=wall)
        self.open()


def test_nobody_is_told_of_again_because_the_daemon_was_restarted(door):
    door.comes(door.known())
    door.comes(door.stranger(1))
    door.comes(door.unidentified())
    door.restart()
    assert door.comes(door.known()) == []
    assert door.comes(door.stranger(1, 1)) == []
    assert door.comes(door.unidentified()) == []


def test_a_restart_makes_no_cool_down_longer(door):
    door.comes(door.known())
    door.wait(200)
    door.restart(seconds=100)
    assert door.comes(door.known()) == [ANNA]


def test_somebody_new_is_told_of_after_a_restart_too(door):
    door.comes(door.stranger(1))
    door.restart()
    assert len(door.comes(door.stranger(2))) == 1


def test_what_was_held_back_before_a_restart_is_counted_after_it(door):
    door.comes(door.known())
    door.comes(door.known())
    door.restart(300)
    assert door.comes(door.known()) == [f"{ANNA} (one earlier alert was held back)"]


def test_a_clock_that_was_set_between_two_starts_of_the_daemon_changes_nothing(door):
    door.comes(door.known())
    door.clock.set_wall(days=-30)
    door.restart()
    assert door.comes(door.known()) == []
    door.clock.set_wall(days=60)
    door.restart(300)
    assert len(door.comes(door.known())) == 1


def test_a_machine_that_was_restarted_goes_by_the_time_of_day(door):
    door.comes(door.known())
    door.comes(door.stranger(1))
    door.reboot(wall=150)
    assert door.comes(door.known()) == []
    assert len(door.comes(door.stranger(1, 1))) == 1


def test_a_machine_that_woke_with_its_clock_behind_tells_once_too_often_rather_than_not_at_all(door):
    door.comes(door.known())
    door.reboot(wall=-3600)
    assert door.comes(door.known()) == [ANNA]


def test_a_machine_that_woke_with_its_clock_ahead_does_too(door):
    door.comes(door.known())
    door.reboot(wall=86400 * 400)
    assert door.comes(door.known()) == [ANNA]


def test_somebody_renamed_meanwhile_is_somebody_else(door):
    door.comes(door.known("Anna"))
    door.restart()
    assert door.comes(door.known("Tom")) == ["Tom is at the front door"]


def test_a_sighting_that_is_gone_from_the_store_is_forgotten(door, tmp_path):
    door.comes(door.known())
    door.policy.save(at_once=True)
    with Store.open(tmp_path / "empty") as empty:
        door.memory = PolicyStateFile(tmp_path / "state", empty)
        door.open()
        assert len(Door.comes(door, door.known())) == 1


def test_neither_a_name_nor_a_face_is_in_the_file_and_it_is_for_its_owner_only(door, tmp_path):
    door.comes(door.known("Annabella"))
    door.comes(door.stranger(1))
    door.policy.save(at_once=True)
    path = tmp_path / "state" / "told.json"
    assert b"Annabella" not in path.read_bytes()
    assert len(path.read_bytes()) < 1000
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_camera_in_trouble_before_a_restart_is_believed_to_be_so_after_it(door):
    door.camera("offline")
    door.restart()
    assert door.camera("offline") == []
    door.camera("back")
    assert door.wait(60) == ["The camera is back (one earlier alert was held back)"]


def test_a_daemon_killed_before_its_alert_was_handed_on_tells_it_again(door):
    door.comes(door.known())
    door.policy.save()
    door.open()  # killed at once: nothing of the first was written
    assert door.comes(door.known()) == [ANNA]
    door.policy.save()
    door.policy.save()  # a second later
    door.open()
    assert door.comes(door.known()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff", b'{"version": 1}', b'{"version": 9}', b'{"version": 1, "boot": "first", "told": 7}',
     b'{"version": 1, "boot": "first", "told": [{"kind": "dog"}], "camera": {}}',
     b'{"version": 1, "boot": "x", "steady": 1, "wall": "yesterday", "told": [], "camera": {}}',
     b'{"version": 1, "boot": "x", "steady": 1, "wall": "2026-05-01T12:00:00", "told": [], "camera": {}}'],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_no_memory(door, tmp_path, content):
    (tmp_path / "state" / "told.json").write_bytes(content)
    door.open()
    assert door.comes(door.known()) == [ANNA]


def test_a_disk_that_takes_nothing_is_complained_of_once(door, monkeypatch, caplog):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facesecure.storage.signed_documents.write_durably", full)
    for name in ("Anna", "Tom", "Mia"):
        door.comes(door.known(name))
        door.policy.save(at_once=True)
    assert caplog.text.count("No space left on device") == 1


def test_nothing_is_written_while_nothing_happens(door, tmp_path):
    door.comes(door.known())
    door.policy.save(at_once=True)
    (tmp_path / "state" / "told.json").unlink()
    door.policy.save(at_once=True)
    assert not (tmp_path / "state" / "told.json").exists()


def test_the_machines_clocks_are_what_they_should_be():
    clock = SystemClock()
    assert len(clock.boot) == 36
    before = clock.steady()
    time.sleep(0.01)
    assert 0.01 <= clock.steady() - before < 5
    assert clock.now().tzinfo is not None


def test_the_ticker_tells_what_is_due_and_writes_it_down(tmp_path):
    with Store.open(tmp_path / "state") as store:
        door = Door(PolicyConfig(camera_settle=1), memory=PolicyStateFile(tmp_path / "state", store))
        sent: list[Alert] = []

        class Sink:
            def send(self, alert: Alert) -> None:
                sent.append(alert)

        door.camera("offline")
        door.camera("back")
        with PolicyTimer(door.policy, Sink(), every=0.01):
            door.clock.pass_time(2)
            deadline = time.monotonic() + 5
            while not sent and time.monotonic() < deadline:
                time.sleep(0.01)
        assert [alert.text for alert in sent] == ["The camera is back"]
        kept = json.loads((tmp_path / "state" / "told.json").read_bytes())
        assert kept["cameras"]["front door"]["believed"] == ""


def test_a_closing_sighting_is_compared_after_a_restart_by_its_better_faces(door):
    first = door.stranger(None)
    door.comes(first)
    better = replace(first, faces=door.stranger(1).faces, closing=True)
    door.store.update(better)
    door.comes(better)
    door.restart()
    assert door.comes(door.stranger(1, 1)) == []
