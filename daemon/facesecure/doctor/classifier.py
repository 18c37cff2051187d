"""Checks of a classifier: whom it knows, and whether it keeps strangers out at the rate that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facesecure.doctor.finding import Finding, Patient, ok, warn

if TYPE_CHECKING:
    from facesecure.vision.model_card import ModelCard


def people(patient: Patient) -> Iterator[Finding]:
    """Whom it learnt by name, and that somebody unknown has a class too."""
    from facesecure.recognize.classifier import facts_of, names_of

    card = _card(patient)
    names, facts = names_of(card), facts_of(card)
    yield ok("people", f"{len(names)} known to the classifier {card.name}: {', '.join(names)}")
    if not facts.unknown:
        what = f"{card.name} has no class for people it does not know: strangers look like one of its names to it"
        yield warn("people", what, "train it with a folder of many other people's faces, called unknown")
    if facts.crop is not None and facts.crop.detector != patient.config.detector.kind:
        what = f"{card.name} learnt on faces that {facts.crop.detector} found, not {patient.config.detector.kind}"
        yield warn("people", what, f'set [detector] kind = "{facts.crop.detector}", or train it on faces found so')


def thresholds(patient: Patient) -> Iterator[Finding]:
    """What its card promises of strangers, and who will still be named."""
    from facesecure.recognize.classifier_standards import ClassStandards

    card = _card(patient)
    standards, asked = ClassStandards.from_card(card), patient.config.verdict.false_accept
    facts, warnings = card.classifier, standards.warnings(asked)
    for warning in warnings:
        yield warn("calibration", f"{card.name}: {warning}", "train it on more people and pictures, or ask for less")
    if facts is not None and not warnings:
        shares = ", ".join(f"{name} {standards.named(name, asked):.0%}" for name in standards.standards)
        measured = f"measured on {facts.strangers} strangers ({facts.dataset})"
        yield ok("calibration", f"1 stranger in {1 / asked:,.0f}: visits named {shares}; {measured}")


def _card(patient: Patient) -> ModelCard:
    from facesecure.vision.model_card import load_card

    return load_card(patient.config.recognizer.model, patient.state_dir)
