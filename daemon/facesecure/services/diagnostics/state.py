"""Checks of the state directory: database, people, calibration, permissions, key and backups. Changes nothing."""

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
"""How many paths a message lists."""
_STALE_BACKUP = 3 * 86_400
"""Seconds after which the newest backup is too old."""


def database(context: CheckContext) -> Path:
    """Return the path of the database, which need not exist."""
    from facesecure.storage.store import DATABASE_NAME

    return context.state_dir / DATABASE_NAME


def store(context: CheckContext) -> Iterator[CheckResult]:
    """Check that the database is facesecure's, of a known version and intact, or that it could be created."""
    from facesecure.storage.database import inspect, translated

    path = database(context)
    if not path.exists():
        yield missing_store(context.state_dir)
        return
    revision = inspect(path)
    with translated(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict == "ok":
        yield ok("store", f"{path}, revision {revision or 'none yet'}, {path.stat().st_size / 1e6:.1f} MB, intact")
    else:
        remedy = "restart facesecure run: it restores the newest good backup"
        yield fail("store", f"{path} is damaged: {verdict}", remedy)


def missing_store(state_dir: Path) -> CheckResult:
    """Return whether ``state_dir``, which does not exist yet, can be created."""
    parent = existing(state_dir)
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ok("store", f"{state_dir} will be created when it is first used")
    remedy = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
    return fail("store", f"{state_dir} cannot be created: {parent} cannot be written", remedy)


def people(context: CheckContext) -> Iterator[CheckResult]:
    """Check that people are enrolled, with the model in use."""
    if context.config.recognizer.kind == "classifier":
        yield from _classifier_people(context)
        return
    if not database(context).exists():
        yield _no_one()
        return
    from facesecure.storage.store import Store
    from facesecure.storage.trusted_models import load_model

    model = load_model(context.config.recognizer.model, context.state_dir)
    with Store.open(context.state_dir) as opened:
        everyone = [person.name for person in opened.people()]
        known = {template.name for template in opened.templates(model.sha256)}
    yield _enrolled(everyone) if everyone else _no_one()
    foreign = [name for name in everyone if name not in known]
    if foreign:
        message = f"enrolled with another model, and not recognised by {model.card.name}: {', '.join(foreign)}"
        yield warn(
            "people",
            message,
            "facesecure run embeds their faces again; people whose faces are lost must be enrolled again",
        )


def calibration(context: CheckContext) -> Iterator[CheckResult]:
    """Check that the thresholds were fitted to the people who are enrolled now."""
    if context.config.recognizer.kind == "classifier":
        yield from _classifier_thresholds(context)
        return
    if not database(context).exists():
        return
    from facesecure.recognition.calibration import COMMAND, Calibration
    from facesecure.recognition.thresholds import Fit, by_name
    from facesecure.storage.signed_documents import SignedDocuments
    from facesecure.storage.store import Store
    from facesecure.storage.trusted_models import load_model

    model = load_model(context.config.recognizer.model, context.state_dir)
    with Store.open(context.state_dir) as opened:
        templates = by_name(opened.templates(), model.sha256)
    made = Calibration.load(SignedDocuments(context.state_dir))
    fit = Fit.of(made, templates, model.sha256)
    if not templates:
        return
    if made is None:
        yield ok("calibration", f"{fit.complaint}; the safe default holds; to fit it: {COMMAND}")
    elif fit.changed:
        message = f"{fit.complaint or 'new or changed since'}: the safe default holds for {', '.join(fit.changed)}"
        yield warn("calibration", message, f"calibrate again: {COMMAND}")
    else:
        rate = f"1 stranger in {1 / made.false_accept:,.0f}"
        where = f" at the door {made.door}" if made.door else ""
        yield ok("calibration", f"made on {made.made_at.date()}{where} for {rate}: {', '.join(fit.calibrated)}")


def signatures(context: CheckContext) -> Iterator[CheckResult]:
    """Check that what decides in the state directory is as facesecure wrote it: mode, drills, people, accounts ..."""
    from facesecure.storage.integrity import problems as problems_of
    from facesecure.storage.store import Store

    if database(context).exists():
        with Store.open(context.state_dir) as opened:
            problems = problems_of(context.state_dir, opened)
    else:
        problems = problems_of(context.state_dir, None)
    remedy = f"find out who can write to {context.state_dir}; then set, calibrate, enrol or invite it again"
    yield from (fail("signatures", problem, remedy) for problem in problems)
    if not problems:
        yield ok("signatures", "what decides in the state directory is as facesecure wrote it")


def _enrolled(names: list[str]) -> CheckResult:
    return ok("people", f"{len(names)} enrolled: {', '.join(names)}")


def _no_one() -> CheckResult:
    return warn("people", "no one is enrolled: every visitor is a stranger", "facesecure enroll NAME --images PATH...")


def permissions(context: CheckContext) -> Iterator[CheckResult]:
    """Check that only the owner can read the faces and a camera's password."""
    results = [*_state_permissions(context), *_config_permissions(context)]
    yield from results or [ok("permissions", "only the owner can read the state directory")]


def _state_permissions(context: CheckContext) -> Iterator[CheckResult]:
    for path in (context.state_dir, database(context)):
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            yield fail(
                "permissions", f"{path} cannot be read and written by this user", "run as the user of the service"
            )
    open_to_others = sorted(_open_to_others(context.state_dir))
    if open_to_others:
        shown = ", ".join(map(str, open_to_others[:_SHOWN]))
        more = f" and {len(open_to_others) - _SHOWN} more" if len(open_to_others) > _SHOWN else ""
        yield warn("permissions", f"other users can access {shown}{more}", f"chmod -R go-rwx {context.state_dir}")


def _open_to_others(state_dir: Path) -> Iterator[Path]:
    """Yield the files and folders of the state directory, itself included, that other users can access."""
    for folder, folders, files in os.walk(state_dir):
        here = Path(folder)
        for path in (*([here] if here == state_dir else []), *(here / name for name in (*folders, *files))):
            with suppress(FileNotFoundError):  # a running daemon removes files
                mode = path.lstat().st_mode
                group = 0 if stat.S_ISSOCK(mode) else 0o070  # the daemon's own socket is for the group, too
                if not stat.S_ISLNK(mode) and mode & (0o007 | group):
                    yield path


def key(context: CheckContext) -> Iterator[CheckResult]:
    """Check that the key of the faces is there and fits, and say whether it is stored beside them."""
    from facesecure.storage.keys import find_key
    from facesecure.storage.store import Store

    if not database(context).exists():
        return
    with Store.open(context.state_dir):  # raises StoreError if the key does not fit
        found = find_key(context.state_dir)
    if found is not None and found.path.parent == context.state_dir:
        message = f"{found.path}, beside the faces: a copy of this folder includes both (docs/threat-model.md)"
        yield ok("key", message)
    elif found is not None:
        yield ok("key", f"{found.path}" + (", provided by systemd" if found.from_systemd else ""))


def backups(context: CheckContext) -> Iterator[CheckResult]:
    """Check that there is a recent backup, and report a database that was damaged."""
    from facesecure.storage.backups import Backups
    from facesecure.storage.store import Store

    if not database(context).exists():
        return
    stored = Backups(database(context))
    newest = next(iter(stored.all()), None)
    if newest is None:
        with Store.open(context.state_dir) as opened:
            enrolled = bool(opened.people())
        message, remedy = "there is none yet", "facesecure run makes one a day"
        yield warn("backups", message, remedy) if enrolled else ok("backups", f"{message}; {remedy}")
        return
    age = time.time() - newest.stat().st_mtime
    message = f"the newest of {len(stored.all())} is {age / 3600:.0f} h old"
    if age > _STALE_BACKUP:
        yield warn("backups", message, "facesecure run makes one a day: check that it runs, and the free disk space")
    else:
        yield ok("backups", message)
    for damaged in sorted(stored.folder.glob("damaged-*.db")):
        message = f"a damaged database was replaced by its backup; it is kept as {damaged}"
        yield warn(
            "backups", message, "if it happens again, replace the disk (on a Pi, the SD card); then remove the file"
        )


def _config_permissions(context: CheckContext) -> Iterator[CheckResult]:
    path, found = context.config_file, [one.camera for one in context.config.each_camera()]
    secret = any("@" in uri for camera in found for uri in (camera.source, camera.detect or ""))
    if path is not None and secret and stat.S_IMODE(path.stat().st_mode) & 0o004:
        yield warn("permissions", f"{path} holds a camera's password and can be read by all users", f"chmod o-r {path}")


def _classifier_people(context: CheckContext) -> Iterator[CheckResult]:
    """Check the names the classifier was trained on, its class for unknown people, and its detector."""
    from facesecure.recognition.classifier import facts_of, names_of

    card = _card(context)
    names, facts = names_of(card), facts_of(card)
    yield ok("people", f"{len(names)} known to the classifier {card.name}: {', '.join(names)}")
    if not facts.unknown:
        message = f"{card.name} has no class for unknown people, and takes strangers for one of its names"
        yield warn("people", message, "train it with a folder of many other people's faces, named unknown")
    if facts.crop is not None and facts.crop.detector != context.config.detector.kind:
        message = (
            f"{card.name} was trained on faces that {facts.crop.detector} found, not {context.config.detector.kind}"
        )
        yield warn("people", message, f'set [detector] kind = "{facts.crop.detector}", or train it again')


def _classifier_thresholds(context: CheckContext) -> Iterator[CheckResult]:
    """Check the rate of false accepts on the classifier's card, and the share of visits it still names."""
    from facesecure.recognition.classifier_thresholds import ClassThresholds

    card = _card(context)
    standards, allowed = ClassThresholds.from_card(card), context.config.verdict.false_accept
    facts, warnings = card.classifier, standards.warnings(allowed)
    for warning in warnings:
        yield warn(
            "calibration", f"{card.name}: {warning}", "train it on more people and images, or allow a higher rate"
        )
    if facts is not None and not warnings:
        shares = ", ".join(f"{name} {standards.named(name, allowed):.0%}" for name in standards.rules)
        measured = f"measured on {facts.strangers} strangers ({facts.dataset})"
        yield ok("calibration", f"1 stranger in {1 / allowed:,.0f}: visits named {shares}; {measured}")


def _card(context: CheckContext) -> ModelCard:
    from facesecure.storage.trusted_models import load_card

    return load_card(context.config.recognizer.model, context.state_dir)
