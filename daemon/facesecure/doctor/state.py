"""Checks of what is kept: the database, the people in it, and who may read it. Nothing is made or changed."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from facesecure.doctor.finding import Finding, Patient, fail, ok, warn
from facesecure.doctor.machine import existing

_PRIVATE = "chmod go-rwx "


def database(patient: Patient) -> Path:
    """Where the database is, or will be."""
    from facesecure.store.store import DATABASE_NAME

    return patient.state_dir / DATABASE_NAME


def store(patient: Patient) -> Iterator[Finding]:
    """The database is ours, of a version we know, and whole; or could be made."""
    from facesecure.store.database import inspect, translated

    path = database(patient)
    if not path.exists():
        yield _to_be_made(patient.state_dir)
        return
    revision = inspect(path)
    with translated(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict == "ok":
        yield ok("store", f"{path}, revision {revision or 'none yet'}, {path.stat().st_size / 1e6:.1f} MB, whole")
    else:
        yield fail("store", f"{path} is damaged: {verdict}", "move it away and enrol again, or restore a backup")


def _to_be_made(state_dir: Path) -> Finding:
    parent = existing(state_dir)
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ok("store", f"{state_dir} will be made when it is first used")
    advice = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
    return fail("store", f"{state_dir} cannot be made: {parent} cannot be written", advice)


def people(patient: Patient) -> Iterator[Finding]:
    """Somebody is enrolled, with the model in use."""
    if not database(patient).exists():
        yield _nobody()
        return
    from facesecure.store.store import Store
    from facesecure.vision.model_card import load_model

    model = load_model(patient.config.recognizer.model, patient.state_dir)
    with Store.open(patient.state_dir) as opened:
        everybody = [person.name for person in opened.people()]
        known = {template.name for template in opened.templates(model.sha256)}
    yield _enrolled(everybody) if everybody else _nobody()
    strangers = [name for name in everybody if name not in known]
    if strangers:
        what = f"enrolled with another model, and not recognised by {model.card.name}: {', '.join(strangers)}"
        yield warn(
            "people", what, "facesecure run embeds their pictures again; those that are lost need enrolling again"
        )


def calibration(patient: Patient) -> Iterator[Finding]:
    """The thresholds were fitted to the people who are enrolled now."""
    if not database(patient).exists():
        return
    from facesecure.recognize.calibration import COMMAND, Calibration
    from facesecure.recognize.standards import Fit, by_name
    from facesecure.store.store import Store
    from facesecure.vision.model_card import load_model

    model = load_model(patient.config.recognizer.model, patient.state_dir)
    with Store.open(patient.state_dir) as opened:
        templates = by_name(opened.templates(), model.sha256)
    made = Calibration.load(patient.state_dir)
    fit = Fit.of(made, templates, model.sha256)
    if not templates:
        return
    if made is None:
        yield ok("calibration", f"{fit.complaint}; the safe default holds, and {COMMAND} fits it")
    elif fit.changed:
        what = f"{fit.complaint or 'new or changed since'}: the safe default holds for {', '.join(fit.changed)}"
        yield warn("calibration", what, f"re-calibration is offered: {COMMAND}")
    else:
        rate = f"1 stranger in {1 / made.false_accept:,.0f}"
        yield ok("calibration", f"made on {made.made_at.date()} for {rate}: {', '.join(fit.calibrated)}")


def _enrolled(names: list[str]) -> Finding:
    return ok("people", f"{len(names)} enrolled: {', '.join(names)}")


def _nobody() -> Finding:
    return warn("people", "nobody is enrolled: everybody is a stranger", "facesecure enroll NAME --images PATH...")


def permissions(patient: Patient) -> Iterator[Finding]:
    """Faces are nobody else's business, nor is a camera's password."""
    findings = [*_of_state(patient), *_of_config(patient)]
    yield from findings or [ok("permissions", "what is kept is its owner's only")]


def _of_state(patient: Patient) -> Iterator[Finding]:
    for path in (patient.state_dir, database(patient)):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield warn("permissions", f"{path} can be read by others", f"{_PRIVATE}{path}")
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            yield fail(
                "permissions", f"{path} cannot be read and written by this user", "run as the user of the service"
            )


def _of_config(patient: Patient) -> Iterator[Finding]:
    path, source = patient.config_file, patient.config.camera.source
    if path is not None and "@" in source and stat.S_IMODE(path.stat().st_mode) & 0o004:
        yield warn("permissions", f"{path} holds a camera's password and can be read by everybody", f"chmod o-r {path}")
