"""Pixels as sources deliver them, behind ``domain.Picture``: nothing is converted before somebody asks.

A quiet door costs no colour conversion at all: the motion gate reads only the luma, which for video is the
Y plane that the decoder made anyway.
"""

from __future__ import annotations

import cv2
import numpy as np

from facesecure.domain import Image, Luma


class RgbPicture:
    """A picture that is RGB already: uint8 (height, width, 3)."""

    def __init__(self, image: Image) -> None:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"an RGB picture is uint8 (height, width, 3), not {image.dtype} {image.shape}")
        self._rgb = np.ascontiguousarray(image)
        self._luma: Luma | None = None

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._rgb.shape[:2]
        return width, height

    def rgb(self) -> Image:
        return self._rgb

    def luma(self) -> Luma:
        if self._luma is None:
            self._luma = np.asarray(cv2.cvtColor(self._rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        return self._luma
