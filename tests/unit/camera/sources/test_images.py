"""Folders of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.camera.sources import open_source, probe
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
from support.camera.sources import BLUE, ORANGE, plain, write_picture

CAMERA = CameraConfig(fps=5)


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write_picture(tmp_path / f"img{number}.png", plain((number * 10,) * 3))
    shades = [int(frame.image[0, 0, 0]) for frame in open_source(f"dir:{tmp_path}", CAMERA).frames()]
    assert shades == [10, 20, 100]


def test_colours_are_rgb_and_time_follows_the_rate(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", plain(ORANGE))
    write_picture(tmp_path / "b.png", plain(BLUE))
    frames = list(open_source(f"dir:{tmp_path}", CAMERA).frames())
    assert [tuple(frame.image[0, 0]) for frame in frames] == [ORANGE, BLUE]
    assert [frame.taken_at for frame in frames] == pytest.approx([0.0, 0.2])


def test_what_is_no_picture_is_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_picture(tmp_path / "good.png", plain())
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "notes.txt").write_text("not even tried")
    (tmp_path / ".hidden.jpg").write_text("nor this")
    assert len(list(open_source(f"dir:{tmp_path}", CAMERA).frames())) == 1
    assert "text.jpg is not an image" in caplog.text
    assert "notes" not in caplog.text
    assert "hidden" not in caplog.text


def test_an_empty_folder_is_an_error_that_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no image in") as caught:
        list(open_source(f"dir:{tmp_path}", CAMERA).frames())
    assert ".jpg" in str(caught.value.hint)


def test_a_folder_of_nothing_readable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(SourceError, match="none of the 1 images"):
        probe(f"dir:{tmp_path}", CAMERA)
