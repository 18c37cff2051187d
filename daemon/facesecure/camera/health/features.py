"""What a camera looks at, as far as light does not matter: where the edges are and which way they run.

A pixel of a view is a complex number: its angle is twice the edge's own (so that an edge keeps it when the bright side
becomes the dark one), its length nears 1 where an edge is and 0 where there is noise. How bright the scene is, from
which side it is lit, and whether by sun or by infrared, changes much of the picture and little of this.

Measured on 80 photographs of places (160x90): two places are alike by 0.03 in the median, and by 0.21 in 1 % of pairs;
one place lit from a side, or with a twentieth of the light and a night's noise, is like itself by 0.17 at least and by
0.64 in the median. Turned by 2 to 10 % of the picture's width, in 99 % of places a shift explains it better.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Luma

WIDTH, HEIGHT = 160, 90
FAINT = 1.0
"""Brightness steps from pixel to pixel (of 255) that count half: below is noise, above are edges."""
NEAR = 2
"""Pixels in which a shift is the wind's."""

EdgeField = NDArray[np.complex64]


@dataclass(frozen=True, eq=False)
class SceneFeatures:
    """One look: its edges, complex64 (90, 160); how much there is to be seen (mean step of brightness); how bright."""

    edges: EdgeField
    detail: float
    brightness: float

    @classmethod
    def of(cls, luma: Luma) -> SceneFeatures:
        """The view in ``luma``, uint8 (height, width), of any size and shape."""
        plane = luma if luma.strides[1] == 1 else np.ascontiguousarray(luma)
        shrunk = cv2.resize(plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
        small = cv2.GaussianBlur(shrunk, (0, 0), 1.0)
        across, down = (cv2.Sobel(small, cv2.CV_32F, x, 1 - x, ksize=3, scale=1 / 8) for x in (1, 0))
        steps = np.hypot(across, down)
        edges = (across + 1j * down) ** 2 / (steps**2 + FAINT**2)
        return cls(edges.astype(np.complex64), float(steps.mean()), float(small.mean()))


class EdgeMap:
    """Edges to compare with, and what that takes, worked out once."""

    def __init__(self, field: EdgeField) -> None:
        self.field = field
        self._length = float(np.linalg.norm(field)) + 1e-6

    @property
    def weight(self) -> float:
        """How much edge there is."""
        return self._length**2

    def likeness(self, other: EdgeMap) -> float:
        """1: the same edges; about 0: another place."""
        return float(np.vdot(self.field, other.field).real) / (self._length * other._length)

    def shift(self, other: EdgeMap) -> tuple[float, int, int]:
        """How like ``other`` is at its best when moved by up to a third of the picture, and by how much.

        (likeness, pixels to the right, pixels down); moves of two pixels at most are left out.
        """
        everywhere = np.fft.ifft2(other._spectrum * np.conj(self._spectrum)).real / (self._length * other._length)
        down, across = np.meshgrid(np.fft.fftfreq(HEIGHT, 1 / HEIGHT), np.fft.fftfreq(WIDTH, 1 / WIDTH), indexing="ij")
        far = (abs(down) > NEAR) | (abs(across) > NEAR)
        everywhere[~far | (abs(down) > HEIGHT // 3) | (abs(across) > WIDTH // 3)] = -1.0
        best = np.unravel_index(int(np.argmax(everywhere)), everywhere.shape)
        return float(everywhere[best]), int(across[best]), int(down[best])

    @cached_property
    def _spectrum(self) -> NDArray[np.complex128]:
        return np.asarray(np.fft.fft2(self.field))


class Debounce:
    """For how long a condition has held without a break. Times are seconds on one clock that never goes back."""

    def __init__(self) -> None:
        self._since: float | None = None

    def update(self, holds: bool, at: float) -> float:
        """Seconds for which it has held by now; 0 where it does not, or does so only now."""
        if not holds:
            self._since = None
        elif self._since is None:
            self._since = at
        return 0.0 if self._since is None else at - self._since
