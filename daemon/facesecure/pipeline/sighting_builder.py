"""Turn tracks into sightings: one when a verdict is reached or corrected, at the latest when the track ends."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from facesecure.domain import Box, Face, Frame, Image, SeenFace, Sighting, Subject, Verdict, VerdictKind
from facesecure.domain.why import Why
from facesecure.pipeline.presence import RANK, MotionEpisode, PresenceDetector
from facesecure.pipeline.snapshots import around_face, scene
from facesecure.pipeline.subject_watch import SubjectWatch
from facesecure.pipeline.tracker import Track
from facesecure.recognition.liveness.watch import LivenessWatch, VisitDoubts
from facesecure.vision.images.quality import view_score

_MIN_HITS = 2
"""Detections that make a visitor: a face found on one frame only is taken for a false detection."""
_BEFORE = 20.0
"""Seconds before an episode from which a view of its subject is its own: looks begin before it is known what it is."""
_MOVED = {
    Subject.PERSON: Why.PERSON_MOVED,
    Subject.ANIMAL: Why.ANIMAL_MOVED,
    Subject.VEHICLE: Why.VEHICLE_MOVED,
    Subject.NOTHING: Why.SOMETHING_MOVED,
    None: Why.SOMETHING_MOVED,
}
_MAX_EXPLAINED = 4
"""Movements beside a face that may turn out to be a poster that are kept, with a snapshot of 3 MB each."""


@dataclass(slots=True)
class _TrackState:
    """The best view of one track so far, what was seen while it lasted, and its latest reported sighting."""

    view: float = -1.0
    snapshot: Image | None = None
    box: Box | None = None
    subject: Subject | None = None
    reported: Sighting | None = None


@dataclass(frozen=True, slots=True)
class _Instant:
    """The time of a frame on both clocks; kept in place of the frame, whose pixels are large."""

    taken_at: float
    wall_time: datetime

    @classmethod
    def of(cls, frame: Frame) -> _Instant:
        return cls(frame.taken_at, frame.wall_time)

    def wall(self, at: float) -> datetime:
        """Return the wall-clock time of ``at``, seconds on the source's clock."""
        return self.wall_time - timedelta(seconds=self.taken_at - at)


@dataclass(frozen=True, slots=True)
class _Explained:
    """A movement while the tracks ``faces`` were seen: of no interest, unless all of them turn out to be fixed."""

    sighting: Sighting
    faces: frozenset[int]


