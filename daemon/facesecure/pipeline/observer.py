"""Hooks into the pipeline: follow frames, sightings and alerts, and mark or replace the last two on their way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from facesecure.domain import Alert, Frame, Sighting
from facesecure.pipeline.tracker import Track


class PipelineObserver(Protocol):
    """Follows the processing of every frame, on the pipeline's own thread (``services.drill.drill.Drill`` is one).

    Example::

        class Counter(NullObserver):
            sightings = 0

            def on_sighting(self, sighting: Sighting) -> Sighting:
                self.sightings += 1
                return sighting
    """

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Receive a tracked and identified frame, before any sighting is made of it."""

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Return ``sighting`` as it is to be recorded and judged; a drill marks its own as staged."""

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Return the alerts to send, given those that the policy decided on for ``sighting``."""


class NullObserver:
    """A PipelineObserver that changes nothing."""

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Ignore the frame."""

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Return ``sighting`` unchanged."""
        return sighting

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:  # noqa: ARG002
        """Return ``alerts`` unchanged."""
        return alerts
