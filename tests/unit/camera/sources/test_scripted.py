"""The fake camera."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources import ScriptedSource
from facesecure.camera.sources.scripted import NEW_YEAR
from facesecure.domain.errors import SourceError, SourceLost
from facesecure.vision.images.frames import RgbImage
from support.camera.sources import first, plain


def test_scenes_come_at_the_rate_asked_for_from_the_start_given() -> None:
    frames = list(ScriptedSource([plain(), RgbImage(plain()), plain()], fps=4).frames())
    assert [frame.taken_at for frame in frames] == [0, 0.25, 0.5]
    assert frames[2].wall_time == NEW_YEAR + timedelta(seconds=0.5)


def test_a_number_lets_time_pass_without_a_frame() -> None:
    frames = list(ScriptedSource([plain(), 10.0, plain()], fps=10).frames())
    assert frames[1].taken_at == pytest.approx(10.1)


def test_an_error_in_the_script_is_raised_there() -> None:
    source = ScriptedSource([plain(), SourceLost("unplugged"), plain()])
    with pytest.raises(SourceLost, match="unplugged"):
        list(source.frames())
    assert (source.opened, source.closed) == (1, 1)


def test_live_time_really_passes() -> None:
    began = time.monotonic()
    first(ScriptedSource([plain()] * 4, fps=50, live=True), 4)
    assert time.monotonic() - began >= 0.06


def test_an_empty_script_cannot_be_probed() -> None:
    with pytest.raises(SourceError):
        ScriptedSource([]).probe()


def test_only_a_live_script_may_lose_frames() -> None:
    for live in (False, True):
        with LatestFrame(ScriptedSource([plain()] * 10, fps=200, live=live)) as latest:
            for _ in latest:
                if live:
                    latest._thread.join(30)  # until all have come
        assert (latest.dropped > 0) == live
