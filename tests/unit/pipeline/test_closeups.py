"""Faces of a sub-stream, recognised in the main stream: the same face with more pixels, or none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facesecure.config import DetectorConfig
from facesecure.domain import Frame, Image
from facesecure.domain.interfaces import Detector
from facesecure.pipeline.closeups import Closeups
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images.frames import RgbImage
from support.faces import on_canvas, only, portrait, scaled

MAIN, SUB = (1920, 1280), (640, 427)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return build_detector(DetectorConfig())


@pytest.fixture(scope="module")
def scene() -> Image:
    return on_canvas(scaled(portrait(), 0.8), 900, 500, *MAIN)


def frame(image: Image) -> Frame:
    return Frame(0, 0.0, RgbImage(image))


def smaller(image: Image) -> Image:
    return np.asarray(cv2.resize(image, SUB, interpolation=cv2.INTER_AREA), np.uint8)


def test_a_small_face_is_taken_from_the_main_stream(detector: Detector, scene: Image) -> None:
    sub = frame(smaller(scene))
    face = only(detector.detect(sub.image))
    image, found = Closeups(lambda _: frame(scene)).of(sub, face, detector)
    assert image.shape == scene.shape
    whole = only(detector.detect(scene))
    assert found.eye_distance == pytest.approx(whole.eye_distance, rel=0.06)
    assert np.abs(found.landmarks - whole.landmarks).max() < 0.1 * whole.box.width


def test_it_stays_where_it_is_without_a_frame_of_the_main_stream(detector: Detector, scene: Image) -> None:
    sub = frame(smaller(scene))
    face = only(detector.detect(sub.image))
    for closeups in (Closeups(), Closeups(lambda _: None), Closeups(lambda _: sub)):
        assert closeups.of(sub, face, detector) == (sub.image, face)


def test_it_stays_where_it_is_if_the_main_stream_shows_nobody_there(detector: Detector, scene: Image) -> None:
    sub = frame(smaller(scene))
    face = only(detector.detect(sub.image))
    image, found = Closeups(lambda _: frame(np.roll(scene, 700, 1))).of(sub, face, detector)
    assert (image is sub.image, found) == (True, face)


def test_a_large_face_needs_no_closeup(detector: Detector) -> None:
    scene = on_canvas(scaled(portrait(), 1.4), 900, 500, *MAIN)
    whole = frame(scene)
    face = only(detector.detect(whole.image))
    larger = frame(np.asarray(cv2.resize(scene, None, fx=1.5, fy=1.5), np.uint8))
    assert Closeups(lambda _: larger).of(whole, face, detector)[1] is face


def test_a_face_at_the_edge_of_the_image_is_found_too(detector: Detector) -> None:
    scene = on_canvas(scaled(portrait(), 0.8)[20:, 60:], 0, 0, *MAIN)
    sub = frame(smaller(scene))
    face = only(detector.detect(sub.image))
    image, found = Closeups(lambda _: frame(scene)).of(sub, face, detector)
    assert image.shape == scene.shape
    assert found.box.width == pytest.approx(3 * face.box.width, rel=0.2)
