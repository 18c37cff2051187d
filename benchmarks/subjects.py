"""People who show no face: found in every visit, nothing else taken for a person, and what the looks cost.

    python -m benchmarks.subjects                # visits, pictures and cost; some four minutes
    python -m benchmarks.subjects --only visits

``visits`` runs ``clips/corridor-backs.mp4``, six visits of people seen from behind, through the pipeline: as it is,
mirrored, small and darkened (a share of the light, with the sensor's noise). ``pictures`` are animals and scenes, of
which those that do show people are listed (``lists/subjects-with-people.txt``), by eye. ``cost`` compares the processor
time with the looks and without, in pairs, on the same clip, in which somebody without a face is there three quarters of
the time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from facesecure.alerts.policy.policy import Policy
from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig, FacesecureConfig
from facesecure.domain import Alert, AlignedFace, Frame, Image, Recognition, Sighting, Subject
from facesecure.domain.messages import Phrases
from facesecure.domain.records import StoredSighting
from facesecure.pipeline.fixed_faces import FixedFaces
from facesecure.pipeline.frame_sampler import FrameSampler
from facesecure.pipeline.model_pool import ModelPool
from facesecure.pipeline.pipeline import Pipeline
from facesecure.pipeline.presence import PresenceDetector
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.sighting_recorder import SightingRecorder
from facesecure.pipeline.tracker import Tracker
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.identify import Identifier
from facesecure.recognition.score_model import ScoreModel
from facesecure.vision.detection.factory import USABLE_CONFIDENCE, build_detector
from facesecure.vision.detection.motion import MotionGate
from facesecure.vision.detection.subjects import MODEL, SubjectDetector, subject_of
from facesecure.vision.images.frames import RgbImage
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CLIP = "clips/corridor-backs.mp4"
VISITS = ((6.0, 20.0), (22.5, 44.5), (50.5, 70.0), (74.5, 87.0), (92.5, 119.5), (123.5, 136.0))
"""Seconds of the clip in which somebody is there, by eye."""
PEOPLE = Path(__file__).with_name("lists") / "subjects-with-people.txt"
_BEGAN = datetime(2030, 1, 1, tzinfo=UTC)

Change = Callable[[Image], Image]


def _same(image: Image) -> Image:
    return image


def mirrored(image: Image) -> Image:
    """Return ``image`` with left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def darkened(share: float, noise: float) -> Change:
    """Return a change to so much of the light, with normal noise of that standard deviation."""
    rng = np.random.default_rng(1)

    def change(image: Image) -> Image:
        grain = rng.normal(0, noise, image.shape).astype(np.float32)
        return np.asarray(np.clip(image * np.float32(share) + grain, 0, 255), np.uint8)

    return change


def smaller(scale: float) -> Change:
    """Return a change to a smaller scene on a grey background, as from farther away."""

    def change(image: Image) -> Image:
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = np.full_like(image, 110)
        top, left = (image.shape[0] - small.shape[0]) // 2, (image.shape[1] - small.shape[1]) // 2
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        return canvas

    return change


CHANGES: Mapping[str, Change] = {
    "as it is": _same,
    "mirrored": mirrored,
    "a quarter of the light": darkened(0.25, 2.0),
    "a tenth of the light": darkened(0.1, 3.0),
    "half the size": smaller(0.5),
    "a quarter of the size": smaller(0.25),
}


class NobodyEnrolled:
    """A recogniser without people."""

    def identify(self, face: AlignedFace) -> Recognition:
        """Return no score."""
        return Recognition({})


@dataclass
class Kept:
    """A store that keeps the sightings, and a sink that keeps the alerts."""

    sightings: list[Sighting] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def record(self, sighting: Sighting) -> StoredSighting:
        """Keep ``sighting`` without its pixels."""
        self.sightings.append(replace(sighting, snapshot=None, faces=()))
        times = sighting.first_seen, sighting.last_seen, sighting.last_seen
        return StoredSighting(sighting.identifier, sighting.verdict, sighting.source, *times)

    def update(self, sighting: Sighting) -> None:
        """Do nothing: the end of a visit is of no interest."""

    def send(self, alert: Alert) -> None:
        """Keep ``alert``."""
        self.alerts.append(alert)


