from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.config import DetectorConfig
from facesecure.domain.errors import ModelError
from facesecure.vision.detection.factory import DEFAULT_CONFIDENCE, build_detector
from facesecure.vision.detection.haar import Haar
from facesecure.vision.detection.mtcnn import Mtcnn
from support.faces import on_canvas, portrait, scaled


def test_the_kind_in_the_configuration_is_built():
    assert isinstance(build_detector(DetectorConfig(kind="mtcnn")), Mtcnn)
    assert isinstance(build_detector(DetectorConfig(kind="haar")), Haar)


@pytest.mark.parametrize("models_dir", [None, Path("/nonexistent")])
def test_yunet_that_was_not_pulled_says_how_to_get_it(models_dir):
    with pytest.raises(ModelError) as caught:
        build_detector(DetectorConfig(kind="yunet"), models_dir=models_dir)
    assert "facesecure models pull yunet" in str(caught.value)


@pytest.mark.parametrize("kind", ["mtcnn", "haar"])
def test_least_size_and_confidence_reach_the_detector(kind):
    picture = on_canvas(scaled(portrait(), 0.5), 50, 50)
    assert len(build_detector(DetectorConfig(kind=kind, min_face=30)).detect(picture)) == 1
    assert build_detector(DetectorConfig(kind=kind, min_face=200)).detect(picture) == []
    assert build_detector(DetectorConfig(kind=kind, confidence=1.0)).detect(picture) == []


def test_every_kind_has_a_default_confidence():
    assert set(DEFAULT_CONFIDENCE) == {"mtcnn", "haar", "yunet"}
