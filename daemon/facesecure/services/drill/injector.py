"""Puts somebody who is not there before the camera: a portrait walks through the pictures that it really gives."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from facesecure.camera.synthetic.clip import figure_of
from facesecure.camera.synthetic.figure import Figure
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, Portrait
from facesecure.camera.synthetic.trajectory import Trajectory
from facesecure.domain import Box, Frame, FrameImage
from facesecure.vision.images.frames import RgbImage

STRANGER = EILEEN_COLLINS
"""A public-domain portrait (NOTICE says whose); nobody's family."""
_SECONDS = 8.0
_FAR, _NEAR = 0.03, 0.15
"""The width of the face as it comes and as it stands at the door, as a share of the picture's width."""


class VisitorInjector:
    """Somebody is painted into the frames that pass for a few seconds after ``begin``; otherwise they are as they were.

    ``begin`` may be called from any thread.
    """

    def __init__(self, portrait: Portrait = STRANGER, seconds: float = _SECONDS) -> None:
        self._portrait, self._seconds = portrait, seconds
        self._wanted = threading.Event()
        self._figure: Figure | None = None
        self._began_at: float | None = None
        self._box: Box | None = None

    @property
    def box(self) -> Box | None:
        """Where the painted face is in the latest frame, in its pixels; None while nobody is painted."""
        return self._box

    @property
    def since(self) -> float | None:
        """When the painted one came, on the camera's clock; None while nobody is painted."""
        return self._began_at

    def begin(self) -> None:
        """Let them come, with the next frame."""
        self._wanted.set()

    def inject(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """``frames``; those of a visit are copies with somebody in them."""
        return map(self._with_visitor, frames)

    def _with_visitor(self, frame: Frame) -> Frame:
        if self._wanted.is_set():
            self._wanted.clear()
            self._figure, self._began_at = figure_of(self._portrait), frame.taken_at
        if self._figure is None or self._began_at is None:
            return frame
        width = frame.pixels.size[0]
        walk = Trajectory(start=self._began_at, duration=self._seconds, far=_FAR * width, near=_NEAR * width)
        pose = walk.pose(frame.taken_at, frame.pixels.size)
        if pose is None:
            self._figure = self._began_at = self._box = None
            return frame
        self._box = self._figure.box_at(pose)
        image = frame.image.copy()
        self._figure.paint(image, pose)
        return replace(frame, pixels=_like(frame.pixels, image))


def _like(picture: FrameImage, image: np.ndarray) -> RgbImage:
    """``image`` with a luma of the same size as the picture's own: the motion gate compares one with the next."""
    height, width = picture.luma().shape
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return RgbImage(image, np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
