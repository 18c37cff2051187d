"""Pairs of pictures: of one person, or of two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures; ``different`` is 0 for the same person and 1 for two."""

    first: Path
    second: Path
    different: int

    def __post_init__(self) -> None:
        if self.different not in (0, 1):
            raise ValueError(f"a pair is the same person (0) or another (1), not {self.different}")
