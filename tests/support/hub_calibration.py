"""A calibration for a door of a hub, made without the models' strangers: quickly, and always the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from facesecure.recognition.calibration import Calibration, fingerprint
from facesecure.services.calibration import save_calibration
from support.builders import NOON
from support.bundled_model import models
from support.hub_records import RecordDoor
from support.strangers import calibrated_household, member, towards


def calibrate(door: RecordDoor, at: datetime = NOON, **changes: Any) -> Calibration:
    """Calibrate a door as ``facesecure calibrate`` does, for its people as they are enrolled."""
    names = [person.name for person in door.store.people()]
    made = calibrated_household(*(member(name, towards(number)[0]) for number, name in enumerate(names)))
    templates = door.store.templates()
    prints = {name: fingerprint(one.embedding for one in templates if one.name == name) for name in names}
    people = {name: one.model_copy(update={"fingerprint": prints[name]}) for name, one in made.people.items()}
    values = {"people": people, "made_at": at, "model_sha256": models().embedder.sha256, **changes}
    found = made.model_copy(update=values)
    save_calibration(door.store, found, door.store.state_dir)
    return found
