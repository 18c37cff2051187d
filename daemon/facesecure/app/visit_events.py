"""Make an event of every visit, for a front that wants all of them, whatever the rules decide on."""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.domain import Alert, Frame, Sighting, VerdictKind
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.tracker import Track


class VisitEvents:
    """An observer that adds an alert for ``channel`` alone to those of each visit, around another observer.

    So the outbox keeps it until it is delivered. Example::

        observer = VisitEvents(drill, "mqtt")
    """

    def __init__(self, inner: PipelineObserver, channel: str) -> None:
        """``inner`` does what it would do without this one."""
        self._inner, self._channel = inner, channel

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Pass the frame on."""
        self._inner.on_frame(frame, tracks)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Pass the sighting on."""
        return self._inner.on_sighting(sighting)

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Add the event of ``sighting``, once for each: when it is closed, it is not a new one."""
        alerts = self._inner.on_alerts(sighting, alerts)
        if sighting.closing:
            return alerts
        return [*alerts, Alert.about(sighting, _text(sighting), channels=(self._channel,))]


def _text(sighting: Sighting) -> str:
    verdict = sighting.verdict
    who = verdict.name or ("a stranger" if verdict.kind is VerdictKind.STRANGER else "somebody unidentified")
    return f"{who} at the {sighting.source}"
