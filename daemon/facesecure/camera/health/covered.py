"""Detect a covered or blinded lens: the image suddenly shows nothing of the scene.

Nightfall is no trouble: it comes slowly. A lamp that goes out is none while part of the scene stays visible; where
nothing does, the camera sees as little as if it were covered, and that is reported once. Where darkness came slowly
within the last half day, a lamp may go on and off without a report.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from facesecure.camera.health.features import Debounce, SceneFeatures
from facesecure.domain.camera_events import Change

SUDDENLY = 60.0
"""Seconds over which the usual detail is measured: what fades more slowly is nightfall."""
LEFT = 0.3
"""Largest share of the usual detail that still counts as nothing to be seen."""
PLENTY = 1.0
"""Detail (mean step of brightness) that a scene must have had before."""
RECOGNISABLE = 0.2
"""Similarity to the scene from which the lens is not covered, only dark."""
OVER = 3.0
"""Seconds for which the scene must be visible again to end the trouble."""
USUAL_NIGHT = 12 * 3600.0
"""Seconds for which a nightfall is remembered."""
MIN_SAMPLES = 10
"""Measurements from which the usual detail is known."""


class CoveredLens:
    """Detects that the scene has not been visible for ``seconds``, and when it is visible again.

    Example::

        change = CoveredLens(20.0).update(SceneFeatures.of(frame.luma), similarity=0.9, at=frame.taken_at)
    """

    def __init__(self, seconds: float) -> None:
        """``seconds`` without anything visible until it is reported."""
        self._seconds = seconds
        self._past: deque[tuple[float, float]] = deque()
        self._usual: float | None = None
        self._blank, self._clear = Debounce(), Debounce()
        self._night = float("-inf")
        self._reported = False

    @property
    def suspected(self) -> bool:
        """Return whether something may cover the lens now; the scene must not be learned meanwhile."""
        return self._usual is not None

    def update(self, view: SceneFeatures, similarity: float, at: float) -> Change | None:
        """Return the beginning or end of the trouble, if this is it. Call it every second or so.

        ``similarity``: of this view to the usual scene (``features.EdgeMap``); ``at``: seconds.
        """
        if self._usual is None:
            self._usual = self._lost(view, similarity, at)
        if self._usual is None:
            return None
        gone = view.detail < LEFT * self._usual and similarity < RECOGNISABLE
        lasted = self._blank.update(gone, at)
        if not self._reported:
            return self._begins(view, gone, lasted)
        if self._clear.update(not gone, at) >= OVER:
            self._forget()
            return Change(True, "the scene is visible again")
        return None

    def _begins(self, view: SceneFeatures, gone: bool, lasted: float) -> Change | None:
        if not gone:
            self._forget()
        elif lasted >= self._seconds:
            self._reported = True
            return Change(False, f"the picture suddenly became {_appearance(view)} {lasted:.0f} s ago")
        return None

    def _lost(self, view: SceneFeatures, similarity: float, at: float) -> float | None:
        """Return the usual detail if it has been lost just now; else count this view as usual and return None."""
        while self._past and at - self._past[0][0] > SUDDENLY:
            self._past.popleft()
        usual = median(detail for _, detail in self._past) if len(self._past) >= MIN_SAMPLES else 0.0
        blank = view.detail < LEFT * PLENTY
        if usual >= PLENTY and view.detail < LEFT * usual and similarity < RECOGNISABLE:
            if not (blank and at - self._night < USUAL_NIGHT):
                return usual
        elif blank:
            self._night = at
        self._past.append((at, view.detail))
        return None

    def _forget(self) -> None:
        self._past.clear()
        self._usual, self._reported = None, False
        self._blank, self._clear = Debounce(), Debounce()


def _appearance(view: SceneFeatures) -> str:
    if view.brightness < 50:
        return "dark"
    return "dazzled" if view.brightness > 200 else "without any feature"
