"""Detect a camera that was turned, knocked or taken away: its scene has changed for good.

The scene's edges (``features``) are learned from what stays while people pass. Another light is not another place:
where the scene can still be recognised, or changes beyond that only for a while, nothing is reported. Scenes seen for
long, by day, by lamp or by infrared, are all remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from facesecure.camera.health.features import HEIGHT, WIDTH, Debounce, EdgeField, EdgeMap
from facesecure.domain.camera_events import Change

PASSING = 15.0
"""Time constant, seconds, with which the averaged view forgets passers-by."""
LEARNING = 1800.0
"""Time constant, seconds, with which a known scene follows the current view; a new one follows faster."""
FIRST = 15.0
"""Seconds until the first scene is learned."""
ELSEWHERE = 0.14
"""Similarity to every known scene below which the view is another place."""
FULL = 0.15
"""Smallest share of the scene's edges in a view of another place: one with fewer is of darkness."""
HERE = 0.25
"""Similarity above which the view is certainly a known scene."""
SHIFTED, BETTER = 0.35, 0.15
"""Similarity of the shifted view, and its lead over the unshifted one, that show a turn."""
STRANGE = 600.0
"""Seconds after which a view that is neither known nor clearly elsewhere is learned as another light."""
BACK = 10.0
"""Seconds for which a camera must show its former scene again to count as back."""
SETTLED = 600.0
"""Seconds after which the new view counts as the usual one."""
SCENES = 6
"""Scenes that are remembered."""
MAX_ELAPSED = 5.0
"""Seconds that one view counts for at most, after a gap."""


@dataclass(slots=True)
class _Scene:
    field: EdgeField
    edges: EdgeMap
    seen: float = FIRST
    """Seconds for which it has been seen."""

    def follow(self, view: EdgeField, elapsed: float) -> None:
        self.seen += elapsed
        self.field = _towards(self.field, view, elapsed / min(self.seen, LEARNING))
        self.edges = EdgeMap(self.field)


class MovedCamera:
    """Detects that the view has been elsewhere for ``seconds``, and when it is back.

    A camera may be turned on purpose: after ten minutes the new view is the usual one, and the trouble is over.
    Example::

        change = MovedCamera(20.0).update(SceneFeatures.of(frame.luma).edges, frame.taken_at)
    """

    def __init__(self, seconds: float) -> None:
        """``seconds`` elsewhere until it is reported."""
        self._seconds = seconds
        self._view: EdgeField | None = None
        self._began = self._at = self._moved_at = 0.0
        self._scenes: list[_Scene] = []
        self._before: list[_Scene] = []
        self._elsewhere, self._strange, self._back = Debounce(), Debounce(), Debounce()

    def similarity_to_scene(self, field: EdgeField) -> float:
        """Return the similarity of a single view to the nearest known scene; 1 while none is known."""
        view = EdgeMap(field)
        return max((scene.edges.similarity(view) for scene in self._scenes), default=1.0)

    def update(self, field: EdgeField, at: float, *, learn: bool = True) -> Change | None:
        """Return the beginning or end of the trouble, if this is it. Call it every second or so.

        ``field``: ``SceneFeatures.edges``; ``at``: seconds. Without ``learn`` the view is ignored: something may cover
        the lens.
        """
        if not learn:
            self._elsewhere.update(False, at)
            return None
        elapsed = self._follow(field, at)
        if not self._scenes:
            if at - self._began >= FIRST:
                self._learn()
            return None
        return self._compare(EdgeMap(field), elapsed, at)

    def _follow(self, field: EdgeField, at: float) -> float:
        """Add ``field`` to the averaged view; return the seconds since the last one."""
        if self._view is None:
            self._view, self._began, self._at = field.copy(), at, at
        elapsed, self._at = min(MAX_ELAPSED, at - self._at), at
        self._view = _towards(self._view, field, elapsed / PASSING)
        return elapsed

    def _compare(self, now: EdgeMap, elapsed: float, at: float) -> Change | None:
        assert self._view is not None
        view = EdgeMap(self._view)
        similarity, scene = max(
            ((each.edges.similarity(view), each) for each in self._scenes), key=lambda pair: pair[0]
        )
        where = _elsewhere(scene.edges, view, similarity)
        if where is None and min(similarity, scene.edges.similarity(now)) >= HERE:
            scene.follow(self._view, elapsed)
        if self._strange.update(where is None and similarity < HERE, at) >= STRANGE:
            self._learn()
        if self._elsewhere.update(where is not None, at) >= self._seconds and where is not None:
            self._elsewhere.update(False, at)
            self._before, self._scenes, self._moved_at = self._before or self._scenes, [], at
            self._back = Debounce()
            self._learn()
            return Change(False, where)
        return self._returned(view, at)

    def _returned(self, view: EdgeMap, at: float) -> Change | None:
        if not self._before:
            return None
        similarity = max(scene.edges.similarity(view) for scene in self._before)
        if self._back.update(similarity >= max(HERE, self._best_similarity(view)), at) >= BACK:
            self._scenes, self._before = self._before, []
            return Change(True, "the camera shows its former view again")
        if at - self._moved_at >= SETTLED:
            self._before = []
            return Change(True, "the new view now counts as the usual one")
        return None

    def _best_similarity(self, view: EdgeMap) -> float:
        return max(scene.edges.similarity(view) for scene in self._scenes)

    def _learn(self) -> None:
        assert self._view is not None
        self._scenes = [*self._scenes[-SCENES + 1 :], _Scene(self._view.copy(), EdgeMap(self._view.copy()))]


def _elsewhere(scene: EdgeMap, view: EdgeMap, similarity: float) -> str | None:
    """Return the sign that ``view`` shows another place than ``scene``; None where there is none."""
    if similarity > 1 - BETTER:
        return None
    best, across, down = scene.shift(view)
    if best >= SHIFTED and best > similarity + BETTER:
        parts = [(abs(across) / WIDTH, "sideways"), (abs(down) / HEIGHT, "up or down")]
        return "the view is shifted " + " and ".join(f"{share:.0%} {word}" for share, word in parts if share >= 0.01)
    if similarity < ELSEWHERE and view.weight >= FULL * scene.weight:
        return "the view is a different one"
    return None


def _towards(old: EdgeField, new: EdgeField, time_constants: float) -> EdgeField:
    weight = np.float32(1 - exp(-time_constants))
    return np.asarray(old + weight * (new - old), np.complex64)
