"""The processing of one frame, in order: sample, detect, track, identify, build sightings, record, decide, alert."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from facesecure.alerts.policy.policy import Policy
from facesecure.domain import Frame, Sighting
from facesecure.domain.interfaces import AlertSink
from facesecure.pipeline.closeups import Closeups
from facesecure.pipeline.face_search import FaceSearch
from facesecure.pipeline.frame_sampler import FrameSampler
from facesecure.pipeline.model_pool import ModelPool
from facesecure.pipeline.observer import NullObserver, PipelineObserver
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.sighting_recorder import SightingRecorder
from facesecure.pipeline.tracker import Track, Tracker, identification_queue
from facesecure.recognition.identify import Identifier, analyse_face
from facesecure.recognition.liveness.watch import LivenessWatch
from facesecure.vision.detection.face_mask import FaceMask

_log = logging.getLogger(__name__)

Onlooker = Callable[[Frame, Sequence[Track]], None]
"""Receives every processed frame with its tracks, for previews and measurements; it takes part in no decision."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages between a source and the alerts, for one camera.

    Example::

        with LatestFrame(source) as frames:
            Pipeline("front door", sampler, models, tracker, builder, recorder, policy, alerts).run(frames)
    """

    camera: str
    sampler: FrameSampler
    models: ModelPool
    tracker: Tracker
    builder: SightingBuilder
    recorder: SightingRecorder
    policy: Policy
    alerts: AlertSink
    observer: PipelineObserver = field(default_factory=NullObserver)
    mask: FaceMask = field(default_factory=FaceMask)
    liveness: LivenessWatch = field(default_factory=LivenessWatch)
    search: FaceSearch = field(default_factory=FaceSearch)
    closeups: Closeups = field(default_factory=Closeups)

    def run(self, frames: Iterable[Frame], onlooker: Onlooker | None = None) -> None:
        """Process ``frames`` to their end, then publish what the open tracks still hold."""
        for frame in frames:
            tracks = self.step(frame)
            if onlooker:
                onlooker(frame, tracks)
        self._publish(self.builder.finish(self.tracker.finish()))

    def step(self, frame: Frame) -> list[Track]:
        """Process one frame. Return its tracks, including those that ended on it."""
        tracks = self._search(frame) if self.sampler.should_detect(frame) else self._follow(frame)
        self.observer.on_frame(frame, tracks)
        for track in tracks:
            self._publish(self.builder.update(track, frame))
            if track.fixed:
                _log_fixed(track, frame, self.camera)
        self._publish(self.builder.update_presence(frame, moving=self.sampler.moving, tracks=tracks))
        return tracks

    def _follow(self, frame: Frame) -> list[Track]:
        """Return the tracks at the time of ``frame``, which is not searched."""
        return self.tracker.update(None, frame.taken_at)

    def _search(self, frame: Frame) -> list[Track]:
        """Return the tracks after searching ``frame`` for faces, and identifying those that are due."""
        with self.models.lend(self.camera, urgent=self.tracker.unsure) as models:
            found = self.search.find(models.detector, frame, self.tracker.tracks, self.sampler.regions)
            faces = self.mask.outside(found, frame.pixels.size)
            tracks = self.tracker.update(faces, frame.taken_at)
            closeup = partial(self.closeups.of, frame, detector=models.detector) if self.closeups.nearest else None
            self.liveness.follow(frame, tracks, models.antispoof, closeup)
            queue = identification_queue(tracks)
            tracks = [self._identify(track, frame, models) if track.number in queue else track for track in tracks]
            self.builder.watch.follow(frame, self.sampler, tracks, models.subjects)
            return tracks

    def _identify(self, track: Track, frame: Frame, models: Identifier) -> Track:
        image, found = self.closeups.of(frame, track.face, models.detector)
        face, recognition = analyse_face(image, found, models.floors, models.recognizer)
        return self.tracker.observe(track, face, recognition)

    def _publish(self, sightings: Sequence[Sighting]) -> None:
        """Record each sighting and send the alerts that the policy decides on."""
        for sighting in map(self.observer.on_sighting, sightings):
            snapshot = self.recorder.record(sighting)
            for alert in self.observer.on_alerts(sighting, self.policy.decide(sighting, snapshot)):
                self.alerts.send(alert)


def _log_fixed(track: Track, frame: Frame, camera: str) -> None:
    box, (width, height) = track.face.box, frame.pixels.size
    mask = (box.left / width, box.top / height, box.right / width, box.bottom / height)
    corners = ", ".join(f"{min(max(edge, 0.0), 1.0):.3f}" for edge in mask)
    _log.info(
        "a face at the %s does not move and is ignored, as on a poster; for never, in its table: mask = [[%s]]",
        camera,
        corners,
    )
