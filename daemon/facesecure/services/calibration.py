"""Calibrates the household: each person's acceptance threshold for a rate of false accepts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import EnrolmentError, ModelError
from facesecure.recognition.calibration import Calibration, forget
from facesecure.recognition.calibrator import Calibrator, HouseholdMember, total
from facesecure.recognition.impostor_model import impostor_model_of
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.thresholds import by_name
from facesecure.services import audit
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_model
from facesecure.vision.inference.model_card import Model


@dataclass(frozen=True, slots=True)
class LargerGallery:
    """What it costs to know twice as many people: they share the rate of strangers accepted.

    Thresholds ``rise`` (cosine), and the share of clear faces that are missed goes from ``misses`` to ``more_misses``;
    all are means over the ``people`` of now.
    """

    people: int
    rise: float
    misses: float
    more_misses: float


def larger_gallery(calibration: Calibration) -> LargerGallery:
    """Return what twice as many people would cost, as estimated for those of ``calibration``."""
    share = calibration.false_accept / len(calibration.people)
    rises, before, after = list[float](), list[float](), list[float]()
    for person in calibration.people.values():
        strangers, genuine = person.impostor.scores(), person.genuine.scores()
        rise = strangers.score_reached_with(share / 2, 1) - strangers.score_reached_with(share, 1)
        rises.append(rise)
        before.append(1 - genuine.chance_of_reaching(person.threshold, 1))
        after.append(1 - genuine.chance_of_reaching(person.threshold + rise, 1))
    return LargerGallery(len(rises), *(float(np.mean(one)) for one in (rises, before, after)))


def load_calibrated_model(config: FacesecureConfig, state_dir: Path) -> Model:
    """Load the embedding model to calibrate for. Raises ModelError, also if a classifier is in use."""
    if config.recognizer.kind == "classifier":
        raise ModelError(
            f"{config.recognizer.model} is a classifier, and its thresholds come with its card",
            "`facesecure doctor` shows what they promise; to measure them again: "
            "`facesecure-train evaluate classifier --write-card`",
        )
    return load_model(config.recognizer.model, state_dir)


def calibrate(store: Store, model: Model, false_accept: float) -> Calibration:
    """Return the thresholds at which a stranger's clear face passes for any of the household with ``false_accept``.

    Nothing is written: ``save_calibration`` does that. Raises EnrolmentError if no person is enrolled, ModelError if a
    person is enrolled with another model only.

    Example::

        found = calibrate(store, load_calibrated_model(config, state_dir), 1 / 1000)
        save_calibration(store, found, state_dir)
    """
    revision = store.people_revision()
    household = _household(store, model)
    card = model.card
    calibrator = Calibrator(impostor_model_of(model), ScoreModel.from_card(card), false_accept, card.genuine_quantiles)
    people = calibrator.calibrate(household)
    return Calibration(
        model_sha256=model.sha256,
        people_revision=revision,
        made_at=datetime.now(UTC),
        false_accept=false_accept,
        strangers_marked=len(store.marked_strangers(model.sha256)),
        false_accepts=total([person.false_accepts for person in people.values()]),
        people=people,
    )


def save_calibration(store: Store, calibration: Calibration, state_dir: Path) -> Path:
    """Write calibration.json, without the people who were removed or renamed meanwhile. Return its path.

    Raises StoreError.
    """
    documents = SignedDocuments(state_dir)
    with audit.audited(state_dir, "calibrated"):
        saved = calibration.save(documents)
    enrolled = {person.name for person in store.people()}  # read after the file is there: a later removal finds it
    for name in calibration.people.keys() - enrolled:
        forget(documents, name)
    return saved


def _household(store: Store, model: Model) -> list[HouseholdMember]:
    """Return everyone enrolled, as embedded by ``model``."""
    names = [person.name for person in store.people()]
    if not names:
        raise EnrolmentError("no one is enrolled, so there is nothing to calibrate", "facesecure enroll NAME ...")
    templates = by_name(store.templates(), model.sha256)
    foreign = [name for name in names if name not in templates]
    if foreign:
        problem = f"enrolled with another model than {model.card.name}: {', '.join(foreign)}"
        raise ModelError(problem, "enrol them again with this model, then calibrate")
    hard_negatives = store.hard_negatives(model.sha256)
    return [
        HouseholdMember(
            name,
            np.stack([face.embedding for face in store.faces_of(name) if face.model_sha256 == model.sha256]),
            templates[name],
            [negative.embedding[None] for negative in hard_negatives if negative.name == name],
        )
        for name in names
    ]
