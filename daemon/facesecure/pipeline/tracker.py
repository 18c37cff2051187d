"""Follows faces from frame to frame: a face keeps its number through short gaps.

``update`` is called for every frame, with None when the frame was not searched, so that time goes on. Faces are
matched to where each track should be by now (constant velocity), nearest first, in units of the face's own size,
so that a walk towards the camera and a walk past it need no settings of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import AlignedFace, Face, Recognition, Verdict, VerdictKind
from facesecure.pipeline.best_faces import BestFaces
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.vision.images.quality import view_score

_REACH = 1.2
"""A face may be this many face sizes from where it was expected and still be the same one."""
_BETTER_VIEW = 1.15
_ASK_AGAIN = {VerdictKind.KNOWN: 2.0, VerdictKind.STRANGER: 0.25, VerdictKind.UNIDENTIFIED: 0.0}
"""Seconds after which a track is looked at again, so that an early mistake is corrected; an alarm is doubted most.
Strangers are told early, too, and who is to be named from the faces seen needs several that differ."""
_AT_ONCE = 16
"""Faces that are asked about, and tracks that end, on one frame; in a crowd the others wait for the next ones, or a
frame would take so long that everything seems to hang."""
_LATELY = 0.5
"""Seconds without a match after which a track is no longer looked for at full pace."""


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time. ``face`` is where it was last found, at ``last_seen`` (seconds on the source's clock).

    ``fresh`` tells that it was found on this very frame; ``ended`` comes once, on the last update.
    """

    number: int
    face: Face
    first_seen: float
    last_seen: float
    now: float
    verdict: Verdict
    hits: int = 1
    velocity: tuple[float, float] = (0.0, 0.0)
    evidence: Evidence = field(default_factory=Evidence)
    best_faces: BestFaces = field(default_factory=BestFaces)
    best_view: float = 0.0
    asked_at: float | None = None
    ended: bool = False

    @property
    def fresh(self) -> bool:
        return not self.ended and self.last_seen == self.now

    @property
    def live(self) -> bool:
        return not self.ended

    @property
    def wants_identity(self) -> bool:
        """Found on this frame, and new, unsure, seen better than before, or not asked for a while."""
        if not self.fresh:
            return False
        if self.asked_at is None or self.now - self.asked_at >= _ASK_AGAIN[self.verdict.kind]:
            return True
        return view_score(self.face) > _BETTER_VIEW * self.best_view

    def expected_centre(self, at: float) -> NDArray[np.float64]:
        """Where the middle of the face should be at ``at``, pixels."""
        ahead = min(at - self.last_seen, 0.5)  # a guess beyond half a second is worse than none
        return np.asarray(self.face.box.centre) + np.asarray(self.velocity) * ahead


class Tracker:
    """Numbers faces, and keeps each track's evidence and verdict."""

    def __init__(self, judge: VerdictRule, *, max_gap: float = 1.0) -> None:
        """``max_gap``: seconds without a match after which a track has ended."""
        self._judge = judge
        self._max_gap = max_gap
        self._tracks: dict[int, Track] = {}
        self._next = 1

    @property
    def busy(self) -> bool:
        """Whether a face was seen lately."""
        return any(track.now - track.last_seen <= _LATELY for track in self._tracks.values())

    def update(self, faces: Sequence[Face] | None, at: float) -> list[Track]:
        """All tracks at time ``at``, in the order of their numbers; those that have just ended come one last time.

        ``faces`` is what the detector found on this frame, None if it was not asked.
        """
        for number, track in self._tracks.items():
            self._tracks[number] = replace(track, now=at)
        if faces is not None:
            self._match(faces, at)
        return self._sweep(at)

    def observe(self, track: Track, face: AlignedFace, recognition: Recognition | None) -> Track:
        """Add what ``face`` said to ``track``; ``recognition`` is None when its quality was too poor to ask."""
        keepsakes = track.best_faces
        if recognition is None:
            evidence = track.evidence.refuse(face.quality)
        else:
            evidence = track.evidence.add(recognition, face.quality, track.now)
            keepsakes = keepsakes.add(face, recognition, track.now)
        seen = replace(
            track,
            evidence=evidence,
            best_faces=keepsakes,
            verdict=self._judge.decide(evidence),
            best_view=max(track.best_view, view_score(track.face)),
            asked_at=track.now,
        )
        self._tracks[track.number] = seen
        return seen

    def finish(self) -> list[Track]:
        """End every track, as at the end of a clip."""
        ended = [replace(track, ended=True) for track in self._tracks.values()]
        self._tracks.clear()
        return ended

    def _match(self, faces: Sequence[Face], at: float) -> None:
        free = dict(enumerate(faces))
        for number, index in _pairs(list(self._tracks.values()), faces, at):
            self._tracks[number] = _follow(self._tracks[number], free.pop(index), at)
        for face in free.values():
            self._start(face, at)

    def _start(self, face: Face, at: float) -> None:
        verdict = self._judge.decide(Evidence())
        self._tracks[self._next] = Track(self._next, face, first_seen=at, last_seen=at, now=at, verdict=verdict)
        self._next += 1

    def _sweep(self, at: float) -> list[Track]:
        tracks = list(self._tracks.values())
        result = []
        for track in tracks:
            if at - track.last_seen > self._max_gap and len(tracks) - len(self._tracks) < _AT_ONCE:
                del self._tracks[track.number]
                track = replace(track, ended=True)
            result.append(track)
        return result


def identification_queue(tracks: Sequence[Track]) -> frozenset[int]:
    """The numbers of those that are to be identified on this frame: whoever never was first, then who waits longest."""
    waiting = [track for track in tracks if track.wants_identity]
    waiting.sort(key=lambda track: (track.asked_at is not None, track.asked_at or 0.0, track.number))
    return frozenset(track.number for track in waiting[:_AT_ONCE])


def _pairs(tracks: list[Track], faces: Sequence[Face], at: float) -> list[tuple[int, int]]:
    """(track number, face index) of those that belong together, nearest first, each used once."""
    costs = [(_distance(track, face, at), track.number, index) for track in tracks for index, face in enumerate(faces)]
    pairs: list[tuple[int, int]] = []
    used_tracks, used_faces = set(), set()
    for cost, number, index in sorted(costs):
        if cost <= _REACH and number not in used_tracks and index not in used_faces:
            pairs.append((number, index))
            used_tracks.add(number)
            used_faces.add(index)
    return pairs


def _distance(track: Track, face: Face, at: float) -> float:
    """In face sizes: how far from the expected place, plus how much the size has changed (in octaves)."""
    old, new = track.face.box, face.box
    size = (old.width + old.height + new.width + new.height) / 4
    away = float(np.hypot(*(np.asarray(new.centre) - track.expected_centre(at)))) / size
    return away + abs(float(np.log2((new.width * new.height) / (old.width * old.height)))) / 2


def _follow(track: Track, face: Face, at: float) -> Track:
    step = at - track.last_seen
    moved = (np.asarray(face.box.centre) - np.asarray(track.face.box.centre)) / step if step > 0 else np.zeros(2)
    smooth = 0.5 * np.asarray(track.velocity) + 0.5 * moved
    return replace(
        track,
        face=face,
        last_seen=at,
        now=at,
        hits=track.hits + 1,
        velocity=(float(smooth[0]), float(smooth[1])),
    )
