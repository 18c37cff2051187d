"""Photographs of real places: what tells a turn from a change of light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.camera.health.features import EdgeMap, SceneFeatures
from facesecure.camera.health.moved import _elsewhere
from facesecure.domain import Luma

_WIDTH, _HEIGHT = 400, 225
LIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "a twentieth of it": lambda place: 16 + place * 0.05 + np.random.default_rng(1).normal(0, 3, place.shape),
    "harsh": lambda place: 255 * (place / 255) ** 2.5,
    "soft": lambda place: 255 * (place / 255) ** 0.4,
    "from the right": lambda place: place * np.linspace(0.1, 1, _WIDTH)[None, :],
    "from above": lambda place: place * np.linspace(1, 0.1, _HEIGHT)[:, None],
}


@pytest.fixture(scope="module")
def places(shared_data: Path) -> list[Luma]:
    files = sorted((shared_data / "negatives" / "scenes").glob("*.jpg"))[::4]
    return [_wide(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in files]


def _wide(photo: Luma) -> Luma:
    height, width = photo.shape
    across, down = min(width, height * 16 // 9), min(height, width * 9 // 16)
    left, top = (width - across) // 2, (height - down) // 2
    inner = photo[top : top + down, left : left + across]
    return np.asarray(cv2.resize(inner, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def seen(luma: np.ndarray) -> EdgeMap:
    return EdgeMap(SceneFeatures.of(np.clip(luma, 0, 255).astype(np.uint8)).edges)


def moved(before: EdgeMap, after: EdgeMap) -> bool:
    return _elsewhere(before, after, before.similarity(after)) is not None


@pytest.mark.parametrize("light", LIGHTS)
def test_a_place_in_another_light_is_the_same_place(places: list[Luma], light: str) -> None:
    wrong = [moved(seen(place), seen(LIGHTS[light](place.astype(np.float32)))) for place in places]
    assert sum(wrong) <= 0.03 * len(places)


@pytest.mark.parametrize(("right", "down"), [(10, 0), (12, 4), (36, -12)])
def test_a_turn_by_three_hundredths_of_the_picture_is_seen(places: list[Luma], right: int, down: int) -> None:
    def looking(place: Luma, right: int = 0, down: int = 0) -> EdgeMap:
        return seen(place[20 + down : 200 + down, 40 + right : 360 + right])

    found = [moved(looking(place), looking(place, right, down)) for place in places]
    assert sum(found) >= 0.95 * len(places)


def test_another_place_is_another_place(places: list[Luma]) -> None:
    views = [seen(place) for place in places]
    found = [moved(one, other) for number, one in enumerate(views) for other in views[number + 1 :: 7]]
    assert sum(found) >= 0.9 * len(found)
