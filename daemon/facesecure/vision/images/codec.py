"""Encode and decode images. RGB outside; OpenCV's BGR only in this module."""

from __future__ import annotations

import cv2
import numpy as np

from facesecure.domain import Image

JPEG_QUALITY = 88


def png_bytes(image: Image) -> bytes:
    """Encode ``image``, uint8 RGB, as PNG, without loss. Raises ValueError if that fails."""
    return _encoded(".png", image, [])


def jpeg_bytes(image: Image) -> bytes:
    """Encode ``image``, uint8 RGB, as JPEG for viewing. Raises ValueError if that fails."""
    return _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def png_image(data: bytes) -> Image:
    """Decode the uint8 RGB image that ``png_bytes`` encoded. Raises ValueError if ``data`` is damaged."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("a stored crop cannot be decoded")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _encoded(extension: str, image: Image, options: list[int]) -> bytes:
    done, buffer = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be encoded as {extension}")
    return buffer.tobytes()
