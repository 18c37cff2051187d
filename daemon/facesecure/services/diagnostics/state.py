"""Checks of what is kept: the database, the people in it, and who may read it. Nothing is made or changed."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from facesecure.services.diagnostics.machine import existing
from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

if TYPE_CHECKING:
    from facesecure.vision.inference.model_card import ModelCard


_SHOWN = 3
_STALE = 3 * 86_400


def database(patient: CheckContext) -> Path:
    """Where the database is, or will be."""
    from facesecure.storage.store import DATABASE_NAME

    return patient.state_dir / DATABASE_NAME


def store(patient: CheckContext) -> Iterator[CheckResult]:
    """The database is ours, of a version we know, and whole; or could be made."""
    from facesecure.storage.database import inspect, translated

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
        advice = "start facesecure run again: it restores the newest good backup"
        yield fail("store", f"{path} is damaged: {verdict}", advice)


def _to_be_made(state_dir: Path) -> CheckResult:
    parent = existing(state_dir)
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ok("store", f"{state_dir} will be made when it is first used")
    advice = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
    return fail("store", f"{state_dir} cannot be made: {parent} cannot be written", advice)


def people(patient: CheckContext) -> Iterator[CheckResult]:
    """Somebody is enrolled, with the model in use."""
    if patient.config.recognizer.kind == "classifier":
        yield from _classifier_people(patient)
        return
    if not database(patient).exists():
        yield _nobody()
        return
    from facesecure.storage.store import Store
    from facesecure.vision.inference.model_card import load_model

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


def calibration(patient: CheckContext) -> Iterator[CheckResult]:
    """The thresholds were fitted to the people who are enrolled now."""
    if patient.config.recognizer.kind == "classifier":
        yield from _classifier_thresholds(patient)
        return
    if not database(patient).exists():
        return
    from facesecure.recognition.calibration import COMMAND, Calibration
    from facesecure.recognition.thresholds import Fit, by_name
    from facesecure.storage.store import Store
    from facesecure.vision.inference.model_card import load_model

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


def _enrolled(names: list[str]) -> CheckResult:
    return ok("people", f"{len(names)} enrolled: {', '.join(names)}")


def _nobody() -> CheckResult:
    return warn("people", "nobody is enrolled: everybody is a stranger", "facesecure enroll NAME --images PATH...")


def permissions(patient: CheckContext) -> Iterator[CheckResult]:
    """Faces are nobody else's business, nor is a camera's password."""
    findings = [*_of_state(patient), *_of_config(patient)]
    yield from findings or [ok("permissions", "what is kept is its owner's only")]


def _of_state(patient: CheckContext) -> Iterator[CheckResult]:
    for path in (patient.state_dir, database(patient)):
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            yield fail(
                "permissions", f"{path} cannot be read and written by this user", "run as the user of the service"
            )
    open_to_others = sorted(_open_to_others(patient.state_dir))
    if open_to_others:
        shown = ", ".join(map(str, open_to_others[:_SHOWN]))
        more = f" and {len(open_to_others) - _SHOWN} more" if len(open_to_others) > _SHOWN else ""
        yield warn("permissions", f"others can read or search {shown}{more}", f"chmod -R go-rwx {patient.state_dir}")


def _open_to_others(state_dir: Path) -> Iterator[Path]:
    """Files and folders of the state directory, itself included, that are not their owner's only."""
    for folder, folders, files in os.walk(state_dir):
        here = Path(folder)
        for path in (*([here] if here == state_dir else []), *(here / name for name in (*folders, *files))):
            with suppress(FileNotFoundError):  # the daemon is at work here
                if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077:
                    yield path


def key(patient: CheckContext) -> Iterator[CheckResult]:
    """The key that the faces are encrypted with is there, fits, and is not lost with the machine."""
    from facesecure.storage.keys import find_key
    from facesecure.storage.store import Store

    if not database(patient).exists():
        return
    with Store.open(patient.state_dir):  # refuses a key that does not fit, with what to do
        found = find_key(patient.state_dir)
    if found is not None and found.path.parent == patient.state_dir:
        where = f"{found.path}, beside the faces: whoever takes this folder takes both (docs/threat-model.md)"
        yield ok("key", where)
    elif found is not None:
        yield ok("key", f"{found.path}" + (", lent by systemd" if found.given else ""))


def backups(patient: CheckContext) -> Iterator[CheckResult]:
    """Something to fall back on, not too old, and whether the database was damaged lately."""
    from facesecure.storage.backups import Backups
    from facesecure.storage.store import Store

    if not database(patient).exists():
        return
    kept = Backups(database(patient))
    newest = next(iter(kept.all()), None)
    if newest is None:
        with Store.open(patient.state_dir) as opened:
            somebody = bool(opened.people())
        what, advice = "there is none yet", "facesecure run makes one a day"
        yield warn("backups", what, advice) if somebody else ok("backups", f"{what}; {advice}")
        return
    age = time.time() - newest.stat().st_mtime
    made = f"the newest of {len(kept.all())} is {age / 3600:.0f} h old"
    if age > _STALE:
        yield warn("backups", made, "facesecure run makes one a day: is it running, and is there room on the disk?")
    else:
        yield ok("backups", made)
    for damaged in sorted(kept.folder.glob("damaged-*.db")):
        what = f"a damaged database was replaced by its backup; it is kept as {damaged}"
        yield warn(
            "backups", what, "if it happens again, replace the disk (on a Pi, the SD card); then remove the file"
        )


def _of_config(patient: CheckContext) -> Iterator[CheckResult]:
    path, source = patient.config_file, patient.config.camera.source
    if path is not None and "@" in source and stat.S_IMODE(path.stat().st_mode) & 0o004:
        yield warn("permissions", f"{path} holds a camera's password and can be read by everybody", f"chmod o-r {path}")


def _classifier_people(patient: CheckContext) -> Iterator[CheckResult]:
    """Whom it learnt by name, and that somebody unknown has a class too."""
    from facesecure.recognition.classifier import facts_of, names_of

    card = _card(patient)
    names, facts = names_of(card), facts_of(card)
    yield ok("people", f"{len(names)} known to the classifier {card.name}: {', '.join(names)}")
    if not facts.unknown:
        what = f"{card.name} has no class for people it does not know: strangers look like one of its names to it"
        yield warn("people", what, "train it with a folder of many other people's faces, called unknown")
    if facts.crop is not None and facts.crop.detector != patient.config.detector.kind:
        what = f"{card.name} learnt on faces that {facts.crop.detector} found, not {patient.config.detector.kind}"
        yield warn("people", what, f'set [detector] kind = "{facts.crop.detector}", or train it on faces found so')


def _classifier_thresholds(patient: CheckContext) -> Iterator[CheckResult]:
    """What its card promises of strangers, and who will still be named."""
    from facesecure.recognition.classifier_thresholds import ClassThresholds

    card = _card(patient)
    standards, asked = ClassThresholds.from_card(card), patient.config.verdict.false_accept
    facts, warnings = card.classifier, standards.warnings(asked)
    for warning in warnings:
        yield warn("calibration", f"{card.name}: {warning}", "train it on more people and pictures, or ask for less")
    if facts is not None and not warnings:
        shares = ", ".join(f"{name} {standards.named(name, asked):.0%}" for name in standards.standards)
        measured = f"measured on {facts.strangers} strangers ({facts.dataset})"
        yield ok("calibration", f"1 stranger in {1 / asked:,.0f}: visits named {shares}; {measured}")


def _card(patient: CheckContext) -> ModelCard:
    from facesecure.vision.inference.model_card import load_card

    return load_card(patient.config.recognizer.model, patient.state_dir)
