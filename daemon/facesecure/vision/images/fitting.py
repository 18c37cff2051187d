"""Fit a face to the input of a network that takes another size than an aligned crop has."""

from __future__ import annotations

import cv2
import numpy as np

from facesecure.domain import Image


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Return the centre of ``image`` in the shape of ``size`` (height, width), averaged down or interpolated up.

    This is how ``facesecure_training.datasets.loading`` fits images for training. An image of that size is returned
    unchanged.
    """
    scale = min(image.shape[0] / size[0], image.shape[1] / size[1])
    height, width = (max(1, round(side * scale)) for side in size)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    middle = image[top : top + height, left : left + width]
    if middle.shape[:2] == size:
        return middle
    how = cv2.INTER_AREA if height > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (size[1], size[0]), interpolation=how), np.uint8)
