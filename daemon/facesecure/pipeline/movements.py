"""Where it moved in the last hour, so that a mask or zone can be tried before it is in force.

Coarse and small: each sample is a few boxes of six bytes, one a second at most, and the oldest give way.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.config.areas import Area, Rectangle
from facesecure.vision.detection.areas import WatchedArea
from facesecure.vision.detection.motion import Change

HOUR = 3600.0
SAMPLES = 3600
"""Samples that are kept: at most 0.6 MB."""
_EVERY = 1.0
"""Seconds between two samples, at least."""
_QUIET = 3.0
"""Seconds without a sample that end a movement."""
_LONGEST = 30.0
"""Seconds after which what still moves, as a tree in the wind does, is another movement."""
_PART = np.dtype([("edges", "u1", 4), ("share", ">u2")])
_FINE, _FINER = 255, 65535
_SHAPE = (90, 160)
"""Rows and columns in which the watched part of the image is measured, as in the motion gate."""

_Parts = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a mask and zones would have done: the movements of the last hour, and how many would be left out."""

    movements: int
    left_out: int


class Movements:
    """The movements of a camera in the last hour. ``note`` is called by its frame loop, ``tried`` by any thread.

    Example::

        movements = Movements(lambda: sampler.changes)
        movements.note(frame.taken_at)
        movements.tried(mask=[], zones=[[(0.1, 0.2), (0.9, 0.2), (0.5, 1.0)]], threshold=0.004)  # Trial(42, 30)
    """

    def __init__(self, changes: Callable[[], Sequence[Change]] = tuple) -> None:
        """Keep nothing yet. ``changes`` returns what moves in the latest frame, masked or not."""
        self._changes = changes
        self._samples: deque[tuple[float, bytes]] = deque(maxlen=SAMPLES)
        self._next = float("-inf")
        self._began: float | None = None
        self._latest = float("-inf")
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """How long movements have been noted: an hour, and less after a start."""
        return 0.0 if self._began is None else min(HOUR, self._latest - self._began)

    def follow(self, changes: Callable[[], Sequence[Change]]) -> Movements:
        """Go on with a pipeline that took the place of the last one, and return this."""
        self._changes = changes
        return self

    def note(self, at: float) -> None:
        """Keep what moves in the latest frame, at ``at`` in seconds, unless one was kept a moment ago.

        A clock that goes back, as of a film that begins anew, begins another hour.
        """
        if at < self._latest:
            self._forget()
        if at < self._next:
            return
        self._began = at if self._began is None else self._began
        self._latest, self._next = at, at + _EVERY
        if changes := self._changes():
            with self._lock:
                self._samples.append((at, _packed(changes)))

    def _forget(self) -> None:
        with self._lock:
            self._samples.clear()
        self._began, self._next = None, float("-inf")

    def tried(self, mask: Sequence[Area], zones: Sequence[Area], threshold: float) -> Trial:
        """Return how many movements there were, and how many would be left out with ``mask`` and ``zones``.

        ``threshold`` is the share of the watched image that must change for a movement to count.
        """
        movements = self._movements()
        if not movements:
            return Trial(0, 0)
        kept = _counted(movements, WatchedArea(tuple(mask), tuple(zones)), threshold)
        either = kept | _counted(movements, WatchedArea(), threshold)
        return Trial(int(either.sum()), int((either & ~kept).sum()))

    def boxes(self, most: int = 100) -> list[Rectangle]:
        """Return the largest box of each of the latest movements, at most ``most``, to draw."""
        return [_largest(movement) for movement in self._movements()[-most:]]

    def _movements(self) -> list[list[_Parts]]:
        """Return the samples of each movement of the last hour, oldest first."""
        with self._lock:
            samples = [(at, packed) for at, packed in self._samples if at >= self._samples[-1][0] - HOUR]
        movements: list[list[_Parts]] = []
        began = last = float("-inf")
        for at, packed in samples:
            if at - last > _QUIET or at - began > _LONGEST:
                movements.append([])
                began = at
            movements[-1].append(np.frombuffer(packed, _PART))
            last = at
        return movements


def _counted(movements: Sequence[Sequence[_Parts]], area: WatchedArea, threshold: float) -> NDArray[np.bool_]:
    """Return for each of ``movements`` whether enough of ``area`` moves in any of its samples."""
    watched = area.pixels(_SHAPE)
    if not watched.any():
        return np.zeros(len(movements), np.bool_)
    parts = np.concatenate([sample for movement in movements for sample in movement])
    moved = parts["share"] / _FINER * _share_of(parts["edges"], watched) / watched.mean()
    samples = _starts([len(sample) for movement in movements for sample in movement])
    level = np.maximum.reduceat(np.add.reduceat(moved, samples), _starts([len(movement) for movement in movements]))
    return np.asarray(level > threshold, np.bool_)


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Return where each of the runs with ``lengths`` begins."""
    return np.cumsum([0, *lengths[:-1]])


def _share_of(edges: NDArray[np.uint8], watched: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for each box with these ``edges``, (n, 4), the share of it that is watched."""
    height, width = watched.shape
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = watched.cumsum(0).cumsum(1)
    scaled = edges / _FINE * (width, height, width, height)
    left, top = np.floor(scaled[:, :2]).astype(int).T
    right, bottom = np.ceil(scaled[:, 2:]).astype(int).T
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(inside / ((right - left) * (bottom - top)), np.float64)


def _largest(movement: Sequence[_Parts]) -> Rectangle:
    parts = np.concatenate(list(movement))
    left, top, right, bottom = (parts["edges"][parts["share"].argmax()] / _FINE).tolist()
    return left, top, right, bottom


def _packed(changes: Sequence[Change]) -> bytes:
    parts = np.zeros(len(changes), _PART)
    edges = np.array([region for region, _ in changes])
    parts["edges"] = np.concatenate((np.floor(edges[:, :2] * _FINE), np.ceil(edges[:, 2:] * _FINE)), 1)
    parts["share"] = np.rint(np.array([share for _, share in changes]) * _FINER)
    return parts.tobytes()
