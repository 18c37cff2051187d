"""An alert as one flat JSON object: what the log's file, the journal and a webhook are told of it."""

from __future__ import annotations

from typing import Any

from facesecure.domain import Alert, Sighting

SIGHTING_KEYS = (
    "name",
    "why",
    "score",
    "second_name",
    "second_score",
    "evidence",
    "faces_used",
    "sighting",
    "source",
    "track",
    "first_seen",
    "last_seen",
    "supersedes",
)


def document(alert: Alert) -> dict[str, Any]:
    """Times are ISO 8601 with their zone, paths are text; what an alert has not, as one about nobody, is None."""
    return {
        "text": alert.text,
        "kind": alert.kind.value,
        "alert": alert.identifier,
        "created_at": alert.created_at.isoformat(),
        "held_back": alert.held_back,
        "snapshot": None if alert.snapshot_path is None else str(alert.snapshot_path),
        **(dict.fromkeys(SIGHTING_KEYS) if alert.sighting is None else _of_sighting(alert.sighting)),
    }


def _of_sighting(sighting: Sighting) -> dict[str, Any]:
    verdict = sighting.verdict
    values = (
        verdict.name,
        verdict.why,
        verdict.score,
        verdict.second_name,
        verdict.second_score,
        verdict.evidence,
        verdict.faces_used,
        sighting.identifier,
        sighting.source,
        sighting.track,
        sighting.first_seen.isoformat(),
        sighting.last_seen.isoformat(),
        sighting.supersedes,
    )
    return dict(zip(SIGHTING_KEYS, values, strict=True))
