"""What a process asks its decoder, and what that answers: limits, and why a picture is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Problem = Literal[
    "empty", "foreign", "not an image", "cut short", "too small", "too large", "faulty", "undecodable", "memory",
    "slow", "crashed", "not started",
]  # fmt: skip
"""Why there are no pixels. The last three are the asking process's own findings."""

PROBLEMS: frozenset[str] = frozenset(get_args(Problem))
MESSAGE = 4096
"""Bytes of the longest message."""
MEMORY = 640_000_000
"""Bytes that decoding one picture may take, besides the file itself."""

SECONDS = 120
"""Seconds of processor time that the largest picture may take: four times what it takes on a Pi."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one picture.

    ``pixels`` of the result, pixels ``decoded`` whole, pixels of a ``side`` at least, bytes of ``memory`` besides the
    file, and ``seconds`` of processor time for the largest. ``longest`` is the longest side of the result, 0 for any,
    and ``formats`` are those that are decoded, all if none is named.
    """

    pixels: int
    decoded: int
    side: int
    memory: int = MEMORY
    seconds: int = SECONDS
    longest: int = 0
    formats: Sequence[str] = ()


class DecodingError(Exception):
    """A picture is refused: the ``problem``, and the ``format``, size and ``fault`` that its header stated."""

    def __init__(
        self, problem: Problem, format_name: str = "", width: int = 0, height: int = 0, fault: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem, self.format, self.width, self.height, self.fault = problem, format_name, width, height, fault
