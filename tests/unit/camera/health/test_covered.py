"""A covered lens, and darkness that is none."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from facesecure.camera.health.covered import CoveredLens
from facesecure.camera.health.features import EdgeMap, SceneFeatures
from facesecure.domain.camera_events import Change
from support.camera.scenes import Plane, Sensor, lit, looking, place, with_visitor

PORCH = looking(place(1))
BLACK = np.zeros_like(PORCH)
WHITE = np.full_like(PORCH, 255)


def story(scenes: Iterable[Plane], patience: float = 20.0, noise: float = 2.0) -> list[tuple[int, Change]]:
    """Return the changes reported for scenes seen once a second by a camera that knows the porch."""
    lens, sensor, porch = CoveredLens(patience), Sensor(noise), EdgeMap(SceneFeatures.of(Sensor().luma(PORCH)).edges)
    reports = []
    for second, scene in enumerate(scenes):
        view = SceneFeatures.of(sensor.luma(scene))
        change = lens.update(view, porch.similarity(EdgeMap(view.edges)), float(second))
        reports += [(second, change)] if change else []
    return reports


def cloth(number: int) -> Plane:
    """A cloth over the lens, a little moved by the wind: light comes through, and nothing can be recognised."""
    blobs = np.random.default_rng(number // 10).normal(0, 1, PORCH.shape).astype(np.float32)
    soft = cv2.GaussianBlur(blobs, (0, 0), 30)
    return np.asarray(90 + 10 * soft / soft.std(), np.float32)


def test_a_cap_on_the_lens_is_told_after_a_while_and_when_it_is_off() -> None:
    (begin, end) = story([PORCH] * 60 + [BLACK] * 100 + [PORCH] * 10)
    assert begin == (80, Change(False, "the picture suddenly became dark 20 s ago"))
    assert end[1].over
    assert 160 <= end[0] <= 164


def test_a_cloth_is_told_as_a_picture_without_any_feature() -> None:
    ((_, change),) = story([PORCH] * 60 + [cloth(number) for number in range(40)])
    assert "without any feature" in change.why


def test_a_torch_into_the_lens_is_told_as_dazzled() -> None:
    ((_, change),) = story([PORCH] * 60 + [WHITE] * 40)
    assert "dazzled" in change.why


def test_nightfall_is_none() -> None:
    evening = [lit(PORCH, gain) for gain in np.geomspace(1, 0.002, 1800)]
    assert story([*evening, *[BLACK] * 600]) == []


def test_dawn_after_nightfall_is_no_end_of_anything() -> None:
    dark = [lit(PORCH, gain) for gain in np.geomspace(1, 0.002, 1200)]
    assert story([*dark, *reversed(dark)]) == []


def test_headlights_and_a_lamp_that_goes_on_and_off_at_night_are_none() -> None:
    evening = [lit(PORCH, gain) for gain in np.geomspace(1, 0.002, 1200)]
    headlights = [lit(PORCH, 0.5, side=1.0)] * 5 + [BLACK] * 60
    lamp = [lit(PORCH, 0.4)] * 120 + [BLACK] * 120
    assert story([*evening, *headlights, *lamp, *lamp]) == []


def test_a_lamp_that_goes_out_and_leaves_something_to_be_seen_is_none() -> None:
    assert story([PORCH] * 60 + [lit(PORCH, 0.06)] * 120) == []


def test_somebody_close_before_the_lens_for_ten_seconds_is_none() -> None:
    coat = with_visitor(PORCH, 0.0, 1.0)
    assert story(([PORCH] * 60 + [coat] * 10) * 5) == []


def test_what_is_covered_from_the_start_is_not_sudden() -> None:
    assert story([BLACK] * 300) == []
    assert story([PORCH] * 3 + [BLACK] * 300) == []


def test_a_second_cover_is_told_again() -> None:
    reports = story(([PORCH] * 60 + [BLACK] * 60) * 2)
    assert [change.over for _, change in reports] == [False, True, False]
