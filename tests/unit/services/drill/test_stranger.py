"""The portrait of a drill is a person who is a stranger to this household."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER, Portrait
from facesecure.config import FacesecureConfig
from facesecure.domain import Face, Image
from facesecure.domain.errors import UsageError
from facesecure.domain.records import EnrolledFace
from facesecure.services.drill.stranger import stranger_here
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store


def face_of(portrait: Portrait, models: ModelStack, store: Store) -> EnrolledFace:
    identifier = models.identifier(FacesecureConfig(), store, Path())
    report = identifier.identify(portrait.image())[0]
    assert report.recognition is not None
    assert report.recognition.embedding is not None
    face, sha256 = report.aligned, models.embedder.sha256
    return EnrolledFace(face.image, report.recognition.embedding, sha256, face.quality, "portrait.jpg")


class BlindDetector:
    """One that no choice of a portrait may use: the daemon's makes an interpreter for each size of image."""

    def detect(self, image: Image) -> list[Face]:
        raise AssertionError(f"an image of {image.shape} was searched")


def test_the_choice_searches_no_image(tmp_path: Path) -> None:
    models = ModelStack.load(FacesecureConfig(), tmp_path)
    with Store.open(tmp_path) as store:
        identifier = replace(models.identifier(FacesecureConfig(), store, tmp_path), detector=BlindDetector())
        assert stranger_here(identifier) is EILEEN_COLLINS


def test_a_portrait_that_is_enrolled_here_is_not_taken(tmp_path: Path) -> None:
    models = ModelStack.load(FacesecureConfig(), tmp_path)

    def chosen() -> Portrait:
        return stranger_here(models.identifier(FacesecureConfig(), store, tmp_path))

    with Store.open(tmp_path) as store:
        assert chosen() is EILEEN_COLLINS
        store.add_person("Mum", [face_of(EILEEN_COLLINS, models, store)] * 3)
        assert chosen() is GRACE_HOPPER
        store.add_person("Gran", [face_of(GRACE_HOPPER, models, store)] * 3)
        with pytest.raises(UsageError, match="none of them is a stranger"):
            chosen()
