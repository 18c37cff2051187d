"""Faces as the bundled models enrol them."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.domain import Image
from facesecure.domain.records import EnrolledFace
from facesecure.services.model_stack import ModelStack


@cache
def models() -> ModelStack:
    """The bundled models, loaded once."""
    with tempfile.TemporaryDirectory() as empty:
        return ModelStack.load(FacesecureConfig(), Path(empty))


def faces_of(*images: Image) -> list[EnrolledFace]:
    """Return the faces that one person is enrolled with by ``images``."""
    enrolment = models().enrolment()
    enrolment.few = True
    for number, image in enumerate(images):
        enrolment.add_image(image, f"{number}.png")
    return enrolment.finish()
