"""Something before the lens, or a light straight into it: there is a picture, and of a sudden nothing in it.

Night is no trouble: it comes slowly. A lamp that goes out is none as long as something is left of the scene; where that
is nothing at all, the camera sees as little as if it were covered, and that is told once. Where darkness came by itself
before, within half a day, a lamp may go on and off as it likes.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from facesecure.camera.health.features import Debounce, SceneFeatures
from facesecure.domain.camera_events import Change

SUDDENLY = 60.0
"""Seconds over which what was to be seen is remembered: what takes longer to go is night."""
LEFT = 0.3
"""Share of the detail that is left, at most, when nothing is to be seen."""
PLENTY = 1.0
"""Detail (mean step of brightness) that a scene has to have had."""
RECOGNISABLE = 0.2
"""Likeness to the scene from which on it is not covered, only dark."""
OVER = 3.0
"""Seconds for which there must be something to be seen again."""
USUAL_NIGHT = 12 * 3600.0
"""Seconds for which darkness that came by itself is remembered."""
ENOUGH = 10
"""Looks that tell what is usual."""


class CoveredLens:
    """Feed it a view every second or so; says when nothing has been to be seen for ``seconds``, and when it is over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._past: deque[tuple[float, float]] = deque()
        self._usual: float | None = None
        self._blank, self._clear = Debounce(), Debounce()
        self._night = float("-inf")
        self._told = False

    @property
    def suspected(self) -> bool:
        """Whether there may be something before the lens now: no time to learn what the scene looks like."""
        return self._usual is not None

    def sees(self, view: SceneFeatures, likeness: float, at: float) -> Change | None:
        """``likeness``: to the scene that the camera usually shows (``view.Edges``)."""
        if self._usual is None:
            self._usual = self._lost(view, likeness, at)
        if self._usual is None:
            return None
        gone = view.detail < LEFT * self._usual and likeness < RECOGNISABLE
        lasted = self._blank.update(gone, at)
        if not self._told:
            return self._begins(view, gone, lasted)
        if self._clear.update(not gone, at) >= OVER:
            self._forget()
            return Change(True, "there is something to be seen again")
        return None

    def _begins(self, view: SceneFeatures, gone: bool, lasted: float) -> Change | None:
        if not gone:
            self._forget()
        elif lasted >= self._seconds:
            self._told = True
            return Change(False, f"of a sudden the picture was {_looks(view)}, {lasted:.0f} s ago")
        return None

    def _lost(self, view: SceneFeatures, likeness: float, at: float) -> float | None:
        """The usual detail, if it has gone just now; else this look belongs to what is usual."""
        while self._past and at - self._past[0][0] > SUDDENLY:
            self._past.popleft()
        usual = median(detail for _, detail in self._past) if len(self._past) >= ENOUGH else 0.0
        blank = view.detail < LEFT * PLENTY
        if usual >= PLENTY and view.detail < LEFT * usual and likeness < RECOGNISABLE:
            if not (blank and at - self._night < USUAL_NIGHT):
                return usual
        elif blank:
            self._night = at
        self._past.append((at, view.detail))
        return None

    def _forget(self) -> None:
        self._past.clear()
        self._usual, self._told = None, False
        self._blank, self._clear = Debounce(), Debounce()


def _looks(view: SceneFeatures) -> str:
    if view.brightness < 50:
        return "dark"
    return "dazzled" if view.brightness > 200 else "without any feature"
