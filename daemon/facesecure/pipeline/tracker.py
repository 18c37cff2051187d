"""Track faces from frame to frame: a face keeps its number through short gaps.

``update`` is called for every frame, with None for a frame that was not searched, so that the tracks' time advances.
Faces are matched to each track's predicted position (constant velocity), nearest first, in units of the face's own
size, so that a walk towards the camera and a walk past it need no settings of their own. A face that turns out to be
fixed (``fixed_faces``) ends its track, and is not tracked again while it stays where it is. A track that turns out to
follow another person (``continuity``) is parted in two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from facesecure.domain import AlignedFace, Face, Recognition, Verdict, VerdictKind
from facesecure.domain.why import Why
from facesecure.pipeline.best_faces import BestFaces
from facesecure.pipeline.continuity import GAP, Answer, Continuity, ObservedFace
from facesecure.pipeline.fixed_faces import FixedFaces, Stillness
from facesecure.pipeline.track import Confirmed, follow
from facesecure.pipeline.track import Track as Track
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.vision.images.quality import view_score

_MAX_DISTANCE = 1.2
"""Face sizes between a face and a track's predicted position at which they still match."""
_FIRST_STEP = 2.0
"""The same for a face that was found once only, whose velocity is not known yet: somebody who comes round a corner far
away moves by more than one size until the next search. Otherwise a second track begins, and the first, left behind at
the corner, takes the next visitor for the same."""
_MAX_PER_FRAME = 16
"""Faces that are identified, and tracks that end, on one frame; in a crowd the others wait for the next frames, or one
frame would take so long that the watchdog sees a hang."""
_RECENT = 0.5
"""Seconds without a match after which a track no longer keeps the detector at full rate."""
_HEAD_START = 0.2
"""Face sizes by which a track may be farther from a face than the place of a fixed one, and still be given it: a head
that is expected so close before a poster hides it."""
_DOUBTED = Verdict(VerdictKind.UNIDENTIFIED, Why.MAYBE_ANOTHER.say())


