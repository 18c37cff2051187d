"""Small picture folders for tests of data sets: each picture is one flat colour, so that a test can tell them apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def colour_picture(path: Path, value: int, size: tuple[int, int] = (20, 20)) -> Path:
    """A PNG of ``size`` (h, w), all of it RGB (value, 255 - value, 7)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.full((*size, 3), (value, 255 - value, 7), np.uint8)
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def class_folder(root: Path, counts: dict[str, int]) -> Path:
    """``root``/NAME/NAME_1.png, ...; the n-th picture of all has the value n."""
    value = 0
    for name, count in counts.items():
        for number in range(1, count + 1):
            colour_picture(root / name / f"{name}_{number}.png", value)
            value += 1
    return root
