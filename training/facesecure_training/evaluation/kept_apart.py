"""Keeps the people whom a threshold is chosen on apart from those it is measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from facesecure.domain.errors import UsageError
from facesecure.vision.images.photos import MAX_BYTES
from facesecure_training.common.embeddings import NamedPair, photo_path
from facesecure_training.common.photos import class_name

_HINT = "separate them by person, not by image"


def refuse_shared(
    tested: Sequence[NamedPair], images: Path, validation: Sequence[NamedPair], validation_images: Path
) -> None:
    """Raise UsageError if a photo or a person of the pairs ``validation`` is in those that are ``tested``, too.

    Photos are the same if their paths are, or their contents. People are compared where both kinds of pairs lie in one
    folder: each has a sub-folder there. In two folders one name may well mean two people. Photos that cannot be read
    are passed over.
    """
    here, there = _photos(tested, images), _photos(validation, validation_images)
    both = here & there
    if both:
        raise UsageError(f"{min(both)} is in the validation pairs and the others", _HINT)
    if images.resolve() == validation_images.resolve():
        _refuse_people(_people(tested, images) & _people(validation, images))
    _refuse_copies(here, there)


def _photos(pairs: Sequence[NamedPair], images: Path) -> set[Path]:
    return {photo_path(images, name).resolve() for pair in pairs for name in (pair.first, pair.second)}


def _refuse_people(both: set[str]) -> None:
    if both:
        raise UsageError(f"photos of {min(both)} are in the validation pairs and the others", _HINT)


def _people(pairs: Sequence[NamedPair], images: Path) -> set[str]:
    """Return the people by their folders, without folders that hold several, as pairs of different people show."""
    found, shared = set[str](), {""}
    for pair in pairs:
        folders = {_folder(images, name) for name in (pair.first, pair.second)}
        found |= folders
        if len(folders) == 1 and not pair.same:
            shared |= folders
    return found - shared


def _folder(images: Path, name: str) -> str:
    """Return the name of the sub-folder of ``images`` that a photo is in; an empty one if it is in none."""
    path = photo_path(images, name)
    parts = path.relative_to(images).parts if path.is_relative_to(images) else ()
    return class_name(parts[0]) if len(parts) > 1 and parts[0] != ".." else ""


def _refuse_copies(here: Iterable[Path], there: Iterable[Path]) -> None:
    """Raise UsageError if two photos have the same content. Only photos as long as another are read."""
    ours, others = _by_length(here), _by_length(there)
    for length in sorted(ours.keys() & others.keys()):
        known = {_digest(path): path for path in ours[length]}
        for path in others[length]:
            if (copy := known.get(_digest(path))) is not None:
                raise UsageError(f"{path}, of the validation pairs, is a copy of {copy}, of the others", _HINT)


def _by_length(photos: Iterable[Path]) -> Mapping[int, Sequence[Path]]:
    found: dict[int, list[Path]] = {}
    for path in sorted(photos):
        length = path.stat().st_size if path.is_file() else 0
        if 0 < length <= MAX_BYTES:  # others are no photos, and refused when they are read
            found.setdefault(length, []).append(path)
    return found


def _digest(path: Path) -> bytes:
    """Return the SHA-256 of a file, or its path where it cannot be read: this is like no other's."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return bytes(path)
