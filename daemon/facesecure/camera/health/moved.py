"""A camera that was turned, knocked or taken away: what it looks at has changed for good.

It learns the scene's edges (``view``) from what stays while people pass. Another light is not another place: where the
scene can still be recognised, or changes beyond that only in passing, nothing is told. Scenes that were seen for long,
by day, by lamp, by infrared, are all remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from facesecure.camera.health.features import HEIGHT, WIDTH, Debounce, EdgeField, EdgeMap
from facesecure.domain.camera_events import Change

PASSING = 15.0
"""Time constant, seconds, with which the present look forgets who passed by."""
LEARNING = 1800.0
"""Time constant, seconds, with which a known scene follows its present look; a new one follows faster."""
FIRST = 15.0
"""Seconds of looking before anything is known."""
ELSEWHERE = 0.14
"""Likeness to all known scenes below which this is another place."""
FULL = 0.15
"""Share of the scene's edges that another place has to have: a look with fewer is into the dark."""
HERE = 0.25
"""Likeness above which it is surely a known one."""
SHIFTED, BETTER = 0.35, 0.15
"""Likeness at another place in the picture, and its lead over the likeness in place, that tell of a turn."""
STRANGE = 600.0
"""Seconds after which a look that is neither known nor surely elsewhere is learned as another light."""
BACK = 10.0
"""Seconds for which a camera has to look where it did before that counts as back."""
SETTLED = 600.0
"""Seconds after which the new view is the usual one."""
SCENES = 6
MOST_ELAPSED = 5.0


@dataclass(slots=True)
class _Scene:
    field: EdgeField
    edges: EdgeMap
    seen: float = FIRST
    """Seconds for which it was looked at."""

    def follow(self, look: EdgeField, elapsed: float) -> None:
        self.seen += elapsed
        self.field = _towards(self.field, look, elapsed / min(self.seen, LEARNING))
        self.edges = EdgeMap(self.field)


class MovedCamera:
    """Feed it edges every second or so; says when they have been elsewhere for ``seconds``, and when they are back.

    A camera may be turned on purpose: after ten minutes the new view is the usual one, and the trouble is over.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._look: EdgeField | None = None
        self._began = self._at = self._moved_at = 0.0
        self._scenes: list[_Scene] = []
        self._before: list[_Scene] = []
        self._elsewhere, self._strange, self._back = Debounce(), Debounce(), Debounce()

    def likeness_of(self, field: EdgeField) -> float:
        """Of one look, just as it is, to the known scene most like it; 1 while none is known."""
        look = EdgeMap(field)
        return max((scene.edges.likeness(look) for scene in self._scenes), default=1.0)

    def sees(self, field: EdgeField, at: float, *, learn: bool = True) -> Change | None:
        """``field``: ``View.edges``. Without ``learn`` it is only compared: something may be before the lens."""
        if not learn:
            self._elsewhere.update(False, at)
            return None
        elapsed = self._follow(field, at)
        if not self._scenes:
            if at - self._began >= FIRST:
                self._learn()
            return None
        return self._judge(EdgeMap(field), elapsed, at)

    def _follow(self, field: EdgeField, at: float) -> float:
        """Let the present look follow; returns the seconds since the last one."""
        if self._look is None:
            self._look, self._began, self._at = field.copy(), at, at
        elapsed, self._at = min(MOST_ELAPSED, at - self._at), at
        self._look = _towards(self._look, field, elapsed / PASSING)
        return elapsed

    def _judge(self, now: EdgeMap, elapsed: float, at: float) -> Change | None:
        assert self._look is not None
        look = EdgeMap(self._look)
        likeness, scene = max(((each.edges.likeness(look), each) for each in self._scenes), key=lambda pair: pair[0])
        where = _elsewhere(scene.edges, look, likeness)
        if where is None and min(likeness, scene.edges.likeness(now)) >= HERE:
            scene.follow(self._look, elapsed)
        if self._strange.update(where is None and likeness < HERE, at) >= STRANGE:
            self._learn()
        if self._elsewhere.update(where is not None, at) >= self._seconds and where is not None:
            self._elsewhere.update(False, at)
            self._before, self._scenes, self._moved_at = self._before or self._scenes, [], at
            self._back = Debounce()
            self._learn()
            return Change(False, where)
        return self._returned(look, at)

    def _returned(self, look: EdgeMap, at: float) -> Change | None:
        if not self._before:
            return None
        like = max(scene.edges.likeness(look) for scene in self._before)
        if self._back.update(like >= max(HERE, self._likest(look)), at) >= BACK:
            self._scenes, self._before = self._before, []
            return Change(True, "the camera looks where it did before")
        if at - self._moved_at >= SETTLED:
            self._before = []
            return Change(True, "the new view is taken for the usual one")
        return None

    def _likest(self, look: EdgeMap) -> float:
        return max(scene.edges.likeness(look) for scene in self._scenes)

    def _learn(self) -> None:
        assert self._look is not None
        self._scenes = [*self._scenes[-SCENES + 1 :], _Scene(self._look.copy(), EdgeMap(self._look.copy()))]


def _elsewhere(scene: EdgeMap, look: EdgeMap, likeness: float) -> str | None:
    """What tells that ``look`` is of another place than ``scene``; None where nothing does."""
    if likeness > 1 - BETTER:
        return None
    best, across, down = scene.shift(look)
    if best >= SHIFTED and best > likeness + BETTER:
        parts = [(abs(across) / WIDTH, "sideways"), (abs(down) / HEIGHT, "up or down")]
        return "the view is shifted " + " and ".join(f"{share:.0%} {word}" for share, word in parts if share >= 0.01)
    if likeness < ELSEWHERE and look.weight >= FULL * scene.weight:
        return "the view is another one"
    return None


def _towards(old: EdgeField, new: EdgeField, time_constants: float) -> EdgeField:
    weight = np.float32(1 - exp(-time_constants))
    return np.asarray(old + weight * (new - old), np.complex64)
