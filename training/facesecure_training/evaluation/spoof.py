"""How many visits of living people, and of pictures held up, the daemon's liveness doubts.

Clips are searched, tracked and judged as the daemon does it. A visit counts if at least four of its faces were judged:
large enough, and by daylight.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig, VerdictConfig
from facesecure.config.liveness import LivenessConfig
from facesecure.domain.errors import UsageError
from facesecure.domain.interfaces import Detector
from facesecure.pipeline.tracker import Track, Tracker
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.liveness.antispoof import MODELS, Antispoof
from facesecure.recognition.liveness.doorstep import Doorstep
from facesecure.recognition.liveness.visit import LEAST_FACES, Limits, VisitCues
from facesecure.recognition.liveness.watch import LivenessWatch
from facesecure.recognition.thresholds import AcceptanceRule
from facesecure.vision.inference.model_card import load_model
from facesecure_training.evaluation.rates import Share, share

Kind = Literal["live", "replay"]

_INTERVAL = 0.15
"""Seconds between two searched frames, as the daemon's [detector] interval."""
_FILMS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")


@dataclass(frozen=True, slots=True)
class SpoofVisit:
    """One visit: ``width`` of its largest face in pixels, the faces judged, the figures, and who doubts it.

    ``surroundings`` and ``networks`` are the reasons of each cue alone; empty where it does not doubt the visit.
    """

    clip: str
    kind: Kind
    faces: int
    width: int
    together: float | None
    score: float | None
    surroundings: str
    networks: str

    @property
    def doubted(self) -> bool:
        """Whether either cue doubts it, as in the daemon."""
        return bool(self.surroundings or self.networks)


@dataclass(frozen=True, slots=True)
class SpoofRates:
    """The shares of visits that are doubted by the surroundings alone, the networks alone, and either."""

    surroundings: Share
    networks: Share
    either: Share


@dataclass(frozen=True, slots=True)
class SpoofReport:
    """All visits with at least four judged faces, and the shares of each kind. ``with_networks``: they were pulled."""

    with_networks: bool
    visits: tuple[SpoofVisit, ...]
    clips_without_visit: tuple[str, ...]

    def rates(self, kind: Kind) -> SpoofRates:
        """Return the shares of one kind of visit."""
        visits = [visit for visit in self.visits if visit.kind == kind]
        count = len(visits)
        return SpoofRates(
            share(sum(bool(visit.surroundings) for visit in visits), count),
            share(sum(bool(visit.networks) for visit in visits), count),
            share(sum(visit.doubted for visit in visits), count),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the report for ``json.dumps``."""
        return {
            "with_networks": self.with_networks,
            "visits": [{**asdict(visit), "doubted": visit.doubted} for visit in self.visits],
            "clips_without_visit": list(self.clips_without_visit),
            **{kind: asdict(self.rates(kind)) for kind in ("live", "replay")},
        }


def clips_of(paths: Iterable[Path]) -> list[Path]:
    """Return the films among ``paths`` and below its folders, by name. Raises UsageError if there is none."""
    found = [path for given in paths for path in (sorted(given.rglob("*")) if given.is_dir() else [given])]
    films = [path for path in found if path.suffix.lower() in _FILMS]
    if not films:
        raise UsageError("there is no film to evaluate", f"give films or folders of them: {', '.join(_FILMS)}")
    return films


def antispoof_of(state_dir: Path | None) -> Antispoof | None:
    """Return the networks pulled into ``state_dir``, None if they are not both there. Raises ModelError."""
    if state_dir is None or not all((state_dir / "models" / f"{name}.json").exists() for name in MODELS):
        return None
    wide, near = (load_model(name, state_dir) for name in MODELS)
    return Antispoof(wide, near)


def evaluate(
    live: Sequence[Path], replay: Sequence[Path], detector: Detector, antispoof: Antispoof | None, min_face: int = 60
) -> SpoofReport:
    """Judge every visit in the clips of living people and of pictures. Raises SourceError for what is no film."""
    config = LivenessConfig(mode="log", min_face=min_face)
    visits, empty = list[SpoofVisit](), list[str]()
    for kind, clip in [*((_LIVE, clip) for clip in live), *((_REPLAY, clip) for clip in replay)]:
        found = list(_visits(clip, kind, detector, antispoof, config))
        visits += found
        empty += [] if found else [clip.name]
    return SpoofReport(antispoof is not None, tuple(visits), tuple(empty))


_LIVE: Kind = "live"
_REPLAY: Kind = "replay"


class _NoOne:
    """Accepts no one: nobody is enrolled."""

    def of(self, name: str) -> AcceptanceRule:
        raise KeyError(name)


def _visits(
    clip: Path, kind: Kind, detector: Detector, antispoof: Antispoof | None, config: LivenessConfig
) -> Iterator[SpoofVisit]:
    """Yield the judged visits in ``clip``: each cue has a watch of its own, so that neither spares the other work."""
    tracker = Tracker(VerdictRule(VerdictConfig(), _NoOne()))
    by_motion = LivenessWatch(config)
    by_networks = LivenessWatch(config, Doorstep(clip.name, Limits(together=float("inf"), score=config.score)))
    widths: dict[int, int] = {}
    last = float("-inf")
    for frame in open_source(f"file:{clip}", CameraConfig()).frames():
        if frame.taken_at - last < _INTERVAL:
            continue
        last = frame.taken_at
        tracks = tracker.update(detector.detect(frame.image), frame.taken_at)
        by_motion.follow(frame, tracks)
        by_networks.follow(frame, tracks, antispoof)
        _note(widths, tracks)
    visit = partial(_visit, clip.name, kind)
    for number, width in sorted(widths.items()):
        cues = by_motion.cues(number), by_networks.cues(number)
        if cues[0].faces >= LEAST_FACES:
            yield visit(width, *cues)


def _note(widths: dict[int, int], tracks: Sequence[Track]) -> None:
    for track in tracks:
        widths[track.number] = max(widths.get(track.number, 0), round(track.face.box.width))


def _visit(clip: str, kind: Kind, width: int, motion: VisitCues, networks: VisitCues) -> SpoofVisit:
    return SpoofVisit(
        clip,
        kind,
        motion.faces,
        width,
        motion.summary.together,
        networks.summary.score,
        motion.doubt,
        networks.doubt,
    )


def quiet() -> None:
    """Leave out the warnings of the daemon about each doubt: the report says it."""
    logging.getLogger("facesecure.recognition.liveness").setLevel(logging.ERROR)
