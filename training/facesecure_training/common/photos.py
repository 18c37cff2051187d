"""The photos in a folder, by the endings that the daemon reads, and the name of the person whom a folder is called."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from facesecure.camera.sources.images import EXTENSIONS
from facesecure.util.paths import readable


def photos_in(folder: Path) -> list[Path]:
    """Return the photos directly in ``folder``, sorted by name, without hidden ones."""
    return _photos(folder.glob("*"))


def photos_below(folder: Path) -> list[Path]:
    """Return the photos in ``folder`` and its sub-folders, sorted by path, without hidden ones."""
    return _photos(folder.rglob("*"))


def class_name(folder: str) -> str:
    """Return the class of the folder of that name, or the person of that name in a list.

    It is in NFC, so that a person is the same however the accents are encoded (macOS writes NFD), and its bytes that
    are not UTF-8 are escaped.
    """
    return unicodedata.normalize("NFC", readable(folder))


def _photos(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path for path in paths if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
    )
