"""Tell the page's change feed what happens in the daemon. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from facesecure.alerts.delivery.scheduler import OnStep
from facesecure.app.changes import ChangeFeed, Topic
from facesecure.domain import Alert, AlertKind, Frame, Sighting
from facesecure.domain.camera_events import CameraEvent
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.tracker import Track

_TROUBLES = (AlertKind.CAMERA, AlertKind.SERVICE)


class VisitChanges:
    """An observer that notes each sighting once it was recorded, around another observer.

    Example::

        observer = VisitChanges(drill, feed)
    """

    def __init__(self, inner: PipelineObserver, feed: ChangeFeed) -> None:
        """``inner`` does what it would do without this one."""
        self._inner, self._feed = inner, feed

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Pass the frame on."""
        self._inner.on_frame(frame, tracks)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Pass the sighting on, before it is recorded."""
        return self._inner.on_sighting(sighting)

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Note the sighting, which has been recorded by now; one that ended may have made a visitor."""
        if not sighting.staged:
            self._feed.bump(Topic.VISITS, *((Topic.VISITORS,) if sighting.closing else ()))
        return self._inner.on_alerts(sighting, alerts)


def delivery_changes(feed: ChangeFeed) -> OnStep:
    """Return a follower of the dispatcher's steps; an alert about a camera or facesecure is a trouble as well."""

    def step(alert: Alert, channel: str, what: str) -> None:  # noqa: ARG001
        feed.bump(Topic.DELIVERIES, *((Topic.TROUBLES,) if alert.kind in _TROUBLES else ()))

    return step


def trouble_changes(on_event: Callable[[CameraEvent], None], feed: ChangeFeed) -> Callable[[CameraEvent], None]:
    """Return ``on_event``, which is told of a camera's troubles, so that the page learns of them too."""

    def told(event: CameraEvent) -> None:
        on_event(event)
        feed.bump(Topic.TROUBLES)

    return told
