"""Turns tracks into sightings: one when a verdict is reached or corrected, and at the latest one at the end."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import cv2
import numpy as np

from facesecure.domain import Box, Face, Frame, Image, SeenFace, Sighting, Verdict, VerdictKind
from facesecure.pipeline.presence import MotionEpisode, PresenceDetector
from facesecure.pipeline.tracker import Track
from facesecure.vision.images.quality import view_score

_LEAST_HITS = 2
"""A face found on a single frame and never again is a flicker of the detector, not a visitor."""
_SURROUNDINGS = 1.0
"""A snapshot shows the face and this many face sizes on every side."""


_SCENE_WIDTH = 1280
"""Pixels across a snapshot of the whole scene."""


@dataclass(slots=True)
class _Memory:
    """What is remembered of one track: the best view of it, and the last thing said about it."""

    view: float = -1.0
    snapshot: Image | None = None
    box: Box | None = None
    reported: Sighting | None = None


@dataclass(frozen=True, slots=True)
class _Instant:
    """When a frame was taken, on both clocks: all that need be kept of it."""

    taken_at: float
    wall_time: datetime

    @classmethod
    def of(cls, frame: Frame) -> _Instant:
        return cls(frame.taken_at, frame.wall_time)

    def wall(self, at: float) -> datetime:
        """The wall-clock time of ``at``, a time on the source's clock."""
        return self.wall_time - timedelta(seconds=self.taken_at - at)


class SightingBuilder:
    """Says each thing once; at the end of a track it says so with the sighting it made, marked as closing."""

    def __init__(self, source: str, presence: PresenceDetector) -> None:
        self._source = source
        self._presence = presence
        self._memories: dict[int, _Memory] = {}
        self._latest: _Instant | None = None
        self._scene: Frame | Image | None = None
        """From within a movement; only its pixels once it is chosen: what a decoder holds with a frame is large."""

    def update(self, track: Track, frame: Frame) -> list[Sighting]:
        """What is new about ``track`` on ``frame``."""
        self._latest = now = _Instant.of(frame)
        if track.ended:
            return self._closing(track, now)
        memory = self._memories.setdefault(track.number, _Memory())
        if track.fresh:
            _remember_view(memory, track.face, frame)
        return self._changed(track, memory, now)

    def update_presence(self, frame: Frame, *, moving: bool, face: bool) -> list[Sighting]:
        """What is new about the scene as a whole: movement without a face."""
        self._latest = now = _Instant.of(frame)
        episode = self._presence.update(frame.taken_at, moving=moving, face=face)
        if moving and not self._presence.ripe:
            self._scene = frame  # a picture from within the movement; at its end the door is empty again
        elif isinstance(self._scene, Frame):
            self._scene = _reduced(self._scene.image)
        return self._faceless(episode, now)

    def finish(self, tracks: Sequence[Track]) -> list[Sighting]:
        """What is left to say when the source has ended and taken ``tracks`` with it."""
        if self._latest is None:
            return []
        last_words = [sighting for track in tracks for sighting in self._closing(track, self._latest)]
        return last_words + self._faceless(self._presence.finish(), self._latest)

    def _changed(self, track: Track, memory: _Memory, now: _Instant) -> list[Sighting]:
        verdict, told = track.verdict, memory.reported
        if verdict.kind is VerdictKind.UNIDENTIFIED or (told and _same(told.verdict, verdict)):
            return []
        memory.reported = self._sighting(track, memory, now, supersedes=told.identifier if told else None)
        return [memory.reported]

    def _closing(self, track: Track, now: _Instant) -> list[Sighting]:
        memory = self._memories.pop(track.number, _Memory())
        if memory.reported is not None:
            return [self._closed(memory.reported, track, memory, now)]
        if track.hits < _LEAST_HITS:
            return []
        return [self._sighting(track, memory, now)]

    def _closed(self, told: Sighting, track: Track, memory: _Memory, now: _Instant) -> Sighting:
        """What was told, with the whole visit's figures, its end, and the best view there was of it."""
        return replace(
            told,
            verdict=track.verdict if _same(told.verdict, track.verdict) else told.verdict,
            last_seen=max(told.first_seen, now.wall(track.last_seen)),
            snapshot=memory.snapshot,
            box=memory.box,
            closing=True,
            faces=_faces(track, now),
        )

    def _sighting(self, track: Track, memory: _Memory, now: _Instant, supersedes: str | None = None) -> Sighting:
        return Sighting(
            identifier=uuid.uuid4().hex,
            verdict=track.verdict,
            source=self._source,
            first_seen=now.wall(track.first_seen),
            last_seen=now.wall(track.last_seen),
            track=track.number,
            supersedes=supersedes,
            snapshot=memory.snapshot,
            box=memory.box,
            faces=_faces(track, now),
        )

    def _faceless(self, episode: MotionEpisode | None, now: _Instant) -> list[Sighting]:
        if episode is None:
            return []
        why = f"something moved for {episode.moving:.0f} s and showed no face"
        first, last = now.wall(episode.started), now.wall(episode.last_moved)
        verdict = Verdict(VerdictKind.UNIDENTIFIED, why)
        snapshot = _reduced(self._scene.image) if isinstance(self._scene, Frame) else self._scene
        return [Sighting(uuid.uuid4().hex, verdict, self._source, first, last, snapshot=snapshot)]


def _same(one: Verdict, other: Verdict) -> bool:
    return (one.kind, one.name) == (other.kind, other.name)


def _faces(track: Track, now: _Instant) -> tuple[SeenFace, ...]:
    return tuple(
        SeenFace(kept.face, kept.embedding, kept.model_sha256, now.wall(kept.at)) for kept in track.best_faces.faces
    )


def _reduced(image: Image) -> Image:
    """At most _SCENE_WIDTH wide; never the frame's own array."""
    height, width = image.shape[:2]
    if width <= _SCENE_WIDTH:
        return image.copy()
    size = (_SCENE_WIDTH, round(height * _SCENE_WIDTH / width))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _remember_view(memory: _Memory, face: Face, frame: Frame) -> None:
    view = view_score(face)
    if view > memory.view:
        memory.view = view
        memory.snapshot, memory.box = _cut(frame.image, face.box)


def _cut(image: Image, box: Box) -> tuple[Image, Box]:
    """A copy of the face and its surroundings, and where the face is in it; a copy, so the frame can go."""
    height, width = image.shape[:2]
    reach = _SURROUNDINGS * max(box.width, box.height)
    left, top = int(np.clip(box.left - reach, 0, width - 1)), int(np.clip(box.top - reach, 0, height - 1))
    right, bottom = (
        int(np.clip(box.right + reach, left + 1, width)),
        int(np.clip(box.bottom + reach, top + 1, height)),
    )
    moved = Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
    return image[top:bottom, left:right].copy(), moved
