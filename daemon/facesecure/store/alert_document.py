"""An alert as JSON and back, equal to what it was. Pixels and faces are left out: alerts come without them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from facesecure.domain import Alert, AlertKind, Box, Sighting, Verdict, VerdictKind

_NUMBERS = ("score", "second_score", "evidence")


def document(alert: Alert) -> dict[str, Any]:
    """All that ``alert`` says, in JSON's own types; times with their zone, to the microsecond."""
    return {
        "kind": alert.kind.value,
        "text": alert.text,
        "speech": alert.speech,
        "sighting": None if alert.sighting is None else _sighting(alert.sighting),
        "snapshot_path": None if alert.snapshot_path is None else str(alert.snapshot_path),
        "held_back": int(alert.held_back),
        "channels": None if alert.channels is None else list(alert.channels),
        "identifier": alert.identifier,
        "created_at": alert.created_at.isoformat(),
    }


def alert_of(document: dict[str, Any]) -> Alert:
    """The alert that ``document`` was made of. Raises ValueError, KeyError or TypeError where it was made of none."""
    seen, path, channels = (document[key] for key in ("sighting", "snapshot_path", "channels"))
    return Alert(
        kind=AlertKind(document["kind"]),
        text=document["text"],
        speech=document["speech"],
        sighting=None if seen is None else _sighting_of(seen),
        snapshot_path=None if path is None else Path(path),
        held_back=document["held_back"],
        channels=None if channels is None else tuple(channels),
        identifier=document["identifier"],
        created_at=datetime.fromisoformat(document["created_at"]),
    )


def _sighting(sighting: Sighting) -> dict[str, Any]:
    box = sighting.box
    return {
        "identifier": sighting.identifier,
        "verdict": _verdict(sighting.verdict),
        "source": sighting.source,
        "first_seen": sighting.first_seen.isoformat(),
        "last_seen": sighting.last_seen.isoformat(),
        "track": None if sighting.track is None else int(sighting.track),
        "supersedes": sighting.supersedes,
        "box": None if box is None else [float(edge) for edge in (box.left, box.top, box.right, box.bottom)],
        "closing": bool(sighting.closing),
        "staged": bool(sighting.staged),
    }


def _sighting_of(document: dict[str, Any]) -> Sighting:
    times = {key: datetime.fromisoformat(document[key]) for key in ("first_seen", "last_seen")}
    verdict = Verdict(**{**document["verdict"], "kind": VerdictKind(document["verdict"]["kind"])})
    box = None if document["box"] is None else Box(*document["box"])
    return Sighting(**{**document, **times, "verdict": verdict, "box": box})


def _verdict(verdict: Verdict) -> dict[str, Any]:
    values = asdict(verdict)
    numbers = {key: None if values[key] is None else float(values[key]) for key in _NUMBERS}
    return {**values, **numbers, "kind": verdict.kind.value, "faces_used": int(verdict.faces_used)}
