"""Says how much a face is worth for telling who it is, and why not if it is worth nothing.

Everything is measured on the aligned crop, so that a large and a small face are judged on the same ruler, except
the distance between the eyes, which is what the camera really resolved.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Landmarks, Quality
from facesecure.vision import align

# The middle of the crop: forehead to chin and cheek to cheek, without hair and background.
_FACE = np.s_[20:100, 16:96]
_SHARPNESS_SIDE = 56
# Median over 300 photos of Labelled Faces in the Wild, so that 1 means "as sharp as a usual press photo".
_SHARP_PHOTO = 0.5

ENROLMENT = QualityConfig(
    min_eye_distance=20,
    min_sharpness=0.16,
    min_brightness=45,
    max_brightness=220,
    min_contrast=18,
    max_yaw=0.5,
)
"""Stricter than for watching: a poor template spoils every later comparison."""


def examine(image: Image, face: Face, floors: QualityConfig) -> AlignedFace:
    """Cut ``face`` out of ``image`` (uint8 RGB), aligned, and judge it against ``floors``."""
    crop = align.crop(image, face.landmarks)
    return AlignedFace(crop, assess(crop, face, floors))


def assess(crop: Image, face: Face, floors: QualityConfig) -> Quality:
    """Judge an aligned crop (uint8 RGB (112, 112, 3)) of ``face``; every floor it misses is a reason."""
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    yaw, pitch, roll = pose(face.landmarks)
    middle = grey[_FACE]
    brightness, contrast, sharp = float(middle.mean()), float(middle.std()), sharpness(grey)
    found = Quality(
        eye_distance=face.eye_distance,
        sharpness=sharp,
        brightness=brightness,
        contrast=contrast,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        confidence=face.confidence,
        score=_score(face.eye_distance, sharp, yaw, contrast),
    )
    return _with_reasons(found, floors)


def sharpness(grey: NDArray[np.uint8]) -> float:
    """How much fine detail a grey (112, 112) crop holds; 1 is a usual sharp photo, 0 is none.

    The variance of the Laplacian over the variance of the picture (so contrast cancels), both at half size, where a
    face of 18 pixels between the eyes and one of 200 show the same detail if both are in focus.
    """
    half = cv2.resize(grey, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    face = half[10:50, 8:48].astype(np.float32)
    detail = float(cv2.Laplacian(face, cv2.CV_32F).var())
    return detail / max(float(face.var()), 1.0) / _SHARP_PHOTO


def pose(landmarks: Landmarks) -> tuple[float, float, float]:
    """(yaw, pitch, roll) from five landmarks: yaw and pitch -1 to 1 (0 frontal), roll in degrees.

    Yaw is how far the nose has left the middle between the eyes, pitch how far it has left its usual height
    between eyes and mouth; both are measured along the face's own axes, so a tilted head is not a turned one.
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
    """How good a view a detection promises before anybody has looked at its pixels: large and frontal is better.

    In pixels between the eyes, less what turning away takes off.
    """
    yaw = abs(pose(face.landmarks)[0])
    return face.eye_distance * (1 - 0.6 * yaw) * face.confidence


def _score(eye_distance: float, sharp: float, yaw: float, contrast: float) -> float:
    parts = (min(1.0, eye_distance / 40), min(1.0, sharp / 0.6), 1 - 0.7 * abs(yaw), min(1.0, contrast / 40))
    return float(np.clip(np.prod(parts), 0, 1))


def _with_reasons(found: Quality, floors: QualityConfig) -> Quality:
    checks = (
        (
            found.eye_distance < floors.min_eye_distance,
            f"too small: {found.eye_distance:.1f} pixels between the eyes, {floors.min_eye_distance:g} needed",
        ),
        (found.brightness < floors.min_brightness, f"too dark: brightness {found.brightness:.0f} of 255"),
        (found.brightness > floors.max_brightness, f"too bright: brightness {found.brightness:.0f} of 255"),
        (
            found.contrast < floors.min_contrast,
            f"too little contrast: {found.contrast:.0f}, {floors.min_contrast:.0f} needed",
        ),
        (
            found.sharpness < floors.min_sharpness,
            f"blurred: sharpness {found.sharpness:.2f}, {floors.min_sharpness:.2f} needed",
        ),
        (
            abs(found.yaw) > floors.max_yaw,
            f"turned away: yaw {abs(found.yaw):.2f}, at most {floors.max_yaw:.2f}",
        ),
        (
            floors.min_confidence is not None and found.confidence < floors.min_confidence,
            f"not surely a face: confidence {found.confidence:.3f}, {floors.min_confidence} needed",
        ),
    )
    return replace(found, reasons=tuple(reason for failed, reason in checks if failed))
