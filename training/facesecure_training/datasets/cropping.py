"""The faces of one video or photo: detected, selected, rated and cropped by the daemon's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from facesecure.camera.sources.uri import Address
from facesecure.camera.sources.video import VideoFile
from facesecure.config import CameraConfig, QualityConfig
from facesecure.domain import AlignedFace, Face, Frame, Image, Verdict, VerdictKind
from facesecure.domain.interfaces import Detector
from facesecure.pipeline.tracker import Tracker
from facesecure.recognition.evidence import Evidence
from facesecure.vision.detection.factory import USABLE_CONFIDENCE
from facesecure.vision.images.align import square_crop
from facesecure.vision.images.frames import RgbImage
from facesecure.vision.images.photos import read_photo
from facesecure.vision.images.quality import examine
from facesecure_training.common.cropping import subject
from facesecure_training.datasets.near_duplicates import NearDuplicateFilter, Thumb, thumbnail
from facesecure_training.datasets.settings import ExtractionSettings, FaceChoice
from facesecure_training.datasets.sources import Recording

_GAP = 1.0
"""Seconds for which a face that is tracked may be lost, or two frames if they lie further apart."""


@dataclass(frozen=True, slots=True, eq=False)
class ExtractedFace:
    """A face that is kept: its crop and its origin. ``number`` counts the faces kept of its frame."""

    frame: Frame
    number: int
    track: int | None
    face: Face
    aligned: AlignedFace
    crop: Image
    thumb: Thumb


class FaceExtractor:
    """Extracts the faces that ``settings`` ask for. Not safe for several threads.

    Example::

        extractor = FaceExtractor(build_detector(settings.detection), settings)
        crops = [face.crop for face in extractor.extract(recording, lambda: None)]
    """

    def __init__(self, detector: Detector, settings: ExtractionSettings) -> None:
        self._detector = detector
        self._settings = settings
        self._floors = QualityConfig(min_confidence=USABLE_CONFIDENCE[settings.detector])

    def extract(self, recording: Recording, searching: Callable[[], None]) -> Iterator[ExtractedFace]:
        """Yield the faces of ``recording`` in order of time; ``searching`` is called before each frame is searched.

        Raises SourceError or ImageError if the recording cannot be read at all.
        """
        if recording.kind == "photo":
            yield from self._of_photo(recording, searching)
        else:
            yield from self._of_video(recording, searching)

    def _of_photo(self, recording: Recording, searching: Callable[[], None]) -> Iterator[ExtractedFace]:
        frame = Frame(0, 0.0, RgbImage(read_photo(recording.path)))
        searching()
        faces = _chosen(self._detector.detect(frame.image), self._settings.faces, frame)
        yield from self._kept(frame, [(None, face) for face in faces], NearDuplicateFilter(1.0))  # compared later

    def _of_video(self, recording: Recording, searching: Callable[[], None]) -> Iterator[ExtractedFace]:
        address, stride = Address("file", str(recording.path)), self._settings.stride
        video = VideoFile(address, CameraConfig(file_speed="fast"), start=datetime.fromtimestamp(0, UTC))
        selector = FaceSelector(self._settings.faces, stride / (video.probe().fps or 25.0))
        thinner = NearDuplicateFilter(self._settings.thin)
        for frame in video.frames():
            if frame.index % stride == 0:
                searching()
                chosen = selector.choose(self._detector.detect(frame.image), frame)
                yield from self._kept(frame, chosen, thinner)

    def _kept(
        self, frame: Frame, chosen: Sequence[tuple[int | None, Face]], thinner: NearDuplicateFilter
    ) -> Iterator[ExtractedFace]:
        number = 0
        for track, face in chosen:
            aligned = self._examined(frame.image, face)
            if aligned is None or aligned.quality.clarity < self._settings.min_quality:
                continue
            if thinner.admits(thumb := thumbnail(aligned.image)):
                yield ExtractedFace(
                    frame, number, track, face, aligned, self._cropped(frame.image, face, aligned), thumb
                )
                number += 1

    def _examined(self, image: Image, face: Face) -> AlignedFace | None:
        try:
            return examine(image, face, self._floors)
        except ValueError:  # all its landmarks in one point: not a face
            return None

    def _cropped(self, image: Image, face: Face, aligned: AlignedFace) -> Image:
        shape = self._settings.shape
        if shape.aligned:
            return aligned.image
        return square_crop(image, face.box, margin=self._settings.margin, size=shape.size)


def _chosen(faces: Sequence[Face], which: FaceChoice, frame: Frame) -> Sequence[Face]:
    if which == "all":
        return faces
    best = subject(faces, frame.pixels.size) if which == "central" else _largest(faces)
    return [] if best is None else [best]


def _largest(faces: Sequence[Face]) -> Face | None:
    return max(faces, key=lambda face: face.box.area, default=None)


class _NoVerdict:
    """A verdict rule that identifies no one: here faces are only tracked."""

    def decide(self, _evidence: Evidence) -> Verdict:
        return Verdict(VerdictKind.UNIDENTIFIED, "not identified here")


class FaceSelector:
    """Numbers the faces of a video with the daemon's tracker, and selects among them."""

    def __init__(self, which: FaceChoice, interval: float) -> None:
        """Select faces as ``which`` says; ``interval`` is the time between two searched frames, in seconds."""
        self._which = which
        self._tracker = Tracker(_NoVerdict(), max_gap=max(_GAP, 2.5 * interval))  # type: ignore[arg-type]
        self._held: int | None = None

    def choose(self, faces: Sequence[Face], frame: Frame) -> list[tuple[int | None, Face]]:
        """Return (track, face) of the faces selected on this frame.

        "tracked" follows the largest face until it is lost, whoever else appears meanwhile.
        """
        tracks = self._tracker.update(faces, frame.taken_at)
        fresh = {id(track.face): track.number for track in tracks if track.fresh}
        if self._which != "tracked":
            return [(fresh.get(id(face)), face) for face in _chosen(faces, self._which, frame)]
        if self._held not in {track.number for track in tracks if track.live}:
            largest = _largest(faces)
            self._held = None if largest is None else fresh.get(id(largest))
        return [(self._held, face) for face in faces if self._held and fresh.get(id(face)) == self._held]
