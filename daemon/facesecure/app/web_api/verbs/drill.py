"""Drill: rehearse an alarm at a camera, and follow its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesecure.app.changes import Topic
from facesecure.app.control.drill_commands import DrillCommands
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.app.web_api.verbs.live import Slug, by_slug, camera_of
from facesecure.domain.accounts import Role
from facesecure.services.drill.report import DrillReport, load_reports

_HISTORY = 10


class WhichDrills(Arguments):
    """``history``: the drills before the present one, too."""

    history: bool = False


class WhereDrill(Arguments):
    """The camera that shows the stranger."""

    camera: Slug


def show(call: Call[WhichDrills]) -> Answer:
    """Return the steps of the drill that is running or was the last since the start, and the ones before it."""
    present = _drills(call.parts).handlers()["drill-report"]({})
    cameras = [{"camera": slug, "name": camera.name} for slug, camera in by_slug(call.parts).items()]
    shown: dict[str, Any] = {"cameras": cameras, "drill": _shown(present) if present else None}
    if call.arguments.history:
        shown |= _history(load_reports(call.parts.state_dir))
    return Answer(shown)


def begin(call: Call[WhereDrill]) -> Answer:
    """Begin a drill. Raises Refused or UsageError, as while another is running."""
    slug, camera = camera_of(call.parts, call.arguments.camera)
    _drills(call.parts).handlers()["drill"]({"camera": camera.name})
    return Answer({"camera": slug, "name": camera.name})


def _drills(parts: WebParts) -> DrillCommands:
    if parts.commands.drills is None:
        raise Refused(Refusal.FAILED, "there are no drills in this daemon")
    return parts.commands.drills


def _history(reports: list[DrillReport]) -> dict[str, Any]:
    good = next((report for report in reports if report.good), None)
    return {"last_good": good and _summary(good), "drills": [_summary(report) for report in reports[:_HISTORY]]}


def _summary(report: DrillReport) -> dict[str, Any]:
    seconds = report.steps[-1].seconds if report.steps else None
    return {
        "began_at": report.began_at.isoformat(),
        "camera": report.camera,
        "good": report.good,
        "why": report.why,
        "seconds": seconds,
    }


def _shown(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``report`` with what the page shows of it."""
    steps = [{key: step[key] for key in ("what", "seconds", "channel", "note")} for step in report["steps"]]
    return {**{key: report[key] for key in ("began_at", "camera", "done", "good", "why")}, "steps": steps}


VERBS = (
    Verb("drill", Role.VIEWER, WhichDrills, show),
    Verb("drill-begin", Role.MEMBER, WhereDrill, begin, changes=(Topic.DRILL,)),
)
