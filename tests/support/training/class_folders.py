"""Training images that every machine has: the two public-domain portraits, framed and lit in many ways."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from support.faces import NAMES, portrait


def rendered(root: Path, each: int = 12, side: int = 64, seed: int = 1) -> Path:
    """``root``/NAME/NUMBER.png of both people, ``each`` times; uint8 images of ``side`` pixels about their faces."""
    chance = np.random.default_rng(seed)
    for name in NAMES:
        folder = root / name
        folder.mkdir(parents=True)
        for number in range(each):
            cv2.imwrite(str(folder / f"{number:03}.png"), _one(portrait(name), side, chance)[:, :, ::-1])
    return root


def _one(image: np.ndarray, side: int, chance: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    part = chance.uniform(0.5, 0.7) * min(height, width)
    middle = (width / 2 + chance.normal(0, 0.03) * width, height * 0.35 + chance.normal(0, 0.03) * height)
    turn = cv2.getRotationMatrix2D(middle, chance.normal(0, 8), side / part)
    turn[:, 2] += side / 2 - np.array(middle)
    light = chance.uniform(0.6, 1.3)
    return np.clip(cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_AREA) * light, 0, 255).astype(np.uint8)
