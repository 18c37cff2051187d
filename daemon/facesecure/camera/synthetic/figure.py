"""Cut a person out of a photograph, add a body, and paint the figure into a scene at any size and angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Image, Landmarks, Luma

Homography = NDArray[np.float64]
_BODY_HEIGHT = 19.0
"""Height of an adult from brow to sole, in distances between the eyes."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Position and angles of a face: its centre (x, y) and width in frame pixels, angles in radians.

    ``yaw`` foreshortens as if the person turned about the vertical; ``roll`` tilts the head and body.
    """

    centre: tuple[float, float]
    size: float
    yaw: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True, slots=True)
class Degradation:
    """Effects of lens, shutter and light: defocus (Gaussian sigma, pixels), movement (pixels in x, y), contrast."""

    defocus: float = 0.0
    movement: tuple[float, float] = (0.0, 0.0)
    contrast: float = 1.0


SHARP = Degradation()


def face_box(landmarks: Landmarks) -> Box:
    """Return the box that a detector would draw around ``landmarks`` (5, 2), brow to chin, in the same pixels."""
    eyes = landmarks[:2].mean(0)
    unit = float(np.hypot(*(landmarks[1] - landmarks[0])))
    middle = float(landmarks[:, 0].mean())
    return Box(middle - 1.05 * unit, eyes[1] - 0.95 * unit, middle + 1.05 * unit, eyes[1] + 1.7 * unit)


def bust_mask(shape: tuple[int, int], landmarks: Landmarks) -> Luma:
    """Return a soft head-and-shoulders mask, uint8 (height, width), for a photograph without a traced outline."""
    mask = np.zeros(shape, np.uint8)
    (x, y), unit = landmarks[:2].mean(0), float(np.hypot(*(landmarks[1] - landmarks[0])))
    head = ((float(x), float(y + 0.35 * unit)), (2.8 * unit, 3.9 * unit), 0.0)
    cv2.ellipse(mask, head, (255,), cv2.FILLED, cv2.LINE_AA)
    neck, bottom = y + 1.7 * unit, shape[0] + 4
    half = [(0.7 * unit, neck), (1.0 * unit, neck + 0.45 * unit), (2.1 * unit, neck + 0.8 * unit), (2.4 * unit, bottom)]
    ring = [(x - dx, dy) for dx, dy in half] + [(x + dx, dy) for dx, dy in reversed(half)]
    cv2.fillPoly(mask, [np.array(ring).round().astype(np.int32)], (255,), cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.07 * unit), np.uint8)


class Figure:
    """A cut-out at several scales, each half of the one before, so that a far face is averaged and not aliased.

    Example::

        Figure.from_bust(image, mask, landmarks).paint(frame, Pose(centre=(640, 260), size=120))
    """

    def __init__(self, rgba: NDArray[np.uint8], landmarks: Landmarks) -> None:
        """``rgba`` is uint8 (height, width, 4) with colour multiplied by alpha; landmarks in its pixels."""
        self.landmarks = landmarks
        self.box = face_box(landmarks)
        self._levels = [rgba]
        while min(self._levels[-1].shape[:2]) > 64:
            self._levels.append(np.asarray(cv2.pyrDown(self._levels[-1]), np.uint8))

    @classmethod
    def from_bust(cls, image: Image, mask: Luma, landmarks: Landmarks) -> Self:
        """Cut head and shoulders out of a photograph (uint8 RGB) by ``mask``, and draw coat, legs and shoes."""
        colour, alpha = _with_body(image, mask, landmarks)
        premultiplied = cv2.multiply(colour, cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), scale=1 / 255)
        return cls(np.dstack((premultiplied, alpha)), landmarks)

    def turned(self, yaw: float, pitch: float = 0.0) -> Figure:
        """Return this figure with its head turned by these angles (radians), as far as one photograph allows.

        The head is modelled as half an ellipsoid whose nearest point moves most; plausible up to half a radian.
        """
        sheet = self._levels[0]
        centre, (across, down) = self.box.centre, (0.62 * self.box.width, 0.62 * self.box.height)
        y, x = np.mgrid[: sheet.shape[0], : sheet.shape[1]].astype(np.float32)
        near = np.sqrt(np.clip(1 - ((x - centre[0]) / across) ** 2 - ((y - centre[1]) / down) ** 2, 0, 1))
        depth = 0.5 * self.box.width * near**1.5  # the exponent makes the edge of the ellipsoid blend into the rest
        maps = (x - depth * np.sin(yaw), y - depth * np.sin(pitch))
        moved = cv2.remap(sheet, maps[0].astype(np.float32), maps[1].astype(np.float32), cv2.INTER_LINEAR)
        return Figure(np.asarray(moved, np.uint8), self.landmarks)

    def homography(self, pose: Pose) -> Homography:
        """Return the 3x3 matrix from this figure's pixels to the frame's."""
        scale = pose.size / self.box.width
        (x, y), cos, sin = self.box.centre, np.cos(pose.yaw), np.sin(pose.yaw)
        shift = np.array([[scale, 0, -scale * x], [0, scale, -scale * y], [0, 0, 1]])
        turn = np.array([[cos, 0, 0], [0, 1, 0], [sin / (6 * pose.size), 0, 1]])
        roll_cos, roll_sin = np.cos(pose.roll), np.sin(pose.roll)
        place = np.array([[roll_cos, -roll_sin, pose.centre[0]], [roll_sin, roll_cos, pose.centre[1]], [0, 0, 1]])
        return np.asarray(place @ turn @ shift, np.float64)

    def box_at(self, pose: Pose) -> Box:
        """Return the face's box in a frame where the figure is painted at ``pose``."""
        b = self.box
        corners = _project(
            self.homography(pose), [(b.left, b.top), (b.right, b.top), (b.right, b.bottom), (b.left, b.bottom)]
        )
        (left, top), (right, bottom) = corners.min(0), corners.max(0)
        return Box(float(left), float(top), float(right), float(bottom))

    def paint(self, frame: Image, pose: Pose, degradation: Degradation = SHARP) -> None:
        """Paint the figure into ``frame`` (uint8 RGB), in place."""
        matrix = self.homography(pose)
        window = self._window(matrix, frame.shape[:2])
        if window is None:
            return
        left, top, right, bottom = window
        level = int(np.clip(np.floor(np.log2(self.box.width / pose.size)), 0, len(self._levels) - 1))
        lift = np.diag([2.0**level, 2.0**level, 1.0])
        into = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ matrix @ lift
        patch = cv2.warpPerspective(self._levels[level], into, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        _blend(frame[top:bottom, left:right], _degraded(np.asarray(patch, np.uint8), degradation))

    def _window(self, matrix: Homography, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
        height, width = self._levels[0].shape[:2]
        corners = _project(matrix, [(0, 0), (width, 0), (width, height), (0, height)])
        left, top = np.maximum(corners.min(0) - 24, 0).astype(int)
        right, bottom = np.minimum(corners.max(0) + 24, (shape[1], shape[0])).astype(int)
        return (left, top, right, bottom) if right - left > 1 and bottom - top > 1 else None


def _project(matrix: Homography, points: list[tuple[float, float]]) -> NDArray[np.float64]:
    moved = np.column_stack((np.array(points, np.float64), np.ones(len(points)))) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def _degraded(patch: NDArray[np.uint8], degradation: Degradation) -> NDArray[np.uint8]:
    along = tuple(max(1, round(abs(step))) for step in degradation.movement)
    if max(along) > 1:
        patch = np.asarray(cv2.blur(patch, (along[0], along[1]), borderType=cv2.BORDER_CONSTANT), np.uint8)
    if degradation.defocus > 0:
        patch = np.asarray(
            cv2.GaussianBlur(patch, (0, 0), degradation.defocus, borderType=cv2.BORDER_CONSTANT), np.uint8
        )
    if degradation.contrast != 1.0:
        grey = cv2.convertScaleAbs(patch[..., 3], alpha=90 / 255 * (1 - degradation.contrast))
        scaled = cv2.convertScaleAbs(patch[..., :3], alpha=degradation.contrast)
        patch = np.dstack((cv2.add(scaled, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)), patch[..., 3]))
    return patch


def _blend(frame: Image, patch: NDArray[np.uint8]) -> None:
    behind = cv2.cvtColor(cv2.bitwise_not(patch[..., 3]), cv2.COLOR_GRAY2RGB)
    cv2.add(cv2.multiply(frame, behind, scale=1 / 255), np.ascontiguousarray(patch[..., :3]), dst=frame)


def _with_body(image: Image, mask: Luma, landmarks: Landmarks) -> tuple[Image, Luma]:
    """Return the photograph extended down to the shoes, as (uint8 RGB, uint8 alpha)."""
    height, width = mask.shape
    unit = float(np.hypot(*(landmarks[1] - landmarks[0])))
    total = max(int(landmarks[0, 1] + _BODY_HEIGHT * unit), height + 8)
    below = total - height
    plain = np.median(image[-6:][mask[-6:] > 127], 0) if (mask[-6:] > 127).any() else np.full(3, 60.0)
    fold = 1 + 0.05 * np.sin(np.linspace(0, 9 * np.pi, width))[None, :, None]
    fade = np.linspace(1.0, 0.45, below)[:, None, None]
    cloth = np.clip(plain * fold * fade, 0, 255).astype(np.uint8)
    # The photograph's last row fades into the cloth, so that no seam shows.
    blend = np.linspace(1.0, 0.0, min(below, max(2, int(1.2 * unit))))[:, None, None]
    cloth[: len(blend)] = (blend * image[-1] + (1 - blend) * cloth[: len(blend)]).astype(np.uint8)
    return np.vstack((image, cloth)), np.vstack((mask, _body_mask(mask[-1], below)))


def _body_mask(edge: Luma, below: int) -> Luma:
    """Return the mask of the body below the photograph: a coat that narrows, two legs, shoes."""
    solid = np.flatnonzero(edge > 127)
    left, right = (float(solid[0]), float(solid[-1])) if len(solid) else (0.0, float(len(edge)))
    middle, half = (left + right) / 2, (right - left) / 2
    hem = 0.42 * below
    coat = [(left, 0), (right, 0), (middle + 0.74 * half, hem), (middle - 0.74 * half, hem)]
    shapes = [coat] + [
        [(middle + s * 0.04 * half, hem - 4), (middle + s * 0.66 * half, hem - 4),
         (middle + s * 0.5 * half, below - 8), (middle + s * 0.14 * half, below - 8)]
        for s in (-1, 1)
    ]  # fmt: skip
    mask = np.zeros((below, len(edge)), np.uint8)
    for shape in shapes:
        cv2.fillPoly(mask, [np.array(shape).round().astype(np.int32)], (255,), cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.uint8)
