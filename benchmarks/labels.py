"""The ground truth of the benchmark's clip, frame by frame, as plain data that every system's process can read.

Standard library only: the other systems run in environments without facesecure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

SETTLE_SECONDS = 3.0
"""Seconds without a person after which the door counts as idle; a system may still search until then.

The clip's beginning counts as a visit, since models run for the first time.
"""


class Phase(StrEnum):
    BUSY = "busy"  # a face is visible
    BETWEEN = "between"  # a person is present or has just left
    IDLE = "idle"


@dataclass(frozen=True)
class Sight:
    """One person in one frame. ``visible``: the whole face is in view; ``usable``: also large, sharp and frontal."""

    box: Corners
    visible: bool
    usable: bool


@dataclass(frozen=True)
class Visit:
    """One visit of a person; ``sights`` by frame index."""

    who: str
    household: bool
    sights: dict[int, Sight]

    @cached_property
    def first_usable(self) -> int | None:
        """The index of the first frame with a usable face, None if there is none."""
        return min((index for index, sight in self.sights.items() if sight.usable), default=None)


@dataclass(frozen=True)
class Labels:
    """A clip's ground truth. ``size`` is (width, height)."""

    fps: float
    size: tuple[int, int]
    frames: int
    visits: tuple[Visit, ...]

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phase of each frame."""
        present = {index for visit in self.visits for index in visit.sights}
        visible = {index for visit in self.visits for index, sight in visit.sights.items() if sight.visible}
        settle = round(SETTLE_SECONDS * self.fps)
        phases, last = [], 0
        for index in range(self.frames):
            last = index if index in present else last
            phases.append(Phase.BUSY if index in visible else Phase.BETWEEN if index - last <= settle else Phase.IDLE)
        return tuple(phases)

    def indices(self, phase: Phase) -> list[int]:
        return [index for index, found in enumerate(self.phases) if found is phase]

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Labels:
        raw = json.loads(path.read_text())
        visits = tuple(_visit(visit) for visit in raw["visits"])
        return cls(raw["fps"], tuple(raw["size"]), raw["frames"], visits)


def _visit(raw: dict[str, object]) -> Visit:
    sights = raw["sights"]
    assert isinstance(sights, dict)
    made = {int(index): Sight(tuple(s["box"]), s["visible"], s["usable"]) for index, s in sights.items()}
    return Visit(str(raw["who"]), bool(raw["household"]), made)


def spread(indices: list[int], count: int) -> list[int]:
    """Return ``count`` of ``indices``, evenly spread from the first; all if there are fewer."""
    if count >= len(indices):
        return list(indices)
    return [indices[round(step * len(indices) / count)] for step in range(count)]


def sample(labels: Labels, busy: int, idle: int) -> list[int]:
    """Return frames for a slow system: each visit's first usable frame and others evenly spread, and idle ones.

    Every visit gets the same share of ``busy``, so that the system can identify each.
    """
    share = max(1, busy // max(1, len(labels.visits)))
    picked: set[int] = set(spread(labels.indices(Phase.IDLE), idle))
    for visit in labels.visits:
        picked.update(spread(sorted(i for i, s in visit.sights.items() if s.usable), share))
    return sorted(picked)


def covered(face: Corners, others: Iterable[Corners]) -> bool:
    """Return whether a nearer person's head or body (boxes of their faces in ``others``) hides part of ``face``."""
    left, top, right, bottom = face
    for o_left, o_top, o_right, o_bottom in others:
        width, height = o_right - o_left, o_bottom - o_top
        head = (o_left - 0.3 * width, o_top - 0.5 * height, o_right + 0.3 * width, o_bottom)
        body = (o_left - 1.2 * width, o_bottom, o_right + 1.2 * width, float("inf"))
        for b_left, b_top, b_right, b_bottom in (head, body):
            if left < b_right and right > b_left and top < b_bottom and bottom > b_top:
                return True
    return False
