"""Real signals to this very process."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from facesecure.app.signals import Signals


class Ear:
    """What was heard, to be waited for."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self._more = threading.Condition()

    def __call__(self, number: int) -> None:
        with self._more:
            self.heard.append(number)
            self._more.notify_all()

    def wait_for(self, count: int) -> list[int]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.heard) >= count, 60)
        return self.heard


def test_each_signal_is_heard_once_in_a_thread_of_its_own():
    ear = Ear()
    with Signals(ear) as signals:
        signals.listen()
        signals.listen()
        for count, number in enumerate((signal.SIGHUP, signal.SIGTERM, signal.SIGHUP), start=1):
            os.kill(os.getpid(), number)
            ear.wait_for(count)
    assert ear.heard == [signal.SIGHUP, signal.SIGTERM, signal.SIGHUP]


def test_a_signal_is_heard_while_the_main_thread_holds_the_lock_that_the_hearer_wants():
    lock, ear = threading.Lock(), Ear()

    def hear(number: int) -> None:
        with lock:
            ear(number)

    with Signals(hear) as signals:
        signals.listen()
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.02)
            assert ear.heard == []
        assert ear.wait_for(1) == [signal.SIGTERM]


def test_the_second_control_c_interrupts():
    ear = Ear()
    with Signals(ear) as signals:
        signals.listen()
        os.kill(os.getpid(), signal.SIGINT)
        assert ear.wait_for(1) == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            _send_and_sleep(signal.SIGINT)


def _send_and_sleep(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)


def test_everything_is_as_it_was_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    with Signals(Ear()) as signals:
        signals.listen()
        assert "signals" in names_of_threads()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before
    assert "signals" not in names_of_threads()
    assert signal.set_wakeup_fd(-1) == -1


def names_of_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_another_thread_may_use_it_and_hears_nothing():
    done = []

    def use() -> None:
        with Signals(Ear()) as signals:
            signals.listen()
            done.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGTERM)]
