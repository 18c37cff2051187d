"""A frame's journey, readable top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from facesecure.alerts.policy.policy import Policy
from facesecure.config import QualityConfig
from facesecure.domain import Alert, Frame, Sighting
from facesecure.domain.interfaces import Detector, Recognizer
from facesecure.pipeline.frame_sampler import FrameSampler
from facesecure.pipeline.observer import NullObserver, PipelineObserver
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.sighting_recorder import SightingRecorder
from facesecure.pipeline.tracker import Track, Tracker, identification_queue
from facesecure.recognition.identify import analyse_face


class Alerts(Protocol):
    """Where alerts go (``alerts.dispatcher.Dispatcher``)."""

    def send(self, alert: Alert) -> None:
        """Hand over and return at once."""


Onlooker = Callable[[Frame, Sequence[Track]], None]
"""Shown every frame after its journey, with its tracks: for pictures and measurements, never for decisions."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages between a source and the alerts, and the order they come in."""

    sampler: FrameSampler
    detector: Detector
    tracker: Tracker
    quality: QualityConfig
    recognizer: Recognizer
    builder: SightingBuilder
    recorder: SightingRecorder
    policy: Policy
    alerts: Alerts
    observer: PipelineObserver = field(default_factory=NullObserver)

    def run(self, frames: Iterable[Frame], onlooker: Onlooker | None = None) -> None:
        """Follow every frame to its end; returns when ``frames`` does."""
        for frame in frames:
            tracks = self.step(frame)
            if onlooker:
                onlooker(frame, tracks)
        self._publish(self.builder.finish(self.tracker.finish()))

    def step(self, frame: Frame) -> list[Track]:
        """One frame's journey. Returns its tracks, those that ended on it included."""
        faces = self.detector.detect(frame.image) if self.sampler.should_detect(frame) else None
        tracks = self.tracker.update(faces, frame.taken_at)
        asked = identification_queue(tracks)
        tracks = [self._identify(track, frame) if track.number in asked else track for track in tracks]
        self.observer.on_frame(frame, tracks)
        for track in tracks:
            self._publish(self.builder.update(track, frame))
        self._publish(
            self.builder.update_presence(frame, moving=self.sampler.moving, face=any(t.hits > 1 for t in tracks))
        )
        return tracks

    def _identify(self, track: Track, frame: Frame) -> Track:
        face, recognition = analyse_face(frame.image, track.face, self.quality, self.recognizer)
        return self.tracker.observe(track, face, recognition)

    def _publish(self, sightings: Sequence[Sighting]) -> None:
        for sighting in map(self.observer.on_sighting, sightings):
            snapshot = self.recorder.record(sighting)
            for alert in self.observer.on_alerts(sighting, self.policy.decide(sighting, snapshot)):
                self.alerts.send(alert)
