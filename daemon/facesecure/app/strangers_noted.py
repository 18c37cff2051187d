"""Note what strangers look like, for the agreement with the household's other doors on who notifies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from facesecure.alerts.policy.visit import VisitAppearance
from facesecure.domain import Alert, Frame, Sighting, VerdictKind
from facesecure.domain.notices import SeenStranger
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.tracker import Track


class StrangersNoted:
    """An observer that notes each stranger before anybody decides on an alert, around another observer.

    Example::

        observer = StrangersNoted(drill, once.note)
    """

    def __init__(self, inner: PipelineObserver, note: Callable[[SeenStranger], object]) -> None:
        """``inner`` does what it would do without this one."""
        self._inner, self._note = inner, note

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Pass the frame on."""
        self._inner.on_frame(frame, tracks)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Pass the sighting on, as it is marked by now."""
        marked = self._inner.on_sighting(sighting)
        if marked.verdict.kind is VerdictKind.STRANGER and not marked.staged:
            self._note(_seen(marked))
        return marked

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Pass the alerts on."""
        return self._inner.on_alerts(sighting, alerts)


def _seen(sighting: Sighting) -> SeenStranger:
    appearance = VisitAppearance.of(sighting.faces)
    if appearance is None:
        return SeenStranger(sighting.identifier, sighting.source)
    visit = appearance.visit
    return SeenStranger(sighting.identifier, sighting.source, visit.mean, visit.clarity, appearance.model_sha256)
