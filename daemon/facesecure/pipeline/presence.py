"""Detect a presence without a face: movement in which no face was found, at night or of a person seen from behind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from facesecure.domain import Subject

_QUIET = 2.0
"""Seconds without movement that end an episode, and between it and a face that still explains it."""
_MAX_WAIT = 15.0
"""Seconds after which an episode is reported while it lasts: an intruder who stays is reported too."""
_MAX_STEP = 1.0
"""Seconds of movement that one frame adds at most, after a gap in the stream."""
RANK = {None: -1, Subject.NOTHING: 0, Subject.VEHICLE: 1, Subject.ANIMAL: 2, Subject.PERSON: 3}
"""Which kind of subject counts if an episode showed several."""


@dataclass(frozen=True, slots=True)
class MotionEpisode:
    """A stretch of movement, in seconds on the source's clock. ``moving`` adds up the frames that really moved.

    ``faces`` are the numbers of the tracks that explain it: those seen during it, or shortly before or after.
    ``subject`` is what was seen to move; None if nobody looked.
    """

    started: float
    last_moved: float
    moving: float = 0.0
    faces: frozenset[int] = frozenset()
    reported: bool = False
    subject: Subject | None = None

    @property
    def length(self) -> float:
        """Seconds from the first movement to the last."""
        return self.last_moved - self.started


class PresenceDetector:
    """Groups movement into episodes, and reports each one once.

    An episode without a face is reported when it is over, or while it lasts long. One with faces is reported when it is
    over, since it matters only if they turn out to be fixed, as on a poster. An episode also ends when a person who was
    seen has left, and once it was reported, when a person comes: leaves may move all day.

    Example::

        presence = PresenceDetector(min_movement=3.0)
        episode = presence.update(frame.taken_at, moving=True, faces=())
    """

    def __init__(self, min_movement: float) -> None:
        """``min_movement``: seconds of movement from which an episode is reported; 0 turns this off."""
        self._min_movement = min_movement
        self._episode: MotionEpisode | None = None
        self._seen_at: dict[int, float] = {}
        self._last_at: float | None = None

    @property
    def reportable(self) -> bool:
        """Return whether the current episode has enough movement to be reported."""
        return self._episode is not None and self._episode.moving >= self._min_movement

    def update(
        self,
        at: float,
        *,
        moving: bool,
        faces: Collection[int],
        fixed: Collection[int] = (),
        subject: Subject | None = None,
    ) -> MotionEpisode | None:
        """Return the episode to report now, if there is one. Call it for every frame, in order.

        ``faces`` are the numbers of the tracks seen now; ``fixed`` of those that turned out never to move; ``subject``
        is what is seen to move now.
        """
        step = 0.0 if self._last_at is None else at - self._last_at
        self._last_at = at
        if self._min_movement <= 0:
            return None
        if moving:
            self._extend(at, step)
        self._note_faces(at, faces, frozenset(fixed))
        return self._note_subject(at, subject) or self._due(at)

    def finish(self) -> MotionEpisode | None:
        """End the current episode, as at the end of the source. Return it if it is to be reported."""
        episode, self._episode = self._episode, None
        return episode if episode and self._is_due(episode) else None

    def _extend(self, at: float, moved_for: float) -> None:
        old = self._episode or MotionEpisode(at, at)
        self._episode = replace(old, last_moved=at, moving=old.moving + min(moved_for, _MAX_STEP))

    def _note_subject(self, at: float, subject: Subject | None) -> MotionEpisode | None:
        """Begin another episode where a person has left, or something known has come. Return one to report that ends.

        What is left of one is what still moves, or the place that the background has to learn again.
        """
        episode = self._episode
        if episode is None:
            return None
        more = RANK[subject] > RANK[episode.subject]
        gone = episode.subject is Subject.PERSON and subject is not Subject.PERSON
        if gone:
            self._episode = MotionEpisode(at, at, subject=subject)
            return episode if self._is_due(episode) else None
        if more and episode.reported and subject is not Subject.NOTHING:
            self._episode = MotionEpisode(at, at, self._min_movement, subject=subject)
        elif more:
            self._episode = replace(episode, subject=subject)
        return None

    def _note_faces(self, at: float, faces: Collection[int], fixed: frozenset[int]) -> None:
        recent = {number: seen for number, seen in self._seen_at.items() if at - seen <= _QUIET}
        seen_at = recent | dict.fromkeys(faces, at)
        self._seen_at = {number: seen for number, seen in seen_at.items() if number not in fixed}
        if self._episode is not None:
            self._episode = replace(self._episode, faces=self._episode.faces.union(self._seen_at) - fixed)

    def _due(self, at: float) -> MotionEpisode | None:
        episode = self._episode
        if episode is None:
            return None
        over = at - episode.last_moved > _QUIET
        if over:
            self._episode = None
        elif episode.faces or episode.length < _MAX_WAIT:
            return None
        if not self._is_due(episode):
            return None
        if not over:
            self._episode = replace(episode, reported=True)
        return episode

    def _is_due(self, episode: MotionEpisode) -> bool:
        return not episode.reported and episode.moving >= self._min_movement
