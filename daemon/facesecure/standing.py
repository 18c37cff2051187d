"""How things stand, gathered from a running daemon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from facesecure.arming import Mode
from facesecure.errors import SourceError
from facesecure.status import WATCHING, LastSeen, status_line
from facesecure.store.store import Store


class Camera(Protocol):
    """What is needed of ``sources.capture.LatestFrame``."""

    @property
    def trouble(self) -> SourceError | None: ...


def standing(store: Store, camera: Camera, place: str, mode: Mode, complaint: str = "") -> str:
    """The line for STATUS=; ``complaint`` is what somebody has to mend. Any thread may ask. Raises StoreError."""
    seen = store.sightings(limit=1, latest_only=True)
    last = LastSeen(seen[0].kind, seen[0].name, seen[0].last_seen) if seen else None
    trouble = camera.trouble
    doing = f"no picture of the {place} ({trouble.message})" if trouble else WATCHING
    line = status_line(mode, len(store.people()), last, datetime.now(UTC), camera=doing)
    return f"{line}; {complaint}" if complaint else line
