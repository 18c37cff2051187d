"""The document of a calibration: its numbers, with people as the hub knows them, and no names.

The fingerprint of a person in it is of the crops, not of the templates: those differ in their last digits from one door
to the next, even if they were made of the same crops.

Whatever is read here was written by another door and is hostile until it is checked: it decides who is let in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from facesecure.hub.rows import require_identifiers
from facesecure.recognition.calibration import Calibration, PersonCalibration
from facesecure.recognition.score_model import ScoreModel

MOST_PEOPLE = 500
_MOST_RIVALS = 200
_LONGEST = 64
_CLOCKS = timedelta(days=1)
"""How far another door's clock may be ahead."""
_LAXER = 0.1, 0.2
"""How far below the model's card, as cosines, a calibration may expect strangers and the person."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A person as two doors agree on: the identifier at the hub, and the fingerprint of the crops."""

    identifier: str
    crops: str


def encoded(calibration: Calibration, people: Mapping[str, Shared]) -> bytes:
    """Return ``calibration`` as bytes, with ``people``, who are given by name; others are left out."""
    for name in calibration.people:
        if name in people:
            calibration = _fitted(calibration, name, people[name].crops).renamed(name, people[name].identifier)
        else:
            calibration = calibration.without(name)
    return calibration.model_copy(update={"people_revision": 0, "door": ""}).model_dump_json().encode()


def decoded(plain: bytes, now: datetime) -> Calibration:
    """Return the calibration that ``encoded`` made bytes of; people are identifiers. Raises ValueError otherwise."""
    try:
        found = Calibration.model_validate_json(plain)
    except ValidationError as error:
        raise ValueError(f"it is no calibration: {error.error_count()} errors") from None
    require_identifiers(*found.people)
    if found.made_at.tzinfo is None or found.made_at > now + _CLOCKS:
        raise ValueError("it was made at no time that can be")
    if not 1 <= len(found.people) <= MOST_PEOPLE:
        raise ValueError("it is of nobody, or of too many")
    if any(len(one.rivals) > _MOST_RIVALS for one in found.people.values()):
        raise ValueError("it has too many rivals")
    document = found.model_dump(mode="json")
    if not all(_is_sound(value) for value in _values(document)):
        raise ValueError("it has values that cannot be")
    return found.model_copy(update={"made_at": min(found.made_at.astimezone(UTC), now), "door": ""})


def named(calibration: Calibration, people: Mapping[str, Shared], templates: Mapping[str, str]) -> Calibration:
    """Return a decoded calibration as it holds here: with the names of ``people``, without those who are not known.

    It covers whose crops are the same here, by the fingerprints of their ``templates`` here, by name.
    """
    names = {one.identifier: name for name, one in people.items()}
    for identifier, person in calibration.people.items():
        name = names.get(identifier)
        if name is None:
            calibration = calibration.without(identifier)
            continue
        calibration = calibration.renamed(identifier, name)
        if person.fingerprint == people[name].crops and name in templates:
            calibration = _fitted(calibration, name, templates[name])
    return calibration


def _fitted(calibration: Calibration, name: str, fingerprint: str) -> Calibration:
    person = calibration.people[name].model_copy(update={"fingerprint": fingerprint})
    return calibration.model_copy(update={"people": {**calibration.people, name: person}})


def is_lax(person: PersonCalibration, rate: float, card: ScoreModel) -> bool:
    """Return whether these numbers let somebody in more readily than those of any household could, by the card."""
    strangers, genuine = person.impostor.scores(), person.genuine.scores()
    least = card.impostor.score_reached_with(rate, 1) - _LAXER[0]
    return strangers.score_reached_with(rate, 1) < least or genuine.mean < card.genuine.mean - _LAXER[1]


def _values(document: Any) -> Iterator[Any]:
    if isinstance(document, dict):
        yield from document
        document = list(document.values())
    if isinstance(document, list):
        for one in document:
            yield from _values(one)
    else:
        yield document


def _is_sound(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST and value.isprintable()
    return value is None or (isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e9)
