"""Small data sets for tests: images of one flat colour each, and videos and photos of two real people."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from facesecure.camera.synthetic.video_writer import VideoWriter
from support.faces import on_canvas, portrait, scaled


def colour_picture(path: Path, value: int, size: tuple[int, int] = (20, 20)) -> Path:
    """A PNG of ``size`` (h, w), all of it RGB (value, 255 - value, 7)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.full((*size, 3), (value, 255 - value, 7), np.uint8)
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def class_folder(root: Path, counts: dict[str, int]) -> Path:
    """``root``/NAME/NAME_1.png, ...; the n-th image of all has the value n."""
    value = 0
    for name, count in counts.items():
        for number in range(1, count + 1):
            colour_picture(root / name / f"{name}_{number}.png", value)
            value += 1
    return root


def walk_film(path: Path, who: str, frames: int = 12, still: bool = False) -> Path:
    """A video (640x480, 10 frames a second) of a person who comes nearer, step by step, or stands still."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, (640, 480), 10.0, crf=18, preset="ultrafast") as film:
        for index in range(frames):
            step = 0 if still else index
            figure = scaled(portrait(who), 0.5 + 0.02 * step)
            film.write(on_canvas(figure, 20 + 9 * step, 40, 640 + 400, 480 + 400)[:480, :640])
    return path


def photo(path: Path, who: str, light: float = 1.0, quality: int = 95) -> Path:
    """A JPEG of a person's portrait at a given brightness."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lit = np.clip(scaled(portrait(who), 0.6) * light, 0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), lit[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


def two_people(root: Path) -> Path:
    """Class folders with two videos and a photo of one person, a video and a photo of another."""
    walk_film(root / "grace" / "monday.mp4", "grace_hopper")
    walk_film(root / "grace" / "deep" / "tuesday.mp4", "grace_hopper", 10)
    photo(root / "grace" / "portrait.jpg", "grace_hopper")
    walk_film(root / "eileen" / "door.mp4", "eileen_collins")
    photo(root / "eileen" / "portrait.jpg", "eileen_collins")
    (root / "grace" / "notes.txt").write_text("nothing to see")
    return root
