"""The answer of a source that was asked once whether it works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A source was opened and gave a picture: size in pixels, frames a second (0: it does not say), and what it is."""

    width: int
    height: int
    fps: float
    why: str

    def __str__(self) -> str:
        rate = f" at {self.fps:g} frames a second" if self.fps else ""
        return f"{self.width}x{self.height}{rate}, {self.why}"
