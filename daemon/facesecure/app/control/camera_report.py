"""Report the state of one camera to a program or person that asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from facesecure.app.watching import WatchedCamera
from facesecure.domain import Box, Face
from facesecure.domain.errors import SourceError
from facesecure.pipeline.visit_films import VisitFilms
from facesecure.services.drill.drill import Drill
from facesecure.util.redaction import redact


class CameraStatus(Protocol):
    """The part of ``camera.health.HealthMonitor`` that a status needs."""

    @property
    def trouble(self) -> SourceError | None:
        """Why there are no usable frames; None while there are."""


class FrameStatus(Protocol):
    """The part of ``camera.capture.LatestFrame`` that a status needs."""

    @property
    def heartbeat(self) -> float | None:
        """When the last frame came, in ``time.monotonic()``; None before the first."""

    @property
    def rate(self) -> float | None:
        """Frames a second lately; None while unknown."""


def _none() -> None:
    """Return that nothing is being filmed."""


@dataclass(frozen=True, slots=True)
class CameraReport:
    """The parts of a camera that its state is read from, at the moment that it is asked for.

    ``fixed_faces`` returns the faces that are ignored because they never move. Example::

        CameraReport.of(watched).as_json()["fps"]
    """

    name: str
    health: CameraStatus
    source: str = ""
    frames: FrameStatus | None = None
    fixed_faces: Callable[[], Sequence[Face]] = tuple
    drill: Drill | None = None
    main: CameraStatus | None = None
    """The main stream, where ``frames`` are those of a sub-stream."""
    film: Callable[[], str | None] = _none
    """Returns the identifier of the film that is being taken."""

    @classmethod
    def of(cls, watched: WatchedCamera) -> CameraReport:
        """Return the report of a camera of the daemon."""
        camera, tracker, observer = watched.camera, watched.pipeline.tracker, watched.pipeline.observer
        return cls(
            watched.name,
            camera.monitor,
            watched.config.camera.source,
            camera.frames,
            lambda: tracker.fixed_faces,
            watched.drill,
            watched.main,
            lambda: observer.film if isinstance(observer, VisitFilms) else None,
        )

    @property
    def lost(self) -> bool:
        """Whether there are no usable frames."""
        return self.health.trouble is not None

    def as_json(self) -> dict[str, Any]:
        """Return its name, trouble, source without secrets, frames a second, age of its last frame, and film."""
        trouble, main_trouble = self.health.trouble, self.main.trouble if self.main else None
        beat, rate = (self.frames.heartbeat, self.frames.rate) if self.frames else (None, None)
        return {
            "name": self.name,
            "trouble": trouble.message if trouble else None,
            "source": redact(self.source),
            "fps": None if rate is None else round(rate, 1),
            "last_frame_seconds": None if beat is None else round(time.monotonic() - beat, 1),
            "fixed_faces": [_corners(face.box) for face in self.fixed_faces()],
            "main_trouble": main_trouble.message if main_trouble else None,
            "clip": self.film(),
        }


def watching_words(cameras: Sequence[CameraReport]) -> str:
    """Return "watching", or from which cameras there is no image."""
    lost = [camera.name for camera in cameras if camera.lost]
    if not lost:
        return "watching"
    *first, last = lost
    return f"no image from the {', the '.join(first)} and the {last}" if first else f"no image from the {last}"


def _corners(box: Box) -> list[int]:
    """Return left, top, right and bottom in whole pixels."""
    return [round(edge) for edge in (box.left, box.top, box.right, box.bottom)]
