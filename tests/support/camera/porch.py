"""Films of a porch to which somebody comes, encoded as cameras do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

from facesecure.domain import Image

RATE = 10
SIZE = (320, 192)
STEP = 12
"""Pixels that the visitor walks to the right from frame to frame."""
WIDTH = 40
"""Pixels of the visitor's width."""

IPPP = {"preset": "ultrafast", "tune": "zerolatency", "bf": "0", "sc_threshold": "0", "crf": "24"}
WITH_B = {"preset": "veryfast", "bf": "3", "sc_threshold": "0", "crf": "24"}


def porch(seconds: float, comes: float) -> Iterator[Image]:
    """Yield frames of a porch with a little noise; at the second ``comes`` somebody dark begins to walk across it."""
    random = np.random.default_rng(3)
    place = np.kron(random.integers(90, 200, (24, 40, 3)), np.ones((8, 8, 1)))
    for number in range(round(seconds * RATE)):
        image = place.copy()
        walked = number - round(comes * RATE)
        if walked >= 0:
            left = STEP * walked % (SIZE[0] - WIDTH)
            image[48:176, left : left + WIDTH] = 30
        yield np.clip(image + random.normal(0, 1.0, image.shape), 0, 255).astype(np.uint8)


def encode(path: Path, images: Iterable[Image], distance: float, options: dict[str, str], codec: str) -> Path:
    """Write ``images`` to ``path`` with key frames ``distance`` seconds apart."""
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream(codec, rate=RATE, options=options))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = max(1, round(distance * RATE))
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
