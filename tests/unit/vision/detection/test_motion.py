"""The motion gate, as stories over time: ten frames a second at a porch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig, MotionConfig
from facesecure.domain import Luma
from facesecure.vision.detection.motion import MotionGate, shrink
from support.camera.sources import first, noise

RATE = 10
SIZE = (640, 360)
AT_ONCE = MotionConfig(linger=0)


def porch(brightness: float = 100) -> Luma:
    """A wall with bricks and a dark door."""
    luma = np.full((SIZE[1], SIZE[0]), brightness, np.float64)
    luma[::24] *= 0.7
    luma[100:, 420:520] *= 0.5
    return luma.clip(0, 255).astype(np.uint8)


def with_person(luma: Luma, left: int, shade: int = 190, width: int = 60) -> Luma:
    picture = luma.copy()
    picture[120:340, left : left + width] = shade
    picture[120:340:9, left : left + width] = shade - 40
    return picture


def answers(gate: MotionGate, lumas: Iterable[Luma], start: float = 0.0) -> list[bool]:
    return [gate.moved(luma, start + number / RATE) for number, luma in enumerate(lumas)]


def settled(config: MotionConfig = AT_ONCE) -> MotionGate:
    gate = MotionGate(config)
    answers(gate, [porch()] * 30, start=-10)
    return gate


def test_nothing_moves_on_an_empty_porch_after_the_first_frame() -> None:
    gate = MotionGate(AT_ONCE)
    assert answers(gate, [porch()] * 50) == [True] + [False] * 49
    assert (gate.passed, gate.skipped) == (1, 49)
    assert gate.level == 0.0


def test_somebody_who_walks_past_is_movement_all_the_way() -> None:
    gate = settled()
    assert all(answers(gate, [with_person(porch(), left) for left in range(0, 400, 10)]))
    assert 0.03 < gate.level < 0.2


def test_the_level_is_the_share_of_the_picture_that_changed() -> None:
    gate = settled()
    picture = porch()
    picture[:, :160] = 220
    gate.moved(picture, 0.0)
    assert gate.level == pytest.approx(0.25, abs=0.02)


def test_a_small_dark_figure_in_the_distance_is_seen() -> None:
    gate = settled()
    picture = porch()
    picture[200:250, 300:318] = 60  # a person of 50 pixels among 360
    assert gate.moved(picture, 0.0)


def test_after_the_last_movement_it_lingers() -> None:
    gate = settled(MotionConfig(linger=2.0))
    assert gate.moved(with_person(porch(), 200), 0.0)
    seen = answers(gate, [porch()] * 40, start=0.1)
    assert seen == [True] * 20 + [False] * 20
    assert not gate.moving


def test_a_visitor_who_stands_still_counts_for_ten_seconds_and_is_learned_after_twenty() -> None:
    gate = settled()
    answers(gate, [with_person(porch(), left) for left in range(0, 200, 10)])
    standing = answers(gate, [with_person(porch(), 200)] * 250, start=2.0)
    assert all(standing[:100])
    assert not any(standing[200:])


def test_even_a_visitor_of_little_contrast_is_not_absorbed_at_once() -> None:
    gate = settled()
    faint = porch()
    faint[120:340, 100:160] += 16
    standing = answers(gate, [faint] * 100)
    assert all(standing)


def test_a_visitor_who_leaves_after_being_learned_is_movement_again() -> None:
    gate = settled()
    answers(gate, [with_person(porch(), 200)] * 250)
    assert gate.moved(porch(), 26.0)


@pytest.mark.parametrize("change", [-45.0, 45.0])
def test_dusk_and_dawn_go_unnoticed(change: float) -> None:
    """45 of 255 steps within half a minute: a heavy cloud; dusk itself is slower."""
    gate = settled()
    lights = np.linspace(100, 100 + change, 30 * RATE)
    assert not any(answers(gate, (porch(light) for light in lights)))


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_a_step_of_the_exposure_is_no_movement(factor: float) -> None:
    gate = settled()
    assert not any(answers(gate, [porch(100 * factor)] * 30))


def test_a_cloud_that_comes_and_goes_over_seconds_is_no_movement() -> None:
    gate = settled()
    gains = np.concatenate([np.linspace(1, 0.6, 15), np.full(60, 0.6), np.linspace(0.6, 1, 15)])
    assert not any(answers(gate, [porch(100 * gain) for gain in gains]))


def test_a_lamp_that_lights_part_of_the_picture_is_learned_within_twenty_seconds() -> None:
    gate = settled()
    lit = porch().astype(np.float64)
    lit += 90 * np.exp(-(((np.arange(640) - 200) / 150) ** 2))[None, :]
    seen = answers(gate, [lit.clip(0, 255).astype(np.uint8)] * 250)
    assert seen[0]
    assert not any(seen[200:])


def test_somebody_who_comes_with_the_light_is_still_seen() -> None:
    gate = settled()
    answers(gate, [porch(160)])
    assert gate.moved(with_person(porch(160), 200, shade=60), 0.1)


def test_a_visitor_who_fills_the_picture_does_not_become_the_background() -> None:
    gate = settled()
    near = porch()
    near[:, 100:540] = 200
    near[::7, 100:540] = 40
    near[:, 100:540:11] = 90
    assert all(answers(gate, [near] * 50))


@pytest.mark.parametrize("spread", [4.0, 15.0, 30.0])
def test_the_sensors_noise_at_night_is_no_movement(spread: float) -> None:
    gate = MotionGate(AT_ONCE)
    grain = noise(7, 30, (1280, 720), spread)
    seen = answers(gate, (next(grain) for _ in range(25)))
    assert sum(seen[1:]) == 0


def test_a_sensitive_gate_is_not_set_off_by_noise_above_its_contrast() -> None:
    gate = MotionGate(MotionConfig(linger=0, contrast=5))
    grain = noise(9, 60, SIZE, 15)
    assert sum(answers(gate, (next(grain) for _ in range(60)))) == 1


def test_a_person_is_seen_through_the_noise_of_the_night() -> None:
    gate = MotionGate(AT_ONCE)
    grain = noise(8, 30, SIZE, 15)
    answers(gate, (next(grain) for _ in range(50)))
    visitor = next(grain)
    visitor[120:340, 200:260] += 40
    assert gate.moved(visitor, 5.0)


def test_a_masked_road_is_ignored_and_the_path_beside_it_is_not() -> None:
    road = MotionConfig(linger=0, mask=[(0.0, 0.0, 0.5, 1.0)])
    gate = settled(road)
    assert not any(answers(gate, [with_person(porch(), left) for left in range(0, 250, 10)]))
    assert gate.level == 0.0
    assert gate.moved(with_person(porch(), 450), 5.0)


def test_a_mask_over_everything_sees_nothing() -> None:
    gate = settled(MotionConfig(linger=0, mask=[(0, 0, 1, 1)]))
    assert not any(answers(gate, [with_person(porch(), left) for left in range(0, 250, 10)]))


def test_a_zone_is_watched_and_everything_beside_it_ignored() -> None:
    slanted = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.4, 1.0)]
    gate = MotionGate(AT_ONCE, zones=[slanted])
    answers(gate, [porch()] * 30, start=-10)
    assert not any(answers(gate, [with_person(porch(), left) for left in range(0, 180, 10)]))
    assert gate.regions == ()
    assert gate.moved(with_person(porch(), 450), 5.0)


def test_the_mask_holds_inside_a_zone() -> None:
    gate = MotionGate(MotionConfig(linger=0, mask=[[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0)]]), [(0.5, 0.0, 1.0, 1.0)])
    answers(gate, [porch()] * 30, start=-10)
    assert gate.moved(with_person(porch(), 330), 0.0)
    assert gate.regions[0][2] < 0.8
    blind = MotionGate(MotionConfig(linger=0, mask=[(0.4, 0.0, 1.0, 1.0)]), [(0.5, 0.0, 1.0, 1.0)])
    answers(blind, [porch()] * 30, start=-10)
    assert not any(answers(blind, [with_person(porch(), left) for left in range(0, 600, 10)]))


def test_a_person_who_fills_a_small_zone_and_stands_still_is_no_change_of_light() -> None:
    gate = MotionGate(AT_ONCE, zones=[(0.31, 0.33, 0.41, 0.95)])
    answers(gate, [porch()] * 30, start=-10)
    assert all(answers(gate, [with_person(porch(), 190, width=80)] * 80))


def test_a_lamp_over_the_whole_porch_is_one_in_a_small_zone_too() -> None:
    gate = MotionGate(AT_ONCE, zones=[(0.31, 0.33, 0.41, 0.95)])
    answers(gate, [porch()] * 30, start=-10)
    assert sum(answers(gate, [porch(160)] * 50)) <= 1


def test_a_higher_threshold_wants_more_of_the_picture() -> None:
    assert settled(MotionConfig(linger=0, threshold=0.02)).moved(with_person(porch(), 100), 0.0)
    assert not settled(MotionConfig(linger=0, threshold=0.2)).moved(with_person(porch(), 100), 0.0)


def test_a_higher_contrast_wants_a_stronger_change() -> None:
    faint = porch()
    faint[120:340, 100:160] += 16
    assert settled(MotionConfig(linger=0, contrast=12)).moved(faint, 0.0)
    assert not settled(MotionConfig(linger=0, contrast=25)).moved(faint, 0.0)


def test_another_picture_size_starts_over() -> None:
    gate = settled()
    small = np.full((120, 160), 100, np.uint8)
    assert gate.moved(small, 0.0)
    assert not gate.moved(small, 0.1)


def test_a_gate_that_is_switched_off_passes_everything() -> None:
    gate = MotionGate(MotionConfig(enabled=False))
    assert all(answers(gate, [porch()] * 5))
    assert (gate.passed, gate.skipped) == (5, 0)


@given(st.integers(1, 700), st.integers(1, 500))
@settings(max_examples=40)
def test_every_picture_size_is_shrunk_without_stretching(width: int, height: int) -> None:
    small = shrink(np.full((height, width), 77, np.uint8))
    assert small.dtype == np.float32
    assert np.all(small == 77)
    assert small.shape[1] == width // max(1, width // 160)
    assert small.shape[1] < 320


@pytest.mark.parametrize("view", [lambda a: np.rot90(a), lambda a: a[:, ::2], lambda a: a[::-1, ::-1]])
def test_views_of_rotated_and_packed_pictures_are_understood(view: Callable[[Luma], Luma]) -> None:
    gate = MotionGate(AT_ONCE)
    gate.moved(view(porch()), 0.0)
    assert not gate.moved(view(porch()), 0.1)
    assert gate.moved(view(with_person(porch(), 200)), 0.2)


def clip_lumas(path: str) -> Iterator[tuple[Luma, float]]:
    for frame in first(open_source(path, CameraConfig()), 100):
        yield frame.luma, frame.taken_at


def test_people_in_the_corridor_clip_are_movement(shared_data: object) -> None:
    gate = MotionGate(MotionConfig())
    seen = [gate.moved(*pair) for pair in clip_lumas(f"{shared_data}/clips/corridor-backs.mp4")]
    assert sum(seen) > 50


def test_the_whole_image_is_a_region_before_there_is_a_background() -> None:
    assert MotionGate(AT_ONCE).regions == ((0.0, 0.0, 1.0, 1.0),)
    assert MotionGate(MotionConfig(enabled=False)).regions == ((0.0, 0.0, 1.0, 1.0),)


def test_nothing_that_moves_is_no_region() -> None:
    assert settled().regions == ()


def test_a_region_is_the_box_of_the_person_who_moves() -> None:
    gate = settled()
    gate.moved(with_person(porch(), 200), 0.0)
    (region,) = gate.regions
    assert region == pytest.approx((200 / 640, 120 / 360, 260 / 640, 340 / 360), abs=0.02)


def test_two_people_apart_are_two_regions_the_larger_first() -> None:
    gate = settled()
    gate.moved(with_person(with_person(porch(), 100), 400, width=120), 0.0)
    larger, smaller = gate.regions
    assert larger[0] == pytest.approx(400 / 640, abs=0.02)
    assert smaller[0] == pytest.approx(100 / 640, abs=0.02)


def test_a_region_reaches_the_edge_of_the_image_with_the_person() -> None:
    gate = settled()
    gate.moved(with_person(porch(), 580), 0.0)
    assert [region[2] for region in gate.regions] == [1.0]


def test_what_moves_in_the_mask_is_no_region() -> None:
    gate = settled(MotionConfig(linger=0, mask=[(0.25, 0.0, 0.5, 1.0)]))
    gate.moved(with_person(porch(), 200), 0.0)
    assert gate.regions == ()