class SightingBuilder:
    """Makes the sightings of one camera: each verdict once, and each reported one again when its track ends (closing).

    Movement without a face is a sighting too. A face that never moves (``Track.fixed``) explains no movement: what
    happened before this was known is reported then.

    Example::

        builder = SightingBuilder("front door", PresenceDetector(3.0))
        for track in tracks:
            sightings = builder.update(track, frame)
    """

    def __init__(
        self,
        source: str,
        presence: PresenceDetector,
        watch: SubjectWatch | None = None,
        doubts: VisitDoubts | None = None,
    ) -> None:
        """``source`` is the camera's name, as it is stored with each sighting. ``watch`` knows what moves.

        ``doubts`` knows who may be a picture.
        """
        self._source = source
        self._presence = presence
        self._doubts = doubts or LivenessWatch()
        self.watch = watch or SubjectWatch()
        self._states: dict[int, _TrackState] = {}
        self._explained: list[_Explained] = []
        self._latest: _Instant | None = None
        self._scene: Frame | Image | None = None
        """Taken during movement; reduced to its pixels once chosen, since a frame keeps its decoder's buffers."""

    def update(self, track: Track, frame: Frame) -> list[Sighting]:
        """Return the new sightings of ``track`` on ``frame``: a verdict reached or corrected, or the end."""
        self._latest = now = _Instant.of(frame)
        if track.ended:
            return self._closing(track, now)
        state = self._states.setdefault(track.number, _TrackState())
        if track.fresh and track.question is None:
            _remember_view(state, track.face, frame)
            state.subject = max(state.subject, self.watch.subject(frame.taken_at), key=RANK.__getitem__)
        return self._changed(track, state, now)

    def update_presence(self, frame: Frame, *, moving: bool, tracks: Sequence[Track]) -> list[Sighting]:
        """Return the new sightings of the scene as a whole: movement without a face. Call it for every frame.

        ``tracks`` are all tracks on ``frame``, including those that ended on it.
        """
        self._latest = now = _Instant.of(frame)
        fixed = {track.number for track in tracks if track.fixed}
        faces = {track.number for track in tracks if track.hits >= _MIN_HITS} - fixed
        self.watch.rest(frame.taken_at)
        subject = self.watch.subject(frame.taken_at)
        episode = self._presence.update(frame.taken_at, moving=moving, faces=faces, fixed=fixed, subject=subject)
        if moving and not self._presence.reportable:
            self._scene = frame  # taken during the movement: at its end the scene is empty again
        elif isinstance(self._scene, Frame):
            self._scene = scene(self._scene.image)[0]
        return self._no_longer_explained(tracks, fixed) + self._faceless(episode, now, tracks)

    def finish(self, tracks: Sequence[Track]) -> list[Sighting]:
        """Return the last sightings, of ``tracks`` and of movement, when the source has ended."""
        if self._latest is None:
            return []
        closing = [sighting for track in tracks for sighting in self._closing(track, self._latest)]
        return closing + self._faceless(self._presence.finish(), self._latest, ())

    def _changed(self, track: Track, state: _TrackState, now: _Instant) -> list[Sighting]:
        verdict, reported = track.verdict, state.reported
        doubt = self._doubts.doubt(track.number)
        if verdict.kind is VerdictKind.UNIDENTIFIED or (reported and _still(reported, verdict, doubt)):
            return []
        if verdict.kind is VerdictKind.KNOWN and self._doubts.undecided(track.number, now.taken_at):
            return []
        found = self._sighting(track, state, now, supersedes=reported.identifier if reported else None)
        state.reported = replace(found, doubt=doubt)
        return [state.reported]

    def _closing(self, track: Track, now: _Instant) -> list[Sighting]:
        state = self._states.pop(track.number, _TrackState())
        doubt = self._doubts.end(track.number, known=track.verdict.kind is VerdictKind.KNOWN)
        if state.reported is not None:
            return [replace(self._closed(state.reported, track, state, now), doubt=state.reported.doubt or doubt)]
        if track.hits < _MIN_HITS:
            return []
        return [replace(self._sighting(track, state, now), doubt=doubt)]

    def _closed(self, reported: Sighting, track: Track, state: _TrackState, now: _Instant) -> Sighting:
        """Return the reported sighting with the whole visit's figures, its end and its best view."""
        return replace(
            reported,
            verdict=track.verdict if _same(reported.verdict, track.verdict) else reported.verdict,
            last_seen=max(reported.first_seen, now.wall(track.last_seen)),
            snapshot=state.snapshot,
            box=state.box,
            closing=True,
            faces=_faces(track, now),
        )

    def _sighting(self, track: Track, state: _TrackState, now: _Instant, supersedes: str | None = None) -> Sighting:
        return Sighting(
            identifier=uuid.uuid4().hex,
            verdict=track.verdict,
            source=self._source,
            first_seen=now.wall(track.first_seen),
            last_seen=now.wall(track.last_seen),
            track=track.number,
            supersedes=supersedes,
            snapshot=state.snapshot,
            box=state.box,
            faces=_faces(track, now),
            subject=_subject(track, state),
        )

    def _no_longer_explained(self, tracks: Sequence[Track], fixed: set[int]) -> list[Sighting]:
        """Return the earlier movements all of whose faces turned out to be fixed; forget those of true visitors."""
        left = [_Explained(old.sighting, old.faces - fixed) for old in self._explained]
        self._explained = [old for old in left if old.faces and _all_live(old.faces, tracks)]
        return [old.sighting for old in left if not old.faces]

    def _faceless(self, episode: MotionEpisode | None, now: _Instant, tracks: Sequence[Track]) -> list[Sighting]:
        if episode is None:
            return []
        if not episode.faces:
            return [self._of_movement(episode, now)]
        if _all_live(episode.faces, tracks):
            self._explained.append(_Explained(self._of_movement(episode, now), episode.faces))
            del self._explained[:-_MAX_EXPLAINED]
        return []

    def _of_movement(self, episode: MotionEpisode, now: _Instant) -> Sighting:
        subject, view = episode.subject, self.watch.view(episode.subject, episode.started - _BEFORE)
        why = _MOVED[subject].say(n=f"{episode.moving:.0f}")
        first, last = now.wall(episode.started), now.wall(episode.last_moved)
        verdict = Verdict(VerdictKind.UNIDENTIFIED, why)
        whole = scene(self._scene.image)[0] if isinstance(self._scene, Frame) else self._scene
        snapshot, box = (view.image, view.box) if view else (whole, None)
        return Sighting(
            uuid.uuid4().hex, verdict, self._source, first, last, snapshot=snapshot, box=box, subject=subject
        )


def _subject(track: Track, state: _TrackState) -> Subject | None:
    """Return what an unidentified ``track`` is: a person, since a face was found, unless an animal was seen there."""
    if track.verdict.kind is not VerdictKind.UNIDENTIFIED:
        return None
    animal = state.subject is Subject.ANIMAL and not track.verdict.faces_used
    return Subject.ANIMAL if animal else Subject.PERSON


def _all_live(faces: frozenset[int], tracks: Sequence[Track]) -> bool:
    return faces <= {track.number for track in tracks if track.live}


def _still(reported: Sighting, verdict: Verdict, doubt: str) -> bool:
    """Return whether ``reported`` says it all: a doubt that comes later is reported of known people only."""
    news = verdict.kind is VerdictKind.KNOWN and bool(doubt) and not reported.doubt
    return _same(reported.verdict, verdict) and not news


def _same(one: Verdict, other: Verdict) -> bool:
    return (one.kind, one.name) == (other.kind, other.name)


def _faces(track: Track, now: _Instant) -> tuple[SeenFace, ...]:
    return tuple(
        SeenFace(kept.face, kept.embedding, kept.model_sha256, now.wall(kept.at)) for kept in track.best_faces.faces
    )


def _remember_view(state: _TrackState, face: Face, frame: Frame) -> None:
    view = view_score(face)
    if view > state.view:
        state.view = view
        state.snapshot, state.box = around_face(frame.image, face.box)
