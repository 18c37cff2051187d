"""Scenes for liveness, drawn with random texture, and a household whose Anna is in films, live and on a screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Face, Frame
from facesecure.recognition.liveness.antispoof import MODELS
from facesecure.vision.inference import model_registry
from support.builders import face_at, frame_at
from support.service.commandline import CommandLine

WIDTH, HEIGHT, FACE = 640, 480, 100


def texture(seed: int, height: int, width: int, grain: int = 12) -> NDArray[np.uint8]:
    """Colourful blobs of ``grain`` pixels, uint8 RGB."""
    blobs = np.random.default_rng(seed).integers(40, 230, (height // grain + 1, width // grain + 1, 3))
    return np.asarray(cv2.resize(blobs.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def scene(seconds: float, x: int, y: int, cut: float, light: float = 1.0) -> tuple[Frame, Face]:
    """Draw a face around (x, y) with what moves with it: ``cut`` times the face's size. The rest stays where it is."""
    image = texture(1, HEIGHT, WIDTH)
    half = round(cut * FACE / 2)
    image[y - half : y + half, x - half : x + half] = texture(2, 2 * half, 2 * half, 9)
    return frame_at(seconds, round(seconds * 10), (image * light).astype(np.uint8)), face_at(x, y, FACE)


def visit(cut: float, steps: int = 10, light: float = 1.0) -> Iterator[tuple[Frame, Face]]:
    """A face that sways for ``steps`` frames: a head (``cut`` 1.3) or a picture with its own background (2.8)."""
    for step in range(steps):
        yield scene(step * 0.15, 300 + 9 * (step % 3), 240 + 5 * (step % 2), cut, light)


HEAD, PICTURE = 1.3, 2.8


def shaken(seconds: float, dx: int, dy: int) -> tuple[Frame, Face]:
    """The scene of a person who stands still, taken by a camera that moved by so many pixels."""
    frame, _ = scene(0, 300, 240, HEAD)
    return frame_at(seconds, round(seconds * 10), np.roll(frame.image, (dy, dx), (0, 1))), face_at(
        300 + dx, 240 + dy, FACE
    )


def enrol_anna(facesecure: CommandLine, shared_data: Path) -> None:
    """Let the household know Anna, of the films in ``spoof``, and pull both networks."""
    (facesecure.state / "models").mkdir(parents=True)
    for name, file in zip(MODELS, sorted((shared_data / "models" / "antispoof").iterdir()), strict=True):
        (facesecure.state / "models" / model_registry.remote_file(name).name).write_bytes(file.read_bytes())
        model_registry.pull(name, facesecure.state)
    assert facesecure("enroll", "Anna", "--video", str(shared_data / "spoof" / "a-live.mp4")).code == 0
