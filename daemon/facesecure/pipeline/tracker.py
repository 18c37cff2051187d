"""Track faces from frame to frame: a face keeps its number through short gaps.

``update`` is called for every frame, with None for a frame that was not searched, so that the tracks' time advances.
Faces are matched to each track's predicted position (constant velocity), nearest first, in units of the face's own
size, so that a walk towards the camera and a walk past it need no settings of their own. A face that turns out to be
fixed (``fixed_faces``) ends its track, and is not tracked again while it stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import AlignedFace, Face, Recognition, Verdict, VerdictKind
from facesecure.pipeline.best_faces import BestFaces
from facesecure.pipeline.fixed_faces import FixedFaces, Stillness, face_size
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.vision.images.quality import view_score

_MAX_DISTANCE = 1.2
"""Face sizes between a face and a track's predicted position at which they still match."""
_BETTER_VIEW = 1.15
"""Factor by which a view must be better than the best so far to identify the face again at once."""
_IDENTIFY_AGAIN = {VerdictKind.KNOWN: 2.0, VerdictKind.STRANGER: 0.25, VerdictKind.UNIDENTIFIED: 0.0}
"""Seconds after which a track is identified again, so that an early mistake is corrected, an alarm soonest.
A stranger is reported early, and can be enrolled later only from several different faces."""
_MAX_PER_FRAME = 16
"""Faces that are identified, and tracks that end, on one frame; in a crowd the others wait for the next frames, or one
frame would take so long that the watchdog sees a hang."""
_RECENT = 0.5
"""Seconds without a match after which a track no longer keeps the detector at full rate."""


