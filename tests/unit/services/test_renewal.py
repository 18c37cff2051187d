"""A change of model, on the two that are bundled."""

import logging
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from facesecure.config import FacesecureConfig, RecognizerConfig
from facesecure.domain import AlignedFace
from facesecure.domain.records import EnrolledFace, Template
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.services import renewal
from facesecure.services.model_stack import ModelStack
from facesecure.services.renewal import foreseen_templates, renew
from facesecure.storage.store import Store
from facesecure.vision.images import align
from facesecure.vision.inference.model_card import load_model
from support.builders import quality
from support.faces import portrait
from support.lfw import detector

FAST, EXACT = "mobilefacenet", "mobilefacenet-float16"


@pytest.fixture(scope="module")
def crops():
    """Two portraits, aligned."""
    found = {}
    for name in ("grace_hopper", "eileen_collins"):
        face = max(detector().detect(portrait(name)), key=lambda face: face.eye_distance)
        found[name] = align.crop(portrait(name), face.landmarks)
    return found


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "state") as store:
        yield store


def enrolled(crop: np.ndarray, model: str, count: int = 3) -> list[EnrolledFace]:
    """The crop, brighter each time, as that model embeds it."""
    embedder = ModelEmbedder(load_model(model))
    images = [np.clip(crop.astype(int) + 10 * number, 0, 255).astype(np.uint8) for number in range(count)]
    return [EnrolledFace(image, embedder.embed(image), embedder.sha256, quality()) for image in images]


@pytest.mark.parametrize(("before", "after"), [(FAST, EXACT), (EXACT, FAST)])
def test_templates_are_made_again_from_the_crops_and_one_line_says_so(store, crops, caplog, before, after):
    store.add_person("Grace", enrolled(crops["grace_hopper"], before))
    store.add_person("Eileen", enrolled(crops["eileen_collins"], before))
    embedder = ModelEmbedder(load_model(after))
    with caplog.at_level(logging.INFO, "facesecure.services.renewal"):
        assert renew(store, embedder).faces == 6
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]  # no slow progress
    assert line.startswith("the model has changed: re-embedded 6 faces of Eileen, Grace in ")
    templates = {one.name: one for one in store.templates()}
    assert {one.model_sha256 for one in templates.values()} == {embedder.sha256}
    assert templates["Grace"].embedding @ embedder.embed(crops["grace_hopper"]) > 0.95
    caplog.clear()
    assert renew(store, embedder).faces == 0
    assert caplog.messages == []


def test_the_templates_that_will_be_are_foreseen_and_not_stored(store, crops, caplog):
    store.add_person("Grace", enrolled(crops["grace_hopper"], EXACT, 5))
    store.add_person("Grace", enrolled(crops["grace_hopper"], FAST, 2))
    store.add_person("Eileen", enrolled(crops["eileen_collins"], EXACT))
    store.add_person("Tom", enrolled(crops["eileen_collins"], FAST))
    with store._database.write() as session:
        session.execute(text("UPDATE faces SET crop_png = :nothing WHERE id = 2"), {"nothing": b""})
    revision, before = store.people_revision(), store.templates()
    embedder = ModelEmbedder(load_model(FAST))
    foreseen = foreseen_templates(store, embedder)
    assert "face 2 of Grace could not be re-embedded and is not compared" in caplog.text
    assert (store.people_revision(), len(store.templates())) == (revision, len(before))
    renew(store, embedder)
    assert facts(foreseen) == facts(store.templates(embedder.sha256))


def facts(templates: list[Template]) -> list[tuple[str, int, bytes]]:
    return sorted((one.name, one.faces, one.embedding.tobytes()) for one in templates)


def test_a_lost_crop_is_told_and_its_person_is_compared_with_nobody(store, crops, caplog, tmp_path):
    store.add_person("Grace", enrolled(crops["grace_hopper"], EXACT))
    store.add_person("Eileen", enrolled(crops["eileen_collins"], EXACT))
    with store._database.write() as session:
        session.execute(text("UPDATE faces SET crop_png = :nothing WHERE id <= 3"), {"nothing": b""})
    config = FacesecureConfig(recognizer=RecognizerConfig(model=FAST))
    recognizer = ModelStack.load(config, tmp_path / "state").recognizer(store)
    assert "face 1 of Grace could not be re-embedded and is not compared: it is missing or truncated" in caplog.text
    assert "not recognised until enrolled again: Grace" in caplog.text
    scores = recognizer.identify(AlignedFace(crops["grace_hopper"], quality())).scores
    assert set(scores) == {"Eileen"}


def test_who_waits_longer_is_told_how_far_it_is(store, crops, caplog, monkeypatch):
    store.add_person("Grace", enrolled(crops["grace_hopper"], EXACT))
    monkeypatch.setattr(renewal, "_PROGRESS_SECONDS", 0.0)
    renew(store, ModelEmbedder(load_model(FAST)))
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line.rsplit(", ", 1)[1] for line in told] == ["1 of 3 done", "2 of 3 done"]
