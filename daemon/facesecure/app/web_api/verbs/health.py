"""Health: cameras, channels, disk, memory, versions, the copy of the key, and the checks of ``facesecure doctor``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facesecure.app.changes import Topic
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Call, Nothing, Refused, Verb
from facesecure.domain.accounts import Role
from facesecure.domain.errors import StoreError
from facesecure.services import machine_facts
from facesecure.services.diagnostics.result import CheckContext, Health
from facesecure.services.doctor_run import Report
from facesecure.services.drill.report import DrillReport, last_good_report, load_reports
from facesecure.services.key_copy import KeyCopy, key_copy, note_copy


def health(call: Call[Nothing]) -> Answer:
    """Return the state of everything; the paths on the machine only for an owner."""
    parts = call.parts
    owner = call.session.role.includes(Role.OWNER)
    disk = machine_facts.disk(parts.state_dir)
    return Answer(
        {
            "now": datetime.now(UTC).isoformat(),
            "started_at": parts.commands.started_at.isoformat(),
            "cameras": [_camera(report.as_json()) for report in parts.commands.cameras],
            "channels": [_channel(parts, report) for report in parts.dispatcher.reports()],
            "doors": parts.commands.doors_document(),
            "complaint": parts.commands.complaint,
            "problems": list(parts.commands.problems()) if owner else [],
            "disk": disk if owner else {**disk, "folder": ""},
            "memory": machine_facts.memory(),
            "versions": machine_facts.versions(),
            "update": parts.commands.update_document(),
            "key": _key_here(parts.state_dir, owner=owner),
            "drill": _drills(parts.state_dir),
            "doctor": _doctor(parts.doctor.report, owner=owner),
        }
    )


def check(call: Call[Nothing]) -> Answer:
    """Begin the checks of ``facesecure doctor``, unless they are going on."""
    parts = call.parts
    file = None if parts.settings is None else parts.settings.place.config_file
    began = parts.doctor.begin(CheckContext(parts.config, file, parts.state_dir), parts.changes.bumper(Topic.TROUBLES))
    return Answer({"began": began})


def checks(call: Call[Nothing]) -> Answer:
    """Return the results of the checks so far."""
    return Answer({"doctor": _doctor(call.parts.doctor.report, owner=True)})


def key_kept(call: Call[Nothing]) -> Answer:
    """Note that whoever asks has a copy of the key. Raises Refused if there is no key yet."""
    found = note_copy(call.parts.state_dir, call.session.account)
    if found is None:
        raise Refused(Refusal.MISSING, "there is no key yet", "it is made when the first person is enrolled")
    return Answer({"key": _key(found, owner=True)})


def _camera(report: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of a camera: whether it works, and how fast, but not its address."""
    shown = {name: report[name] for name in ("name", "trouble", "main_trouble", "fps", "last_frame_seconds")}
    return {**shown, "filming": report["clip"] is not None}


def _channel(parts: WebParts, report: Any) -> dict[str, Any]:
    after = parts.config.alerts.fallback.get(report.name)
    in_use = {one.name for one in parts.dispatcher.reports()}
    aloud = report.name in parts.config.policy.aloud
    return {**asdict(report), "aloud": aloud, "fallback": after if after in in_use else None}


def _key_here(state_dir: Path, *, owner: bool) -> dict[str, Any] | None:
    try:
        return _key(key_copy(state_dir), owner=owner)
    except StoreError as error:
        return {"copied": False, "by": None, "at": None, "beside_faces": False, "problem": error.message}


def _key(found: KeyCopy | None, *, owner: bool) -> dict[str, Any] | None:
    if found is None:
        return None
    at = found.at.isoformat() if found.at else None
    shown = {"copied": found.at is not None, "by": found.by, "at": at, "beside_faces": found.beside_faces}
    return {**shown, "path": found.path, "identifier": found.identifier} if owner else shown


def _drills(state_dir: Path) -> dict[str, Any]:
    last = next(iter(load_reports(state_dir)), None)
    return {"last": _drill(last), "good": _drill(last_good_report(state_dir))}


def _drill(report: DrillReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {"at": report.began_at.isoformat(), "good": report.good, "why": report.why, "camera": report.camera}


def _doctor(report: Report | None, *, owner: bool) -> dict[str, Any] | None:
    """Return the run of the checks; to others than owners only how many failed: messages name paths and people."""
    if report is None:
        return None
    counts = {each.value: sum(result.health is each for result in report.results) for each in Health}
    found = [
        {"check": one.check, "status": one.health.value, "message": one.message, "advice": one.remedy or None}
        for one in report.results
    ]
    return {
        "began_at": report.began_at.isoformat(),
        "ended_at": report.ended_at.isoformat() if report.ended_at else None,
        "done": len({one.check for one in report.results}),
        "wanted": report.wanted,
        "counts": counts,
        "results": found if owner else [],
    }


VERBS = (
    Verb("health", Role.VIEWER, Nothing, health),
    Verb("health-check", Role.OWNER, Nothing, check),
    Verb("health-checks", Role.OWNER, Nothing, checks),
    Verb("health-key-kept", Role.OWNER, Nothing, key_kept, confirmed=True),
)
