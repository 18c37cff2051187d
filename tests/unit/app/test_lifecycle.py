"""The service's life, told with real signals: which daemons there were, what happened in each, what systemd heard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from facesecure.app import lifecycle
from facesecure.app.lifecycle import Supervisor
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame
from facesecure.domain.errors import ConfigError, SourceError
from facesecure.vision.images.frames import RgbImage

SECONDS = 60.0
Event = Callable[[], object]


def config(name: str) -> FacesecureConfig:
    return FacesecureConfig.model_validate({"camera": {"name": name}, "plugins": {"log": {"enabled": False}}})


class Camera:
    """Gives ``count`` frames, and then nothing until it is stopped."""

    live = True
    alive_at = float("inf")

    def __init__(self, count: int) -> None:
        self._count = count
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self._count):
            yield Frame(number, float(number), RgbImage(np.zeros((8, 8, 3), np.uint8)), datetime.now(UTC))
        assert self._stopped.wait(SECONDS), "nobody stopped the camera"


class Story:
    """``plays(daemon, daemon)``: what happens in each daemon in turn.

    A daemon is a list of events, one at every frame; or one event while it is built, and no frame.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool = False) -> None:
        self.served: list[str] = []
        self.told: list[str] = []
        self._told = threading.Condition()
        self._on_disk: FacesecureConfig | Exception = config("front door")
        self._script: list[list[Event] | Event] = []
        monkeypatch.setattr(lifecycle, "has_terminal", lambda: terminal)
        monkeypatch.setattr(lifecycle, "notify", self._hear)
        monkeypatch.setattr(lifecycle, "_end_in_time", lambda code: None)
        self.recorded: list[str] = []
        self.service = Supervisor(self._serve, self._reread, self.recorded.append)

    def plays(self, *daemons: list[Event] | Event) -> None:
        self._script = list(daemons)
        self.service.run(config("front door"))

    def reload(self, on_disk: FacesecureConfig | Exception) -> None:
        self._on_disk = on_disk
        os.kill(os.getpid(), signal.SIGHUP)

    def stop(self, number: int = signal.SIGTERM) -> None:
        os.kill(os.getpid(), number)

    def fail(self) -> None:
        raise SourceError("the camera is busy")

    def is_replaced_and_fails(self) -> None:
        self.reload(config("garden"))
        self.wait_until_ending()
        self.fail()

    def wait_until_told(self, state: str, times: int) -> None:
        with self._told:
            assert self._told.wait_for(lambda: self.told.count(state) >= times, SECONDS)

    def wait_until_ending(self) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.service.ending and time.monotonic() < deadline:
            time.sleep(0.01)

    def wait_until_reloaded(self) -> None:
        """Wait for the end of every reload that has begun: it is told of before the configuration is read."""
        for thread in threading.enumerate():
            if thread.name == "reload":
                thread.join(SECONDS)
                assert not thread.is_alive()

    def _hear(self, *states: str) -> None:
        with self._told:
            self.told += [state for state in states if not state.startswith("MONOTONIC_USEC=")]
            self._told.notify_all()

    def _reread(self) -> FacesecureConfig:
        if isinstance(self._on_disk, Exception):
            raise self._on_disk
        return self._on_disk

    def _serve(self, config: FacesecureConfig, service: Supervisor) -> None:
        self.served.append(config.camera.name)
        events = self._script.pop(0)
        if not isinstance(events, list):
            events()
            events = []
        with service.watched([(Camera(len(events)), config.camera.timeout)]) as (frames,):
            for frame in frames:
                events[frame.index]()


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    return Story(monkeypatch)


def test_sigterm_ends_it(story):
    story.plays([story.stop])
    assert story.told == ["READY=1", "STOPPING=1"]


def test_a_new_configuration_takes_the_old_ones_place(story):
    story.plays([lambda: story.reload(config("gate"))], [story.stop])
    assert story.served == ["front door", "gate"]
    assert story.told == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_a_broken_configuration_changes_nothing_and_every_problem_is_told(story, caplog):
    broken = ConfigError("two things are wrong", ("line 3: camera.fps: too low", "line 9: motion.mask: no area"))
    story.plays([lambda: story.reload(broken), lambda: story.wait_until_told("READY=1", 2), story.stop])
    assert story.served == ["front door"]
    for problem in broken.problems:
        assert problem in caplog.text
        assert problem in story.service.complaint


def test_a_complaint_ends_with_the_next_good_configuration(story):
    story.plays(
        [
            lambda: story.reload(ConfigError("one thing is wrong")),
            lambda: story.wait_until_told("READY=1", 2),
            lambda: story.reload(config("gate")),
        ],
        [story.stop],
    )
    assert story.served == ["front door", "gate"]
    assert story.service.complaint == ""


def test_whatever_a_plugin_raises_over_its_settings_the_daemon_goes_on(story):
    story.plays(
        [lambda: story.reload(ZeroDivisionError("a bug")), lambda: story.wait_until_told("READY=1", 2), story.stop]
    )
    assert "a bug" in story.service.complaint


def test_a_configuration_that_proves_wrong_in_use_gives_way_to_the_old_one(story):
    story.plays([lambda: story.reload(config("gate"))], story.fail, [story.stop])
    assert story.served == ["front door", "gate", "front door"]
    assert "the camera is busy" in story.service.complaint


