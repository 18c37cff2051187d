"""The two people of the demo: public-domain portraits (credited in NOTICE) with their outlines and landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np

from facesecure.domain import Box, Face, Image, Landmarks, Luma

# Outlines traced by hand over the portraits, in their pixels, starting at the top of the head.
_HOPPER = (
    (234, 25), (218, 31), (212, 42), (197, 49), (181, 64), (176, 73), (174, 84), (160, 92), (152, 104), (149, 125),
    (149, 160), (154, 190), (155, 215), (162, 245), (170, 264), (178, 286), (190, 296), (196, 318), (176, 338),
    (129, 355), (80, 368), (58, 379), (43, 396), (33, 425), (27, 459), (17, 526), (15, 569), (11, 599), (511, 599),
    (511, 434), (494, 396), (488, 389), (464, 377), (422, 364), (372, 345), (338, 322), (335, 306), (343, 290),
    (350, 283), (356, 266), (361, 262), (367, 236), (370, 208), (374, 200), (374, 188), (369, 180), (371, 134),
    (369, 100), (363, 87), (351, 84), (349, 73), (335, 56), (313, 44), (299, 38), (289, 31), (270, 24), (249, 23),
)  # fmt: skip
_COLLINS = (
    (266, 31), (241, 19), (227, 16), (217, 16), (204, 19), (190, 27), (178, 36), (165, 44), (152, 52), (146, 60),
    (144, 75), (144, 93), (148, 105), (160, 116), (161, 123), (166, 130), (169, 146), (162, 151), (142, 152),
    (134, 156), (121, 168), (113, 180), (110, 194), (103, 205), (80, 227), (66, 235), (53, 249), (36, 278), (16, 342),
    (15, 376), (9, 391), (9, 419), (358, 419), (357, 374), (356, 352), (350, 346), (348, 323), (343, 308), (325, 280),
    (307, 258), (296, 240), (290, 217), (275, 194), (258, 178), (248, 168), (253, 146), (259, 138), (272, 126),
    (282, 115), (287, 107), (290, 93), (288, 62), (277, 41),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portrait:
    """A bundled photograph: the person's name, the landmarks of the face, and the person's outline.

    Example::

        image, mask = GRACE_HOPPER.image(), GRACE_HOPPER.mask()
    """

    name: str
    file: str
    landmarks: tuple[tuple[float, float], ...]
    outline: Sequence[tuple[int, int]]

    def image(self) -> Image:
        """Return the photograph, uint8 RGB, head and shoulders."""
        packed = resources.files("facesecure.camera.synthetic").joinpath("photos", self.file).read_bytes()
        bgr = np.asarray(cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def points(self) -> Landmarks:
        """Return the landmarks, float32 (5, 2) in the portrait's pixels, in the order of ``LANDMARK_NAMES``."""
        return np.array(self.landmarks, np.float32)

    def face(self) -> Face:
        """Return the face at the landmarks, for callers that need no detector: its box reaches from hair to chin."""
        points = self.points()
        x, y = (float(value) for value in points.mean(axis=0))
        eyes = float(points[1, 0] - points[0, 0])
        return Face(Box(x - 1.05 * eyes, y - 1.4 * eyes, x + 1.05 * eyes, y + 1.2 * eyes), points, 1.0)

    def mask(self) -> Luma:
        """Return the person's mask, uint8 (height, width): 255 inside the outline, with a soft edge."""
        height, width = self.image().shape[:2]
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.array(self.outline, np.int32)], (255,), cv2.LINE_AA)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.uint8)


GRACE_HOPPER = Portrait(
    name="Grace Hopper",
    file="grace_hopper.jpg",
    landmarks=((225.5, 192.0), (307.0, 191.5), (267.5, 237.0), (231.5, 275.0), (300.5, 275.0)),
    outline=_HOPPER,
)
EILEEN_COLLINS = Portrait(
    name="Eileen Collins",
    file="eileen_collins.jpg",
    landmarks=((193.5, 102.5), (236.0, 103.0), (214.5, 125.0), (194.5, 142.5), (233.0, 142.5)),
    outline=_COLLINS,
)
