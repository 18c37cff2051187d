"""The demo's clip: its ground truth is what the frames show."""

from __future__ import annotations

from itertools import islice, pairwise

import cv2
import numpy as np
import pytest

from facesecure.camera.synthetic import clip
from facesecure.camera.synthetic.scene import draw_scene
from facesecure.domain import Box, Image, VerdictKind


@pytest.fixture(scope="module")
def timeline() -> list[clip.Appearance]:
    return clip.timeline()


def _picture(index: int) -> Image:
    """One frame, without drawing those before it."""
    scene = draw_scene(clip.SIZE)
    picture = scene.image.copy()
    for visit in clip.VISITS:
        figure = clip.figure_of(visit.portrait)
        clip.paint_visit(picture, scene, figure, visit.walk, index / clip.FPS, clip.FPS, visit.blur, visit.contrast)
    return picture


def _cut(picture: Image, box: Box) -> Image:
    return picture[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]


def _sharpness(picture: Image) -> float:
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (64, 80), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_32F).var())


def test_the_same_seed_gives_the_same_pictures() -> None:
    first, again = (list(islice(clip.render(seed=3), 2)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_another_seed_gives_other_pictures() -> None:
    assert not np.array_equal(next(clip.render(seed=3)), next(clip.render(seed=4)))


def test_one_visitor_is_known_one_is_a_stranger_and_one_cannot_be_told(timeline: list[clip.Appearance]) -> None:
    assert [seen.expected for seen in timeline] == [
        VerdictKind.KNOWN,
        VerdictKind.STRANGER,
        VerdictKind.UNIDENTIFIED,
    ]


def test_nobody_is_there_between_the_visits_for_longer_than_a_quiet_spell(timeline: list[clip.Appearance]) -> None:
    walks = [visit.walk for visit in clip.VISITS]
    assert timeline[0].start > 1.0
    assert all(later.start - earlier.end > 2.2 for earlier, later in pairwise(walks))


def test_faces_grow_from_40_pixels_to_200(timeline: list[clip.Appearance]) -> None:
    for seen in timeline[:2]:
        widths = [box.width for box in seen.boxes.values()]
        assert widths[0] < 50
        assert max(widths) > 190


def test_the_face_is_where_the_timeline_says(timeline: list[clip.Appearance]) -> None:
    empty = draw_scene(clip.SIZE).image
    for seen in timeline:
        index = sorted(seen.boxes)[len(seen.boxes) // 2]
        changed = np.abs(_cut(_picture(index), seen.boxes[index]).astype(int) - _cut(empty, seen.boxes[index]))
        assert (changed.max(2) > 12).mean() > 0.8


def test_a_frame_outside_every_visit_shows_the_empty_door(timeline: list[clip.Appearance]) -> None:
    assert np.array_equal(_picture(5), draw_scene(clip.SIZE).image)
    assert not any(5 in seen.boxes for seen in timeline)


def test_the_third_visitor_is_far_less_sharp_than_the_others(timeline: list[clip.Appearance]) -> None:
    sharp = []
    for seen in timeline:
        index = next(i for i, box in seen.boxes.items() if box.width > 100)
        sharp.append(_sharpness(_cut(_picture(index), seen.boxes[index])))
    assert sharp[2] < 0.1 * min(sharp[:2])


def test_nothing_is_said_of_a_face_that_the_hedge_still_hides(timeline: list[clip.Appearance]) -> None:
    first = clip.VISITS[0].walk
    assert min(timeline[0].boxes) > first.start * clip.FPS + 3


def test_the_pictures_to_enrol_from_are_many_and_differ() -> None:
    pictures = clip.enrolment_images()
    faces = [cv2.resize(cv2.cvtColor(p[100:400, 150:490], cv2.COLOR_RGB2GRAY), (40, 40)).ravel() for p in pictures]
    alike = np.corrcoef(np.array(faces))[np.triu_indices(len(faces), 1)]
    assert len(pictures) >= 5
    assert alike.max() < 0.97


def test_the_pictures_to_enrol_from_are_the_same_every_time() -> None:
    assert np.array_equal(clip.enrolment_images(2)[1], clip.enrolment_images(2)[1])
