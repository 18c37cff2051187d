"""What the pipeline tells a drill, and the one that never begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from facesecure.domain import Alert, Frame, Sighting
from facesecure.pipeline.tracker import Track


class PipelineObserver(Protocol):
    """Watches the journey; knows which sightings are of its own making (``drill.Drill``)."""

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Look at a frame whose faces were found, before anything is said of them."""

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """``sighting``, marked as staged if a drill has made it."""

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """``alerts``, as the policy has them told of ``sighting``."""


class NullObserver:
    """Everything is real."""

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Nothing to look for."""

    def on_sighting(self, sighting: Sighting) -> Sighting:
        return sighting

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:  # noqa: ARG002
        return alerts
