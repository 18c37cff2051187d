"""Generate small videos and images for tests of sources."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np

from facesecure.domain import Frame, Image

WIDTH, HEIGHT, RATE = 160, 120, 25

ORANGE = (230, 120, 40)
BLUE = (30, 60, 200)


def plain(colour: tuple[int, int, int] = ORANGE, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image:
    """One colour, RGB."""
    return np.full((size[1], size[0], 3), colour, np.uint8)


def scene(number: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image:
    """A grey porch with an orange square that walks to the right, four pixels a frame."""
    image = plain((90, 90, 90), size)
    left = (4 * number) % (size[0] - 40)
    image[40:80, left : left + 40] = ORANGE
    return image


def write_video(
    path: Path,
    images: list[Image],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rate: int = RATE,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode ``images`` (RGB, all of one size) into ``path``; the container follows from its extension."""
    with av.open(str(path), "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}) as container:
        stream = cast("Any", container.add_stream(codec, rate=rate, options=options or {}))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def walk(path: Path, count: int = 25, **how: Any) -> Path:
    """Write a video of ``count`` scenes."""
    return write_video(path, [scene(number) for number in range(count)], **how)


def write_picture(path: Path, image: Image) -> Path:
    """Save an RGB image in the format of the extension."""
    assert cv2.imwrite(str(path), image[:, :, ::-1])
    return path


def first(source: Any, count: int) -> list[Frame]:
    """Return the first ``count`` frames of a source, and release it."""
    with closing(source.frames()) as frames:
        return list(islice(frames, count))


@contextmanager
def stopped_when(source: Any, true: Callable[[], object]) -> Iterator[None]:
    """Within the block, another thread stops ``source`` as soon as it comes ``true``, or after a minute."""

    def watch() -> None:
        deadline = time.monotonic() + 60
        while not true() and time.monotonic() < deadline:
            time.sleep(0.01)
        source.stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    watcher.join()


def noise(
    seed: int, level: float, size: tuple[int, int], spread: float
) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Endless luma planes of ``level`` with Gaussian sensor noise of standard deviation ``spread``."""
    random = np.random.default_rng(seed)
    while True:
        yield np.clip(random.normal(level, spread, (size[1], size[0])), 0, 255).astype(np.uint8)


def pixel(image: Image, row: int, column: int) -> tuple[int, ...]:
    """Return one pixel's channels as Python numbers, which do not overflow when compared."""
    return tuple(int(channel) for channel in image[row, column])
