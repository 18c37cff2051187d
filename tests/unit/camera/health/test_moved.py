"""A camera that was turned, and scenes that only look different for a while."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.camera.health.features import EdgeMap, SceneFeatures
from facesecure.camera.health.moved import MovedCamera
from facesecure.domain import Luma
from facesecure.domain.camera_events import Change
from support.camera.scenes import Sensor, lit, looking, place, with_visitor

PORCH = looking(place(1))


STEP = 3
"""Seconds from one picture to the next: as good as one, and quicker to tell."""


def reported(pictures: Iterable[Luma], patience: float = 120.0) -> list[tuple[int, Change]]:
    """Return the changes reported for images that come every ``STEP`` seconds, each with its second."""
    moved = MovedCamera(patience)
    reports = (
        (STEP * number, moved.update(SceneFeatures.of(luma).edges, STEP * number))
        for number, luma in enumerate(pictures)
    )
    return [(second, change) for second, change in reports if change is not None]


def lasting(seconds: int, scene: np.ndarray) -> list[np.ndarray]:
    return [scene] * (seconds // STEP)


def story(scenes: Iterable[np.ndarray], patience: float = 120.0, noise: float = 2.0) -> list[tuple[int, Change]]:
    sensor = Sensor(noise)
    return reported((sensor.luma(scene) for scene in scenes), patience)


@pytest.mark.parametrize(("right", "down"), [(12, 0), (0, -12), (30, 14), (-60, 20)])
def test_a_camera_that_was_turned_is_told_as_shifted(right: int, down: int) -> None:
    ((second, change),) = story(lasting(60, PORCH) + lasting(180, looking(place(1), right, down)))
    assert 180 <= second <= 225
    assert change.why.startswith("the view is shifted")
    assert not change.over


@pytest.mark.parametrize("elsewhere", range(2, 10))
def test_a_camera_that_looks_at_another_place_is_told(elsewhere: int) -> None:
    ((_, change),) = story(lasting(60, PORCH) + lasting(200, looking(place(elsewhere))))
    assert not change.over


def test_turned_back_it_is_over() -> None:
    reports = story(lasting(60, PORCH) + lasting(240, looking(place(1), 30)) + lasting(120, PORCH))
    assert [change.over for _, change in reports] == [False, True]
    assert reports[1][1].why == "the camera shows its former view again"


def test_left_as_it_is_the_new_view_becomes_the_usual_one() -> None:
    reports = story(lasting(60, PORCH) + lasting(1200, looking(place(1), 30)))
    assert [change.over for _, change in reports] == [False, True]
    assert "counts as the usual one" in reports[1][1].why


def test_a_knock_that_is_put_right_within_a_minute_is_none() -> None:
    assert story(lasting(60, PORCH) + lasting(60, looking(place(1), 30)) + lasting(300, PORCH)) == []


def test_lamps_that_go_on_and_off_on_either_side_are_none() -> None:
    lamps = [lit(PORCH), lit(PORCH, 0.08), lit(PORCH, 0.5, side=0.8), lit(PORCH, 0.5, side=-0.8), lit(PORCH, 2.5)]
    assert story(scene for lamp in lamps * 3 for scene in lasting(200, lamp)) == []


def test_infrared_in_which_walls_swap_their_brightness_is_none() -> None:
    patches = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, PORCH.shape).astype(np.float32), (0, 0), 15)
    infrared = np.where(patches > 0, 255 - PORCH, PORCH)
    assert story(lasting(300, PORCH) + lasting(900, 0.4 * infrared) + lasting(300, PORCH)) == []


def test_people_who_pass_and_one_who_waits_are_none() -> None:
    passing = [with_visitor(PORCH, 1.2 - (second % 12) / 8) for second in range(0, 600, STEP - 1)]
    waiting = lasting(300, with_visitor(PORCH, 0.25, 0.5))
    assert story([*passing, *waiting, *passing]) == []


def test_nightfall_is_none() -> None:
    assert story(lit(PORCH, gain) for gain in np.geomspace(1, 0.02, 1800 // STEP)) == []


def test_while_something_may_be_before_the_lens_nothing_is_learned_or_told() -> None:
    moved, sensor = MovedCamera(20.0), Sensor()
    for second in range(60):
        moved.update(SceneFeatures.of(sensor.luma(PORCH)).edges, float(second))
    other = SceneFeatures.of(sensor.luma(looking(place(2)))).edges
    assert all(moved.update(other, 60.0 + second, learn=False) is None for second in range(200))
    assert moved.similarity_to_scene(SceneFeatures.of(sensor.luma(PORCH)).edges) > 0.8


def test_before_anything_is_known_every_view_is_like_the_usual_one() -> None:
    assert MovedCamera(20.0).similarity_to_scene(SceneFeatures.of(Sensor().luma(PORCH)).edges) == 1.0


def lamps_of(person: Path, within: int) -> list[Luma]:
    """The pictures of one person whose lamp stood at most ``within`` degrees aside."""
    found = [path for path in sorted(person.glob("*.pgm")) if abs(int(path.stem[12:16])) <= within]
    return [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in found]


def test_a_single_hard_lamp_that_wanders_before_a_scene_is_none(shared_data: Path) -> None:
    for person in sorted((shared_data / "lighting").iterdir())[::3]:
        pictures = lamps_of(person, within=35)
        assert len(pictures) > 5
        assert reported(picture for picture in pictures for _ in range(150 // STEP)) == []


def corridor(shared_data: Path) -> list[Luma]:
    """A camera over a corridor with people in it, one picture in three seconds."""
    film, pictures = cv2.VideoCapture(str(shared_data / "clips" / "corridor-backs.mp4")), []
    step = round(STEP * film.get(cv2.CAP_PROP_FPS))
    while film.grab():
        if int(film.get(cv2.CAP_PROP_POS_FRAMES)) % step == 0:
            pictures.append(np.asarray(cv2.cvtColor(film.retrieve()[1], cv2.COLOR_BGR2GRAY), np.uint8))
    film.release()
    return pictures


def test_a_busy_corridor_is_none_and_the_same_turned_is_told(shared_data: Path) -> None:
    pictures = corridor(shared_data)
    straight = [picture[40:-40, 60:-60] for picture in pictures]
    turned = [picture[20:-60, 90:-30] for picture in pictures]
    assert reported(straight * 4) == []
    ((_, change),) = reported(straight + turned * 2)
    assert change.why.startswith("the view is shifted")


def test_a_view_is_the_same_however_its_pixels_lie_in_memory() -> None:
    luma = Sensor().luma(PORCH)
    assert np.allclose(
        SceneFeatures.of(np.rot90(luma)).edges, SceneFeatures.of(np.ascontiguousarray(np.rot90(luma))).edges
    )
    assert EdgeMap(SceneFeatures.of(luma).edges).similarity(EdgeMap(SceneFeatures.of(luma[::2, ::2]).edges)) > 0.7