def pipeline(kept: Kept, *, looks: bool = True) -> Pipeline:
    """Return the daemon's stages with nobody enrolled; without ``looks`` nobody sees what moves."""
    config = FacesecureConfig()
    rule = VerdictRule(config.verdict, ScoreModel.from_card(load_model(config.recognizer.model).card))
    tracker = Tracker(rule, fixed_faces=FixedFaces())
    gate = MotionGate(config.motion)
    floors = config.quality.model_copy(update={"min_confidence": USABLE_CONFIDENCE[config.detector.kind]})
    subjects = SubjectDetector(load_model(MODEL)) if looks else None
    models = Identifier(build_detector(config.detector), NobodyEnrolled(), rule, floors, subjects)
    return Pipeline(
        camera="door",
        sampler=FrameSampler(gate, interval=config.detector.interval, following=lambda: tracker.busy),
        models=ModelPool([models]),
        tracker=tracker,
        builder=SightingBuilder("door", PresenceDetector(config.verdict.presence)),
        recorder=SightingRecorder(kept),
        policy=Policy(Phrases(place="door")),
        alerts=kept,
    )


def frames(clip: Path, change: Change = _same) -> Iterator[Frame]:
    """Yield the changed frames of ``clip``, as the daemon reads them, with times of day from 2030-01-01 on."""
    source = open_source(f"file:{clip}", CameraConfig(source=f"file:{clip}"))
    for frame in source.frames():
        pixels = frame.pixels if change is _same else RgbImage(change(frame.image))
        yield replace(frame, pixels=pixels, wall_time=_BEGAN + timedelta(seconds=frame.taken_at))


def people_seen(sightings: Sequence[Sighting]) -> list[bool]:
    """Return for each visit whether a sighting of a person overlaps it."""
    times = [
        ((one.first_seen - _BEGAN).total_seconds(), (one.last_seen - _BEGAN).total_seconds())
        for one in sightings
        if one.subject is Subject.PERSON
    ]
    return [any(first < end and last > begin for first, last in times) for begin, end in VISITS]


def visits(data: Path) -> None:
    """Print the visits of the clip in which a person is seen, under each change."""
    for name, change in CHANGES.items():
        kept = Kept()
        pipeline(kept).run(frames(data / CLIP, change))
        seen = people_seen(kept.sightings)
        print(f"{name:24} {sum(seen)} of {len(seen)} visits a person; {len(kept.sightings)} sightings", flush=True)


def pictures(data: Path) -> None:
    """Print what is seen on the pictures of animals and scenes, with the names of those taken for people."""
    listed, detector = set(PEOPLE.read_text().split()), SubjectDetector(load_model(MODEL))
    for kind in ("pets", "scenes"):
        for light in ("as it is", "a quarter of the light", "a tenth of the light"):
            seen: dict[str, list[str]] = {}
            for path in sorted((data / "negatives" / kind).rglob("*.jpg")):
                best = subject_of(detector.detect(CHANGES[light](read_photo(path))))
                seen.setdefault(best.subject if best else "nothing known", []).append(path.name)
            counts = ", ".join(f"{len(names)} {subject}" for subject, names in sorted(seen.items()))
            wrong = [name for name in seen.get(Subject.PERSON, []) if name not in listed]
            print(
                f"{kind}, {light:24} {counts}; a person where none is: {len(wrong)} {' '.join(wrong[:8])}", flush=True
            )


def cost(data: Path, pairs: int = 5) -> None:
    """Print the median ratio of processor time, decoding included, with the looks to that without."""
    ratios = []
    for _ in range(pairs):
        without, with_looks = (_seconds(data / CLIP, looks) for looks in (False, True))
        ratios.append(with_looks / without)
    print(f"{'cost':24} {np.median(ratios):.2f} times as much ({', '.join(f'{one:.2f}' for one in sorted(ratios))})")


def _seconds(clip: Path, looks: bool) -> float:
    watching = pipeline(Kept(), looks=looks)
    began = time.process_time()
    watching.run(frames(clip))
    return time.process_time() - began


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks.subjects", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with clips and negatives")
    parser.add_argument("--only", choices=("visits", "pictures", "cost"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for name, part in {"visits": visits, "pictures": pictures, "cost": cost}.items():
        if options.only in (None, name):
            part(options.data)


if __name__ == "__main__":
    main()
