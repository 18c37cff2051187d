"""An alert about a stranger waits until the household's other doors were asked, and is never lost by that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.domain import Alert
from facesecure.domain.deliveries import DeliveryState
from facesecure.domain.errors import StoreError
from facesecure.domain.notices import Claim, SeenStranger
from support.notifying import NotifyingDoor
from support.store import STRANGER, known, sighting


class Board:
    """Other doors that answer what the test says; all but the first wait for ``may_answer`` where it is cleared."""

    def __init__(self, *answers: Claim | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[SeenStranger] = []
        self.confirmed: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def claim(self, seen: SeenStranger) -> Claim:
        self.asked.append(seen)
        if len(self.asked) > 1:
            self.may_answer.wait(30)
        answer = self.answers.pop(0) if self.answers else Claim()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def confirm(self, sighting: str) -> None:
        self.confirmed.append(sighting)


def test_a_stranger_whom_no_other_door_told_of_is_announced_and_confirmed(tmp_path: Path) -> None:
    board = Board()
    with NotifyingDoor(tmp_path, board) as door:
        seen = door.sees(3)
        assert [alert.text for alert in door.phone.wait_for(1, timeout=60)] == ["stranger 3"]
        door.waited(lambda: board.confirmed == [seen.identifier])
        (asked,) = board.asked
        assert asked.embedding is not None
        assert asked.camera == "front door"


def test_a_stranger_whom_another_door_told_of_is_recorded_with_the_reason(tmp_path: Path) -> None:
    with NotifyingDoor(tmp_path, Board(Claim("garage"))) as door:
        seen = door.sees(3)
        door.waited(lambda: [one.state for one in door.held()] == [DeliveryState.WITHDRAWN])
        assert door.held()[0].error == "the door garage notified"
        (told,) = door.store.outbox.history()
        assert told.alert.sighting is not None
        assert told.alert.sighting.identifier == seen.identifier
        assert door.phone.alerts == door.log.alerts == []


@pytest.mark.parametrize("then", [Claim(), OSError("a bug")])
def test_a_promise_that_another_door_does_not_keep_is_not_relied_on(
    tmp_path: Path, then: Claim | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    board = Board(Claim("garage", again_in=0.3), then)
    board.may_answer.clear()
    with NotifyingDoor(tmp_path, board) as door:
        door.sees(3)
        door.waited(lambda: len(board.asked) == 2)  # the promise was relied on until now
        assert door.phone.alerts == []
        board.may_answer.set()
        assert len(door.phone.wait_for(1, timeout=60)) == 1
    caplog.clear()


def test_a_promise_that_another_door_has_kept_ends_the_wait(tmp_path: Path) -> None:
    with NotifyingDoor(tmp_path, Board(Claim("garage", again_in=0.1), Claim("garage"))) as door:
        door.sees(3)
        door.waited(lambda: [one.state for one in door.held()] == [DeliveryState.WITHDRAWN])
        assert door.phone.alerts == []


def test_what_waits_is_decided_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facesecure.alerts.delivery.notify_once._AFTER_START", 0.0)
    monkeypatch.setattr("facesecure.alerts.delivery.notify_once.HELD_FOR", 0.1)
    with NotifyingDoor(tmp_path, Board(Claim("garage", again_in=60))) as door:
        door.sees(3)
        door.waited(lambda: len(door.held()) == 1)
        assert door.held()[0].state.open
    board = Board()
    with NotifyingDoor(tmp_path, board) as door:
        assert [alert.text for alert in door.phone.wait_for(1, timeout=60)] == ["stranger 3"]
        assert [seen.embedding for seen in board.asked] == [None]


def test_only_what_somebody_hears_is_confirmed(tmp_path: Path) -> None:
    board = Board()
    with NotifyingDoor(tmp_path, board) as door:
        door.phone.broken = True
        door.sees(3)
        door.log.wait_for(1, timeout=60)
        door.waited(lambda: [one.last_error for one in door.once._sink.reports() if one.last_error])  # type: ignore[attr-defined]
        assert board.confirmed == []


def _staged(door: NotifyingDoor) -> None:
    door.sees(3, staged=True)


def _correction(door: NotifyingDoor) -> None:
    door.sees(3, supersedes="earlier")


def _known(door: NotifyingDoor) -> None:
    door.once.send(Alert.about(sighting("visit", known("Anna")), "Anna"))


@pytest.mark.parametrize("send", [_staged, _correction, _known])
def test_drills_corrections_and_people_who_are_known_are_not_asked_about(
    tmp_path: Path, send: Callable[[NotifyingDoor], None]
) -> None:
    board = Board(Claim("garage"))
    with NotifyingDoor(tmp_path, board) as door:
        send(door)
        assert len(door.phone.wait_for(1, timeout=60)) == 1
        assert board.asked == []


def test_what_waits_is_taken_back_if_it_was_somebody_known(tmp_path: Path) -> None:
    board = Board(Claim("garage", again_in=60))
    with NotifyingDoor(tmp_path, board) as door:
        seen = door.sees(3)
        door.once.send(Alert.about(sighting("later", known("Anna"), supersedes=seen.identifier), "it was Anna"))
        door.waited(lambda: [one.state for one in door.held()] == [DeliveryState.WITHDRAWN])
        assert [alert.text for alert in door.phone.wait_for(1, timeout=60)] == ["it was Anna"]


def test_without_other_doors_nothing_waits(tmp_path: Path) -> None:
    with NotifyingDoor(tmp_path, None) as door:
        door.once.send(Alert.about(sighting("visit", STRANGER), "a stranger"))
        assert len(door.phone.wait_for(1, timeout=60)) == 1
        assert door.held() == []


def test_an_alert_that_cannot_be_written_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    board = Board(Claim("garage"))
    with NotifyingDoor(tmp_path, board) as door:

        def refuse(*_: object) -> bool:
            raise StoreError("the disk is full")

        monkeypatch.setattr(door.store.outbox, "write", refuse)
        door.sees(3)
        assert len(door.phone.wait_for(1, timeout=60)) == 1
        assert board.asked == []
        monkeypatch.undo()
    with NotifyingDoor(tmp_path, board) as door:
        assert door.phone.alerts == []
    caplog.clear()


def test_an_alert_that_only_goes_to_a_log_silences_no_other_door(tmp_path: Path) -> None:
    board = Board()
    with NotifyingDoor(tmp_path, board) as door:
        door.once.send(Alert.about(sighting("visit", STRANGER), "a stranger", channels=("log",)))
        assert len(door.log.wait_for(1, timeout=60)) == 1
        assert (board.asked, board.confirmed, door.held()) == ([], [], [])
