"""The main stream beside a sub-stream: the frame of the same moment, and no error when it is lost."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from facesecure.camera.main_stream import MainStream
from facesecure.camera.sources import ScriptedSource
from facesecure.domain.errors import SourceLost
from support.builders import frame_at
from support.camera.sources import plain


def seen(main: MainStream, count: int) -> list[int]:
    """The frames that are kept once ``count`` have come."""
    until = time.monotonic() + 30
    while time.monotonic() < until and kept(main)[-1:] != [count - 1]:
        time.sleep(0.005)
    return kept(main)


def kept(main: MainStream) -> list[int]:
    """The frames that are kept now, copied at once: the thread that reads adds to them meanwhile."""
    return [one.index for one in list(main._newest)]


def test_the_frame_of_the_same_moment_is_returned() -> None:
    with MainStream(ScriptedSource([plain()] * 6, fps=50, live=True)) as main:
        assert len(seen(main, 6)) <= 4
        for frame in list(main._newest):
            assert main.near(replace(frame_at(0.0), wall_time=frame.wall_time)) is frame


def test_there_is_none_for_another_moment() -> None:
    with MainStream(ScriptedSource([plain()] * 2, fps=50, live=True)) as main:
        seen(main, 2)
        later = main._newest[-1].wall_time + timedelta(seconds=1)
        assert main.near(replace(frame_at(0.0), wall_time=later)) is None


def test_a_main_stream_that_is_lost_is_logged_and_gives_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with MainStream(ScriptedSource([SourceLost("unplugged")], fps=50, live=True)) as main:
        main._thread.join(30)
        assert main.near(frame_at(0.0)) is None
    assert "the main stream cannot be read" in caplog.text
    assert "unplugged" in caplog.text