class Tracker:
    """Numbers faces, and keeps each track's evidence and verdict.

    Example::

        tracker = Tracker(VerdictRule(config.verdict, scores))
        tracks = tracker.update(detector.detect(frame.image), frame.taken_at)
    """

    def __init__(
        self,
        verdict_rule: VerdictRule,
        *,
        max_gap: float = 1.0,
        fixed_faces: FixedFaces | None = None,
        continuity: Continuity | None = None,
    ) -> None:
        """``max_gap``: seconds without a match after which a track ends.

        ``fixed_faces`` receives the faces that never move; without it they are tracked for as long as they are found.
        ``continuity`` tells whether a track still follows the same person; without it, it always does.
        """
        self._verdict_rule = verdict_rule
        self._max_gap = max_gap
        self._fixed_faces = fixed_faces
        self._continuity = continuity or Continuity()
        self._parted: list[Track] = []
        self._tracks: dict[int, Track] = {}
        self._next = 1

    @property
    def fixed_faces(self) -> tuple[Face, ...]:
        """The faces that never move, at whose places no face is tracked."""
        return self._fixed_faces.faces if self._fixed_faces else ()

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks that have not ended."""
        return tuple(self._tracks.values())

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
        parted, self._parted = self._parted, []
        return sorted(parted + self._end_fixed() + self._end_lost(at), key=lambda track: track.number)

    def observe(self, track: Track, face: AlignedFace, recognition: Recognition | None) -> Track:
        """Return ``track`` with ``face`` added to its evidence; ``recognition`` is None for too poor a face.

        If it follows another person by now, it ends on the next update, and a new track with their faces is returned.
        """
        track = replace(track, best_view=max(track.best_view, view_score(track.face)), identified_at=track.now)
        if recognition is None:
            observed = self._refused(track, face)
        else:
            observed = self._observed(track, ObservedFace(face, recognition, track.now))
        self._tracks[observed.number] = observed
        return observed

    def finish(self) -> list[Track]:
        """End every track, as at the end of a video. Return them, marked as ended."""
        ended = [part for track in self._tracks.values() for part in self._ended(track)]
        parted, self._parted = self._parted, []
        self._tracks.clear()
        return parted + ended

    def _refused(self, track: Track, face: AlignedFace) -> Track:
        if track.question is not None:
            return track
        evidence = track.evidence.refuse(face.quality)
        return replace(track, evidence=evidence, verdict=self._verdict_rule.decide(evidence))

    def _observed(self, track: Track, seen: ObservedFace) -> Track:
        question = self._continuity.ask(track.evidence, track.question, seen)
        if question is None:
            return self._with(track, [seen])
        track = replace(track, question=question, verdict=_DOUBTED)
        if question.answer is Answer.OPEN:
            return track
        del self._tracks[track.number]
        return self._settled(track, question.answer)

    def _settled(self, track: Track, answer: Answer | None = None) -> Track:
        """Return ``track`` with its question settled, by default by the likelier answer: it, or whoever came after."""
        assert track.question is not None
        if (answer or track.question.likelier) is Answer.SAME:
            return self._with(track, track.question.faces)
        before, after = self._part(track)
        self._parted.append(before)
        return after

    def _with(self, track: Track, seen: Sequence[ObservedFace]) -> Track:
        """Return ``track`` with faces that are its person's added to the evidence."""
        evidence, best_faces = track.evidence, track.best_faces
        for one in seen:
            evidence = evidence.add(one.recognition, one.face.quality, one.at)
            best_faces = best_faces.add(one.face, one.recognition, one.at)
        return replace(
            track,
            evidence=evidence,
            best_faces=best_faces,
            verdict=self._verdict_rule.decide(evidence),
            question=None,
            confirmed=Confirmed(track.face, track.last_seen, track.hits),
        )

    def _part(self, track: Track) -> tuple[Track, Track]:
        """Return the track up to where its person was last certain, ended, and a new one of who came after."""
        faces = track.question.faces if track.question else ()
        was = track.confirmed or Confirmed(track.face, track.last_seen, track.hits)
        before = replace(
            track,
            face=was.face,
            last_seen=was.last_seen,
            hits=was.hits,
            verdict=self._verdict_rule.decide(track.evidence),
            question=None,
            ended=True,
        )
        number, self._next = self._next, self._next + 1
        fresh = replace(track, evidence=Evidence(), best_faces=BestFaces(), best_view=view_score(track.face))
        after = replace(fresh, number=number, first_seen=faces[0].at, hits=max(len(faces), track.hits - was.hits))
        return before, self._with(after, faces)

    def _ended(self, track: Track) -> list[Track]:
        """Return ``track`` as ended: in two parts, if it more likely follows another person by now."""
        if track.question is None:
            return [replace(track, ended=True)]
        if track.question.likelier is Answer.SAME:
            return [replace(self._with(track, track.question.faces), ended=True)]
        before, after = self._part(track)
        return [before, replace(after, ended=True)]

    def _match(self, faces: Sequence[Face], at: float) -> None:
        faces = [face for face in faces if not self._is_in_its_place(face, at)]
        free = dict(enumerate(faces))
        for number, index in _pairs(list(self._tracks.values()), faces, at):
            track = self._follow(self._tracks.pop(number), free.pop(index), at)
            self._tracks[track.number] = track
        for face in free.values():
            self._start(face, at)

    def _follow(self, track: Track, face: Face, at: float) -> Track:
        if at - track.last_seen < GAP:
            return follow(track, face, at)
        if track.question is not None and track.question.faces:
            track = self._settled(track)
        question = self._continuity.after_gap(track.evidence)
        if question is None or track.question is not None:
            return follow(track, face, at)
        confirmed = Confirmed(track.face, track.last_seen, track.hits)
        return replace(follow(track, face, at), question=question, confirmed=confirmed, verdict=_DOUBTED)

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
                result += self._ended(track)
            else:
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
    limits = {track.number: _MAX_DISTANCE if track.hits > 1 else _FIRST_STEP for track in tracks}
    pairs: list[tuple[int, int]] = []
    used_tracks, used_faces = set(), set()
    for cost, number, index in sorted(costs):
        if cost <= limits[number] and number not in used_tracks and index not in used_faces:
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
