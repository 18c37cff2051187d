"""A contact sheet: one row of images per class, to show at a glance what a network will be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facesecure.app.demo import text
from facesecure.domain import Image
from facesecure.domain.errors import ImageError, UsageError
from facesecure.vision.images.photos import read_photo
from facesecure_training.datasets.folders import ClassFolder

_TILE, _GAP, _LABEL, _MARGIN = 96, 4, 22, 12
_PAPER, _INK, _GREY, _BROKEN = (255, 255, 255), (32, 33, 36), (110, 114, 120), (190, 60, 60)
_MOST_ROWS = 100


def contact_sheet(folder: ClassFolder, columns: int = 12, seed: int = 0) -> Image:
    """Draw, for each class, its name, its size and up to ``columns`` images chosen by ``seed``; uint8 RGB.

    Of more than 100 classes, 100 are drawn. A file that is no image is drawn as a red square.
    """
    rng = np.random.default_rng(seed)
    labels = sorted(rng.permutation(len(folder.classes))[:_MOST_ROWS].tolist())
    rows = [_row(folder, label, columns, rng) for label in labels]
    width = 2 * _MARGIN + columns * (_TILE + _GAP)
    head = np.full((48, width, 3), _PAPER, np.uint8)
    shown = f", {len(labels)} of them shown" if len(labels) < len(folder.classes) else ""
    text.write(head, f"{len(folder)} images, {len(folder.classes)} classes{shown}", (_MARGIN, 12), 20, _INK)
    return np.concatenate([head, *rows])


def save(image: Image, path: Path) -> None:
    """Write ``image`` as PNG or JPEG, by the suffix of ``path``. Raises UsageError for another suffix, OSError."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"{path} is neither a .png nor a .jpg", "name the contact sheet sheet.png")
    _, content = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())


def _row(folder: ClassFolder, label: int, columns: int, rng: np.random.Generator) -> Image:
    files = [file for file, its in zip(folder.files, folder.labels, strict=True) if its == label]
    chosen = sorted(rng.choice(len(files), min(columns, len(files)), replace=False).tolist())
    row = np.full((_LABEL + _TILE + 2 * _GAP, 2 * _MARGIN + columns * (_TILE + _GAP), 3), _PAPER, np.uint8)
    text.write(row, f"{folder.classes[label]}: {len(files)}", (_MARGIN, 2), 14, _GREY)
    for column, tile in enumerate(_tiles([files[index] for index in chosen])):
        left = _MARGIN + column * (_TILE + _GAP)
        row[_LABEL : _LABEL + _TILE, left : left + _TILE] = tile
    return row


def _tiles(files: Sequence[Path]) -> list[Image]:
    return [_tile(file) for file in files]


def _tile(file: Path) -> Image:
    tile = np.full((_TILE, _TILE, 3), _PAPER, np.uint8)
    try:
        picture = read_photo(file)
    except ImageError:
        tile[:] = _BROKEN
        return tile
    height, width = picture.shape[:2]
    scale = _TILE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (_TILE - size[0]) // 2, (_TILE - size[1]) // 2
    tile[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return tile
