"""A fake detector for tests and demos: it returns given faces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from facesecure.domain import Face, Image
from facesecure.vision.detection.boxes import largest_first, require_rgb


class ScriptedDetector:
    """A Detector that returns the first list of faces on its first call, and so on; then it finds nothing.

    ``seen`` holds the images it received. Example::

        detector = ScriptedDetector([[Face(Box(10, 10, 60, 70), landmarks, 0.9)], []])
    """

    def __init__(self, script: Iterable[Sequence[Face]]) -> None:
        self._script = iter(script)
        self.seen: list[Image] = []

    def detect(self, image: Image) -> list[Face]:
        """Return the next list of the script, largest first. Raises ValueError if ``image`` is not uint8 RGB."""
        require_rgb(image)
        self.seen.append(image)
        return largest_first(next(self._script, ()))
