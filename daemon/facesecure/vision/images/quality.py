"""Measure the quality of a face for recognition, and the reasons why a face cannot be used.

Everything is measured on the aligned crop, so that large and small faces have the same scale, except the distance
between the eyes, which is what the camera really resolved.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Landmarks, Quality
from facesecure.util.rounding import apart
from facesecure.vision.images import align
from facesecure.vision.images.illumination import Illumination, illumination_of, surroundings

# The middle of the crop: forehead to chin and cheek to cheek, without hair and background; at full and at half size.
_FACE = np.s_[20:100, 16:96]
_HALF_FACE = np.s_[10:50, 8:48]
_HALF_SIDE = 56
# Second differences along a row, down a column and along both diagonals, as (rows, columns) steps.
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
# Medians of their energies over 210 photos of Labelled Faces in the Wild: "as sharp as a usual press photo".
_SHARP_PHOTO = np.array([0.141, 0.207, 0.397, 0.399])

_BACKLIT = 3.0
"""Surroundings this many times as bright as a dark face make it backlit; a lamp or another camera angle helps."""

ENROLMENT = QualityConfig(
    min_clarity=0.8,
    min_eye_distance=20,
    min_sharpness=0.15,
    min_brightness=40,
    max_brightness=225,
    min_contrast=15,
    max_yaw=0.5,
)
"""Floors for enrolment, stricter than for recognition: a poor template degrades every later comparison."""


def examine(image: Image, face: Face, floors: QualityConfig) -> AlignedFace:
    """Return the aligned crop of ``face`` out of ``image`` (uint8 RGB), with its quality against ``floors``."""
    crop = align.crop(image, face.landmarks)
    return AlignedFace(crop, assess(crop, face, floors, behind=surroundings(image, face.box)))


def assess(crop: Image, face: Face, floors: QualityConfig, behind: float = 0.0) -> Quality:
    """Measure an aligned crop (uint8 RGB (112, 112, 3)) of ``face``; every floor it misses adds a reason.

    ``behind`` is the brightness around the face, 0 to 255; it only distinguishes backlit from dark.
    """
    return _measured(crop, face.eye_distance, pose(face.landmarks), face.confidence, floors, behind)


def remeasure(crop: Image, claimed: Quality, floors: QualityConfig) -> Quality:
    """Return the quality of a crop of which others have ``claimed`` one.

    Believed is what a crop does not show: the pose, and the face's size and confidence in its photo.
    """
    angles = claimed.yaw, claimed.pitch, claimed.roll
    return _measured(crop, claimed.eye_distance, angles, claimed.confidence, floors, behind=0.0)


def _measured(
    crop: Image,
    eye_distance: float,
    angles: tuple[float, float, float],
    confidence: float,
    floors: QualityConfig,
    behind: float,
) -> Quality:
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    yaw, pitch, roll = angles
    middle = grey[_FACE]
    brightness, contrast, sharp = float(middle.mean()), float(middle.std()), sharpness(grey)
    light = illumination_of(grey)
    found = Quality(
        eye_distance=eye_distance,
        sharpness=sharp,
        brightness=brightness,
        contrast=contrast,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        confidence=confidence,
        clarity=clarity(sharp, eye_distance, contrast) * light.kept,
    )
    return _with_reasons(found, floors, light, behind)


def reassess(face: AlignedFace, floors: QualityConfig) -> Quality:
    """Return the quality of an already measured face against other floors, without its frame."""
    grey = np.asarray(cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY), np.uint8)
    return _with_reasons(face.quality, floors, illumination_of(grey), behind=0.0)


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the fine detail of a grey (112, 112) crop in its poorest direction: 1 for a usual sharp photo, 0 for none.

    The energy of second differences over the variance of the image (so contrast cancels), both at half size, where
    a face of 18 pixels between the eyes and one of 200 show the same detail if both are in focus. Movement blurs one
    direction only, which a Laplacian, adding up both, would miss: the poorest direction decides.
    """
    half = cv2.resize(grey, (_HALF_SIDE, _HALF_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    face = half[_HALF_FACE]
    energies = np.array([float((_second_difference(face, step) ** 2).mean()) for step in _DIRECTIONS])
    return float((energies / _SHARP_PHOTO).min()) / max(float(face.var()), 1.0)


def _second_difference(face: NDArray[np.float32], step: tuple[int, int]) -> NDArray[np.float32]:
    down, across = step
    height, width = face.shape
    ahead = face[1 + down : height - 1 + down, 1 + across : width - 1 + across]
    behind = face[1 - down : height - 1 - down, 1 - across : width - 1 - across]
    return ahead - 2 * face[1:-1, 1:-1] + behind


def clarity(sharp: float, eye_distance: float, contrast: float) -> float:
    """Predict the share of its similarity to its own person that a face keeps: 1 for all of it, 0 for none.

    Fitted to 6,668 photos of Labelled Faces in the Wild, reduced, defocused, motion-blurred and darkened: the cosine to
    the person's own template, as a share of the unchanged photo's. `facesecure-train evaluate quality` makes the
    figures: rank correlation 0.84, an RMS error of 0.13 for a single face and of 0.04 on average, except for long
    motion blurs, where it predicts 0.65 and 0.57 is kept.
    """
    kept = 1.15 * _saturating(sharp, 0.0327, 0.803) * _saturating(eye_distance, 5.03, 6.75)
    return min(1.0, kept * _saturating(contrast, 2.22, 1.013))


def _saturating(value: float, half: float, steepness: float) -> float:
    """Map 0 to 0, ``half`` to 1/2, and large values towards 1."""
    return 0.0 if value <= 0 else 1 / (1 + (half / value) ** steepness)


def pose(landmarks: Landmarks) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) from five landmarks: yaw and pitch -1 to 1 (0 is frontal), roll in degrees.

    Yaw is the nose's offset from the middle between the eyes, pitch its offset from the usual height between eyes and
    mouth; both are measured along the face's own axes, so that a tilted head does not count as a turned one.
    """
    left, right, nose, mouth_left, mouth_right = landmarks.astype(np.float64)
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    across, down = right - left, mouth - eyes
    width, height = float(np.hypot(*across)), float(np.hypot(*down))
    if width < 1e-6 or height < 1e-6:
        return 1.0, 1.0, 0.0
    # Foreshortening shrinks the eye distance as the head turns; the height of the face does not change with it.
    breadth = max(width, 0.6 * height)
    yaw = float(np.clip(2 * ((nose - eyes) @ across) / width / breadth, -1, 1))
    pitch = float(np.clip(2 * (((nose - eyes) @ down) / height**2 - 0.5), -1, 1))
    return yaw, pitch, float(np.degrees(np.arctan2(across[1], across[0])))


def view_score(face: Face) -> float:
    """Return how good a view a detection promises, before its pixels are measured: large and frontal is better.

    The distance between the eyes in pixels, reduced for a turned head, times the confidence.
    """
    yaw = abs(pose(face.landmarks)[0])
    return face.eye_distance * (1 - 0.6 * yaw) * face.confidence


def _with_reasons(found: Quality, floors: QualityConfig, light: Illumination, behind: float) -> Quality:
    dark = "backlit" if behind > _BACKLIT * found.brightness else "too dark"
    checks = (
        (
            found.eye_distance < floors.min_eye_distance,
            (
                f"too small: {apart(found.eye_distance, floors.min_eye_distance, 1)[0]} pixels between the eyes, "
                f"{floors.min_eye_distance:g} needed"
            ),
        ),
        (found.brightness < floors.min_brightness, f"{dark}: brightness {found.brightness:.0f} of 255"),
        (found.brightness > floors.max_brightness, f"too bright: brightness {found.brightness:.0f} of 255"),
        (
            found.contrast < floors.min_contrast,
            "too little contrast: {}, {} needed".format(*apart(found.contrast, floors.min_contrast, 0)),
        ),
        (
            found.sharpness < floors.min_sharpness,
            "blurred: sharpness {}, {} needed".format(*apart(found.sharpness, floors.min_sharpness, 2)),
        ),
        (
            abs(found.yaw) > floors.max_yaw,
            "turned away: yaw {}, at most {}".format(*apart(abs(found.yaw), floors.max_yaw, 2)),
        ),
        (
            floors.min_confidence is not None and found.confidence < floors.min_confidence,
            (
                f"not surely a face: confidence {apart(found.confidence, floors.min_confidence or 0.0, 3)[0]}, "
                f"{floors.min_confidence} needed"
            ),
        ),
    )
    reasons = tuple(reason for failed, reason in checks if failed)
    if not reasons and found.clarity < floors.min_clarity:
        kept = "it keeps {} of its likeness, {} needed".format(*apart(found.clarity, floors.min_clarity, 0, "%"))
        lit = found.clarity >= floors.min_clarity * light.kept  # but for the light it would do
        reasons = (f"lit from one side, {light.shadow:.0%} in shadow: {kept}" if lit else f"too unclear: {kept}",)
    return replace(found, reasons=reasons)