def test_a_configuration_is_not_rejected_because_the_one_before_it_failed(story):
    story.plays([lambda: story.reload(config("gate"))], story.is_replaced_and_fails, [story.stop])
    assert story.served == ["front door", "gate", "garden"]
    assert story.service.complaint == ""


def test_after_two_configurations_that_fail_the_one_that_worked_is_used(story):
    story.plays([lambda: story.reload(config("gate"))], story.is_replaced_and_fails, story.fail, [story.stop])
    assert story.served == ["front door", "gate", "garden", "front door"]
    assert "the camera is busy" in story.service.complaint


def test_the_first_configuration_has_nothing_to_give_way_to(story):
    with pytest.raises(SourceError, match="the camera is busy"):
        story.plays(story.fail)


def test_what_fails_after_its_first_frame_fails_for_good(story):
    with pytest.raises(SourceError, match="the camera is busy"):
        story.plays([lambda: story.reload(config("gate"))], [lambda: None, story.fail])


def test_reloads_and_rejections_are_audited(story):
    story.plays(
        [
            lambda: (story.reload(ConfigError("no")), story.wait_until_told("READY=1", 2)),
            lambda: (story.reload(config("back door")), story.wait_until_ending()),
        ],
        [story.stop],
    )
    assert story.recorded == ["configuration-rejected", "configuration-reloaded"]


def test_an_unchanged_configuration_starts_nothing_anew(story):
    story.plays(
        [lambda: story.reload(config("front door")), lambda: story.wait_until_told("READY=1", 2), story.stop],
    )
    assert story.served == ["front door"]


def test_a_change_that_is_taken_back_while_it_is_under_way_is_not_made(story):
    def changed_and_back() -> None:
        story.reload(config("gate"))
        story.wait_until_ending()
        story.reload(config("front door"))
        story.wait_until_told("RELOADING=1", 2)
        story.wait_until_reloaded()

    story.plays([changed_and_back], [story.stop])
    assert story.served == ["front door", "front door"]


def test_sigterm_in_the_middle_of_a_change_is_the_end(story):
    def while_it_is_built() -> None:
        story.stop()
        story.wait_until_ending()

    story.plays([lambda: story.reload(config("gate"))], while_it_is_built)
    assert story.served == ["front door", "gate"]
    assert story.told[-1] == "STOPPING=1"


def test_control_c_is_passed_on_when_all_is_closed(story):
    with pytest.raises(KeyboardInterrupt):
        story.plays([lambda: story.stop(signal.SIGINT)])
    assert story.told[-1] == "STOPPING=1"


@pytest.mark.parametrize("terminal", [False, True])
def test_what_the_page_changed_is_put_to_use_and_who_asked_hears_if_it_fails_in_use(monkeypatch, terminal):
    story, heard = Story(monkeypatch, terminal=terminal), []

    def change() -> None:
        story._on_disk = config("gate")
        assert story.service.apply(heard.append)
        assert story.service.applying

    story.plays([change], story.fail, [story.stop])
    assert story.served == ["front door", "gate", "front door"]
    assert [str(error).splitlines()[0] for error in heard] == ["the camera is busy"]  # it never was ready
    assert not story.service.applying


def test_who_changed_nothing_hears_nothing_of_a_later_mistake(story):
    heard = []

    def change() -> None:
        story._on_disk = config("gate")
        story.service.apply(heard.append)

    def used() -> None:
        assert not story.service.applying
        story.reload(ConfigError("a mistake in the file"))
        story.wait_until_told("RELOADING=1", 2)
        story.wait_until_told("READY=1", 3)

    story.plays([change], [used, story.stop])
    assert heard == [None]  # that it is used


def test_a_terminal_that_is_closed_ends_it(monkeypatch):
    story = Story(monkeypatch, terminal=True)
    story.plays([lambda: story.reload(config("gate"))])
    assert story.served == ["front door"]


_STUCK = """
import logging, time
from facesecure.config import FacesecureConfig
from facesecure.app.lifecycle import Supervisor

class Camera:
    live, alive_at = True, float("inf")
    def stop(self): pass

def serve(config, service):
    with service.watched([(Camera(), 1.0)]):
        print("ready", flush=True)
        time.sleep(120)  # in a driver, say

logging.basicConfig()
Supervisor(serve).run(FacesecureConfig())
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_main_thread_that_hangs_does_not_hold_up_the_end(number, code):
    with subprocess.Popen(
        [sys.executable, "-c", _STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        began = time.monotonic()
        _, said = process.communicate(timeout=90)
    assert time.monotonic() - began < 60, "it hangs for 120 s"
    assert process.returncode == code
    assert "abandoned: MainThread" in said


def test_a_daemon_that_has_ended_is_out_of_memory_before_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Circle:
        """As a daemon is: it holds itself, so that counting references does not free it."""

        def __init__(self) -> None:
            self.itself = self

    story, ended = Story(monkeypatch), list[weakref.ref[Circle]]()
    gone = list[bool]()

    def holds_itself() -> None:
        gone.extend(one() is None for one in ended)
        ended.append(weakref.ref(Circle()))

    story.plays([holds_itself, lambda: story.reload(config("back door"))], [holds_itself, story.stop])
    assert gone == [True]