_HEAD_START = 0.2
"""Face sizes by which a track may be farther from a face than the place of a fixed one, and still be given it: a head
that is expected so close before a poster hides it."""


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time. ``face`` is its latest detection, at ``last_seen`` (seconds on the source's clock).

    ``now`` is the time of the latest frame, ``hits`` counts detections, ``velocity`` is in pixels a second,
    ``best_view`` is the best ``view_score`` identified so far, and ``ended`` is set once, on the last update:
    ``fixed`` then tells whether it ended because the face never moves, as on a poster.
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
    identified_at: float | None = None
    ended: bool = False
    stillness: Stillness = field(default_factory=Stillness)
    fixed: bool = False

    @property
    def fresh(self) -> bool:
        """Return whether the face was found on the latest frame."""
        return not self.ended and self.last_seen == self.now

    @property
    def live(self) -> bool:
        """Return whether the track has not ended."""
        return not self.ended

    @property
    def is_fixed(self) -> bool:
        """Return whether the face, found on this frame, has been judged and has not moved for long."""
        return self.fresh and self.identified_at is not None and self.stillness.is_fixed(face_size(self.face))

    @property
    def wants_identity(self) -> bool:
        """Return whether to identify it now: found on this frame, and new, unidentified, seen better, or due again."""
        if not self.fresh:
            return False
        if self.identified_at is None or self.now - self.identified_at >= _IDENTIFY_AGAIN[self.verdict.kind]:
            return True
        return view_score(self.face) > _BETTER_VIEW * self.best_view

    def expected_centre(self, at: float) -> NDArray[np.float64]:
        """Return the predicted centre of the face at ``at``: float64 (2,), pixels."""
        ahead = min(at - self.last_seen, 0.5)  # beyond half a second a prediction is worse than none
        return np.asarray(self.face.box.centre) + np.asarray(self.velocity) * ahead


class Tracker:
    """Numbers faces, and keeps each track's evidence and verdict.

    Example::

        tracker = Tracker(VerdictRule(config.verdict, scores))
        tracks = tracker.update(detector.detect(frame.image), frame.taken_at)
    """

    def __init__(
        self, verdict_rule: VerdictRule, *, max_gap: float = 1.0, fixed_faces: FixedFaces | None = None
    ) -> None:
        """``max_gap``: seconds without a match after which a track ends.

        ``fixed_faces`` receives the faces that never move; without it they are tracked for as long as they are found.
        """
        self._verdict_rule = verdict_rule
        self._max_gap = max_gap
        self._fixed_faces = fixed_faces
        self._tracks: dict[int, Track] = {}
        self._next = 1

    @property
    def fixed_faces(self) -> tuple[Face, ...]:
        """The faces that never move, at whose places no face is tracked."""
        return self._fixed_faces.faces if self._fixed_faces else ()

    @property
    def busy(self) -> bool:
        """Return whether a face was found within the last half second."""
        return any(track.now - track.last_seen <= _RECENT for track in self._tracks.values())

    @property
    def unsure(self) -> bool:
        """Return whether a face was found within the last half second whose visitor is not identified yet."""
        recent = (track for track in self._tracks.values() if track.now - track.last_seen <= _RECENT)
        return any(track.verdict.kind is VerdictKind.UNIDENTIFIED for track in recent)

    def update(self, faces: Sequence[Face] | None, at: float) -> list[Track]:
        """Return all tracks at time ``at`` by number; those that have just ended are included one last time.

        ``faces`` are those detected on this frame, None if it was not searched.
        """
        for number, track in self._tracks.items():
            self._tracks[number] = replace(track, now=at)
        if faces is not None:
            self._match(faces, at)
        return sorted(self._end_fixed() + self._end_lost(at), key=lambda track: track.number)

    def observe(self, track: Track, face: AlignedFace, recognition: Recognition | None) -> Track:
        """Return ``track`` with ``face`` added to its evidence; ``recognition`` is None for too poor a face."""
        best_faces = track.best_faces
        if recognition is None:
            evidence = track.evidence.refuse(face.quality)
        else:
            evidence = track.evidence.add(recognition, face.quality, track.now)
            best_faces = best_faces.add(face, recognition, track.now)
        observed = replace(
            track,
            evidence=evidence,
            best_faces=best_faces,
            verdict=self._verdict_rule.decide(evidence),
            best_view=max(track.best_view, view_score(track.face)),
            identified_at=track.now,
        )
        self._tracks[track.number] = observed
        return observed

    def finish(self) -> list[Track]:
        """End every track, as at the end of a video. Return them, marked as ended."""
        ended = [replace(track, ended=True) for track in self._tracks.values()]
        self._tracks.clear()
        return ended

    def _match(self, faces: Sequence[Face], at: float) -> None:
        faces = [face for face in faces if not self._is_in_its_place(face, at)]
        free = dict(enumerate(faces))
        for number, index in _pairs(list(self._tracks.values()), faces, at):
            self._tracks[number] = _follow(self._tracks[number], free.pop(index), at)
        for face in free.values():
            self._start(face, at)

    def _is_in_its_place(self, face: Face, at: float) -> bool:
        """Return whether ``face`` is a fixed one, and note that it was found; a track that fits better goes first."""
        if self._fixed_faces is None:
            return False
        distance = self._fixed_faces.distance(face, at)
        if distance > min((_claim(track, face, at) for track in self._tracks.values()), default=float("inf")):
            return False
        return self._fixed_faces.see(face, at)

    def _start(self, face: Face, at: float) -> None:
        still = self._fixed_faces.resume(face, at) if self._fixed_faces else Stillness().add(face, at)
        verdict = self._verdict_rule.decide(Evidence())
        self._tracks[self._next] = Track(
            self._next, face, first_seen=at, last_seen=at, now=at, verdict=verdict, stillness=still
        )
        self._next += 1

    def _end_fixed(self) -> list[Track]:
        """Return the tracks of faces that turned out to be fixed, marked as ended and dropped."""
        if self._fixed_faces is None:
            return []
        fixed = [track for track in self._tracks.values() if track.is_fixed][:_MAX_PER_FRAME]
        for track in fixed:
            self._fixed_faces.add(track.face, track.stillness, track.now)
            del self._tracks[track.number]
        return [replace(track, ended=True, fixed=True) for track in fixed]

    def _end_lost(self, at: float) -> list[Track]:
        """Return all tracks, those beyond the longest gap marked as ended and dropped, at most _MAX_PER_FRAME."""
        tracks = list(self._tracks.values())
        result = []
        for track in tracks:
            if at - track.last_seen > self._max_gap and len(tracks) - len(self._tracks) < _MAX_PER_FRAME:
                self._lose(track)
                track = replace(track, ended=True)
            result.append(track)
        return result

    def _lose(self, track: Track) -> None:
        del self._tracks[track.number]
        if self._fixed_faces is not None:
            self._fixed_faces.lose(track.face, track.stillness, track.last_seen)


def identification_queue(tracks: Sequence[Track]) -> frozenset[int]:
    """Return the numbers of the tracks to identify on this frame: new ones first, then those that waited longest."""
    waiting = [track for track in tracks if track.wants_identity]
    waiting.sort(key=lambda track: (track.identified_at is not None, track.identified_at or 0.0, track.number))
    return frozenset(track.number for track in waiting[:_MAX_PER_FRAME])


def _pairs(tracks: list[Track], faces: Sequence[Face], at: float) -> list[tuple[int, int]]:
    """Return (track number, face index) of the matches, nearest first, each used once."""
    costs = [(_distance(track, face, at), track.number, index) for track in tracks for index, face in enumerate(faces)]
    pairs: list[tuple[int, int]] = []
    used_tracks, used_faces = set(), set()
    for cost, number, index in sorted(costs):
        if cost <= _MAX_DISTANCE and number not in used_tracks and index not in used_faces:
            pairs.append((number, index))
            used_tracks.add(number)
            used_faces.add(index)
    return pairs


def _distance(track: Track, face: Face, at: float) -> float:
    """Return the distance from the predicted position in face sizes, plus the change of size in octaves."""
    old, new = track.face.box, face.box
    size = (old.width + old.height + new.width + new.height) / 4
    away = float(np.hypot(*(np.asarray(new.centre) - track.expected_centre(at)))) / size
    return away + abs(float(np.log2((new.width * new.height) / (old.width * old.height)))) / 2


def _claim(track: Track, face: Face, at: float) -> float:
    """Return the distance of ``face`` from the track, less a head start over the place of a fixed face."""
    return _distance(track, face, at) - (_HEAD_START if at - track.last_seen <= _RECENT else 0.0)


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
        stillness=track.stillness.add(face, at),
    )
