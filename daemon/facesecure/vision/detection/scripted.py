"""The detector that ships for tests and demos: it finds what it was told to find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from facesecure.domain import Face, Image
from facesecure.vision.detection.boxes import largest_first, require_rgb


class ScriptedDetector:
    """A Detector that answers its first call with the first list of faces, and so on; then it finds nothing.

    ``seen`` holds the pictures it was asked about.
    """

    def __init__(self, script: Iterable[Sequence[Face]]) -> None:
        self._script = iter(script)
        self.seen: list[Image] = []

    def detect(self, image: Image) -> list[Face]:
        """The next list of the script, largest first. Raises ValueError if ``image`` is not uint8 RGB."""
        require_rgb(image)
        self.seen.append(image)
        return largest_first(next(self._script, ()))
