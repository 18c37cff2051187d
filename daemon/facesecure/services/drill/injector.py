"""Insert a synthetic visitor into the frames of a camera: a portrait that walks up to the door."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from facesecure.camera.synthetic.clip import figure_of
from facesecure.camera.synthetic.figure import Figure
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, Portrait
from facesecure.camera.synthetic.trajectory import Trajectory
from facesecure.domain import Box, Frame, FrameImage
from facesecure.domain.errors import UsageError
from facesecure.vision.images.frames import RgbImage

STRANGER = EILEEN_COLLINS
"""The stranger of a drill where no other is chosen: a public-domain portrait (credited in NOTICE)."""
_SECONDS = 8.0
_FAR, _NEAR = 0.03, 0.15
"""Width of the face in the distance and at the door, as a share of the frame's width."""


class VisitorInjector:
    """Paints a visitor into the frames that pass in the seconds after ``begin``; other frames pass unchanged.

    Example::

        injector = VisitorInjector()
        injector.begin()  # from any thread
        for frame in injector.inject(frames):
            ...
    """

    def __init__(self, choose: Callable[[], Portrait] = lambda: STRANGER, seconds: float = _SECONDS) -> None:
        """Paint the person of the portrait that ``choose`` returns, for ``seconds`` at a time.

        ``choose`` is called at each visit, on the thread of the frames. It may raise UsageError: no one is painted.
        """
        self._choose, self._seconds = choose, seconds
        self._requested = threading.Event()
        self._figure: Figure | None = None
        self._began_at: float | None = None
        self._box: Box | None = None
        self.problem = ""
        """Why no one is painted in the latest visit; empty unless there was no portrait for it."""

    @property
    def box(self) -> Box | None:
        """The painted face in the latest frame, in its pixels; None while there is no visitor."""
        return self._box

    @property
    def showing(self) -> bool:
        """Return whether the visitor is in the latest frame, or comes with the next."""
        return self._requested.is_set() or self._began_at is not None

    @property
    def since(self) -> float | None:
        """The time of the visitor's first frame, on the camera's clock; None while there is no visitor."""
        return self._began_at

    def begin(self) -> None:
        """Start a visit with the next frame."""
        self.problem = ""
        self._requested.set()

    def inject(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield ``frames``, or during a visit copies of them with the visitor painted in."""
        return map(self._with_visitor, frames)

    def _with_visitor(self, frame: Frame) -> Frame:
        if self._requested.is_set():
            self._requested.clear()
            self._start(frame)
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
        return replace(frame, pixels=_with_luma_like(frame.pixels, image))

    def _start(self, frame: Frame) -> None:
        try:
            self._figure, self._began_at = figure_of(self._choose()), frame.taken_at
        except UsageError as error:
            self.problem = f"{error.message}; {error.hint}" if error.hint else error.message


def _with_luma_like(pixels: FrameImage, image: np.ndarray) -> RgbImage:
    """Return ``image`` with a luma of the size that ``pixels`` has: the motion gate compares consecutive ones."""
    height, width = pixels.luma().shape
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return RgbImage(image, np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
