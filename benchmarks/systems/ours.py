"""Run facesecure over the clip as the daemon is assembled, with a stopwatch around each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.labels import Corners
from benchmarks.measure import Lap, peak_memory
from benchmarks.scoring import Claim
from benchmarks.stopwatch import Stopwatch, Timed
from facesecure.app import assembly
from facesecure.config import CameraConfig, FacesecureConfig
from facesecure.domain import Box, Face, Frame, VerdictKind
from facesecure.domain.interfaces import Detector
from facesecure.pipeline import pipeline
from facesecure.pipeline.face_search import FaceSearch
from facesecure.pipeline.model_pool import ModelPool
from facesecure.pipeline.tracker import Track
from facesecure.recognition import identify
from facesecure.recognition.identify import Identifier
from facesecure.vision.images.quality import examine


class Run:
    """One run over a video; afterwards ``cpu`` holds each frame's seconds, ``claims`` the verdicts.

    ``stages`` holds each frame's seconds by stage, ``memory`` the peak (bytes) after each step so far.
    """

    def __init__(self, video: Path, state_dir: Path, *, whole: bool = False) -> None:
        """``whole``: search the whole frame each time, instead of what moves."""
        self.cpu: list[float | None] = []
        self.claims: list[Claim] = []
        self.stages: list[dict[str, float]] = []
        self.watch = Stopwatch()
        self.memory = {"imported": peak_memory()}
        self._state_dir, self._search = state_dir, WholeFrames if whole else FaceSearch
        self._config = FacesecureConfig(state_dir=state_dir, camera=CameraConfig(source=f"file:{video}"))

    def go(self) -> None:
        """Process the video to its end."""
        with assembly.assembled(self._config, self._state_dir) as daemon:
            self.memory["assembled"] = peak_memory()
            self._lap = Lap()
            self.watch.split()
            with patch.object(identify, "examine", self.watch.wrap(examine, "align")):
                (watched,) = daemon.cameras
                self._timed(watched.pipeline).run(self._frames(watched.camera.frames), self._note)
        self.memory["run"] = peak_memory()

    def _timed(self, real: pipeline.Pipeline) -> pipeline.Pipeline:
        def timed(part: Any, **stages: str) -> Any:
            return Timed(part, self.watch, stages)

        return replace(
            real,
            sampler=timed(real.sampler, should_detect="motion"),
            search=timed(self._search(), find="detect"),
            models=_TimedPool(real.models, timed),
            tracker=timed(real.tracker, update="track", observe="track"),
            builder=timed(real.builder, update="sightings", update_presence="sightings"),
            liveness=timed(real.liveness, follow="liveness"),
            recorder=timed(real.recorder, record="store"),
            policy=timed(real.policy, decide="alerts"),
            alerts=timed(real.alerts, send="alerts"),
        )

    def _frames(self, frames: Any) -> Iterator[Frame]:
        for frame in self.watch.each(frames, "decode"):
            yield replace(frame, pixels=Timed(frame.pixels, self.watch, {"rgb": "colour"}))

    def _note(self, frame: Frame, tracks: Sequence[Track]) -> None:
        self.cpu.append(self._lap.split())
        self.stages.append(self.watch.split())
        for track in tracks:
            if track.fresh and track.verdict.kind is not VerdictKind.UNIDENTIFIED:
                self.claims.append(Claim(frame.index, _corners(track.face.box), track.verdict.name))


class WholeFrames(FaceSearch):
    """Searches the whole of every frame."""

    def find(self, detector: Detector, frame: Frame, *_: object) -> Sequence[Face]:
        """Return the faces in ``frame``, largest first."""
        return detector.detect(frame.image)


class _TimedPool(ModelPool):
    """Lends the models of ``real`` with a stopwatch around each stage."""

    def __init__(self, real: ModelPool, timed: Callable[..., Any]) -> None:
        super().__init__([])
        self._real, self._timed = real, timed

    @contextmanager
    def lend(self, camera: str, *, urgent: bool = False) -> Iterator[Identifier]:
        """Yield models of which the recogniser is timed; what the detector does is timed where it is asked."""
        with self._real.lend(camera, urgent=urgent) as models:
            yield replace(models, recognizer=self._timed(models.recognizer, identify="embed"))


def _corners(box: Box) -> Corners:
    return (float(box.left), float(box.top), float(box.right), float(box.bottom))
