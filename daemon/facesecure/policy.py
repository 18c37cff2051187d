"""Decides what is said about a sighting: a Sighting in, zero or more Alerts out."""

from __future__ import annotations

from pathlib import Path

from facesecure.domain import Alert, Sighting, VerdictKind


class Policy:
    """Every sighting is told once. One that corrects an earlier one says so."""

    def __init__(self, place: str) -> None:
        """``place``: what to call the camera in a sentence, as in "Anna is at the front door"."""
        self._place = place

    def decide(self, sighting: Sighting, snapshot_path: Path | None = None) -> list[Alert]:
        """Alerts for ``sighting``; none if it was told before and is merely closing."""
        if sighting.closing:
            return []
        return [Alert.about(sighting, self._words(sighting), snapshot_path=snapshot_path)]

    def _words(self, sighting: Sighting) -> str:
        prefix = "Correction: " if sighting.supersedes else ""
        verdict = sighting.verdict
        if verdict.kind is VerdictKind.KNOWN:
            return f"{prefix}{verdict.name} is at the {self._place}"
        if verdict.kind is VerdictKind.STRANGER:
            return f"{prefix}{'a' if prefix else 'A'} stranger is at the {self._place}"
        return f"Somebody or something was at the {self._place}"
