"""Tell the recorder of films when somebody is there: while a face is followed, and while something moves for long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from facesecure.domain import Alert, Frame, Sighting
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.tracker import Track

_MIN_HITS = 2
"""Detections that make a visitor, as in ``sighting_builder``."""
_QUIET = 2.0
"""Seconds without movement that end a movement, as in ``presence``."""
_MAX_STEP = 1.0


class FilmRecorder(Protocol):
    """What is told of visits (``camera.clips.recorder.ClipRecorder``); no method waits or raises."""

    @property
    def identifier(self) -> str | None:
        """The film that is being taken, if one is."""

    def active(self, at: float, since: float, wall_time: datetime) -> None:
        """Film what happens at ``at`` and began at ``since``, in seconds; ``wall_time`` is the time of ``at``."""

    def keep(self) -> None:
        """Keep the film: there is a sighting in it."""


class VisitFilms:
    """A PipelineObserver that has visits filmed, and names the film in their alerts; ``inner`` is told first.

    Example::

        pipeline = Pipeline(..., observer=VisitFilms(drill, recorder, lambda: sampler.moving, min_movement=3.0))
    """

    def __init__(
        self, inner: PipelineObserver, films: FilmRecorder, moving: Callable[[], bool], *, min_movement: float
    ) -> None:
        """Follow no visit yet. ``moving`` says whether the latest frame moves.

        ``min_movement`` seconds of movement are a visit, as they are for sightings (0: never).
        """
        self._inner, self._films, self._moving = inner, films, moving
        self._min_movement = min_movement
        self._movement: tuple[float, float, float] | None = None
        """When the movement began and when it was last seen, and the seconds of it."""

    @property
    def film(self) -> str | None:
        """The identifier of the film that is being taken, None if none is."""
        return self._films.identifier

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Pass on the frame, and have it filmed if somebody is there."""
        self._inner.on_frame(frame, tracks)
        began = [track.first_seen for track in tracks if track.live and not track.fixed and track.hits >= _MIN_HITS]
        began += self._long_movement(frame.taken_at)
        if began:
            self._films.active(frame.taken_at, min(began), frame.wall_time)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Pass on the sighting, and keep its film; a drill's visitor is not in it."""
        sighting = self._inner.on_sighting(sighting)
        if not sighting.staged:
            self._films.keep()
        return sighting

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Return the alerts with the film that is being taken."""
        alerts, film = self._inner.on_alerts(sighting, alerts), self._films.identifier
        return alerts if film is None or sighting.staged else [replace(alert, clip=film) for alert in alerts]

    def _long_movement(self, at: float) -> list[float]:
        """Return when the movement at ``at`` began, if it has lasted for long enough."""
        if not self._moving():
            return []
        began, last, seconds = self._movement or (at, at, 0.0)
        if at - last > _QUIET:
            began, last, seconds = at, at, 0.0
        seconds += min(at - last, _MAX_STEP)
        self._movement = began, at, seconds
        return [began] if 0 < self._min_movement <= seconds else []
