import logging
import threading

import pytest

from facesecure.config import StoreConfig
from facesecure.errors import StoreError
from facesecure.housekeeping import Housekeeper


class Shelf:
    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures, self.rounds, self.done = failures, 0, threading.Event()
        self.error = error or StoreError("the disk is gone")

    def prune(self, config):
        self.rounds += 1
        if self.rounds <= self.failures:
            raise self.error
        if self.rounds >= self.failures + 2:
            self.done.set()


def test_it_prunes_again_and_again_while_it_is_open():
    shelf = Shelf()
    with Housekeeper(shelf, StoreConfig(), first=0.001, every=0.001):
        assert shelf.done.wait(5)
    rounds = shelf.rounds
    assert rounds >= 2
    assert not [thread for thread in threading.enumerate() if thread.name == "housekeeping"]


@pytest.mark.parametrize(
    "error", [StoreError("the disk is gone"), OSError(30, "Read-only file system"), KeyError("a mistake")]
)
def test_a_failure_is_said_and_the_next_round_comes_all_the_same(error, caplog):
    shelf = Shelf(1, error)
    with caplog.at_level(logging.WARNING), Housekeeper(shelf, StoreConfig(), first=0.001, every=0.001):
        assert shelf.done.wait(5)
    assert str(error) in caplog.text


def test_closing_does_not_wait_for_the_hour_to_pass():
    with Housekeeper(Shelf(), StoreConfig()):
        pass
    assert not [thread for thread in threading.enumerate() if thread.name == "housekeeping"]
