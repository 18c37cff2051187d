"""Notices that somebody or something was there although no face was ever found: at night, or seen from behind."""

from __future__ import annotations

from dataclasses import dataclass, replace

_QUIET = 2.0
"""Seconds without movement that end an episode."""
_LONGEST_WAIT = 15.0
"""Seconds after which an episode is told although it goes on; a burglar need not leave to be noticed."""


@dataclass(frozen=True, slots=True)
class MotionEpisode:
    """A stretch of movement, in seconds on the source's clock. ``moving`` adds up the frames that really moved."""

    started: float
    last_moved: float
    moving: float = 0.0
    face_seen: bool = False
    reported: bool = False

    @property
    def length(self) -> float:
        return self.last_moved - self.started


class PresenceDetector:
    """Turns movement into episodes, and tells each that had no face in it once."""

    def __init__(self, least: float) -> None:
        """``least``: seconds of movement that are worth telling; 0 turns this off."""
        self._least = least
        self._episode: MotionEpisode | None = None
        self._last_at: float | None = None

    @property
    def ripe(self) -> bool:
        """Whether the present episode has moved long enough to be told."""
        return self._episode is not None and self._episode.moving >= self._least

    def update(self, at: float, *, moving: bool, face: bool) -> MotionEpisode | None:
        """The episode to tell of, if there is one now. To be called for every frame."""
        step = 0.0 if self._last_at is None else at - self._last_at
        self._last_at = at
        if self._least <= 0:
            return None
        if moving or face:
            self._extend(at, step if moving else 0.0, face)
        return self._telling(at)

    def finish(self) -> MotionEpisode | None:
        """The episode to tell of when the source has ended."""
        episode, self._episode = self._episode, None
        return episode if episode and self._worth_telling(episode) else None

    def _extend(self, at: float, moved_for: float, face: bool) -> None:
        old = self._episode or MotionEpisode(at, at)
        self._episode = replace(
            old, last_moved=at, moving=old.moving + min(moved_for, 1.0), face_seen=old.face_seen or face
        )

    def _telling(self, at: float) -> MotionEpisode | None:
        episode = self._episode
        if episode is None:
            return None
        over = at - episode.last_moved > _QUIET
        if over:
            self._episode = None
        elif episode.length < _LONGEST_WAIT:
            return None
        if not self._worth_telling(episode):
            return None
        if not over:
            self._episode = replace(episode, reported=True)
        return episode

    def _worth_telling(self, episode: MotionEpisode) -> bool:
        return not episode.reported and not episode.face_seen and episode.moving >= self._least
