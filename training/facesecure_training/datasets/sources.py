"""The videos and photos in a folder's class sub-folders, from which faces are extracted."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facesecure.camera.sources.images import EXTENSIONS, natural_key
from facesecure.domain.errors import FacesecureError
from facesecure.util.paths import readable
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.folders import class_folders, files_below
from facesecure_training.datasets.people import from_identities

_NOT_VIDEO = frozenset({"text", "application", "audio", "font"})
"""Main MIME types without images; every other file that is not a photo is tried as a video."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A video or photo of a class. ``name`` is its path below the folder of classes, with forward slashes.

    Bytes of the path that are not UTF-8 are escaped in ``name`` (``util.paths.readable``), from which files are called.
    """

    name: str
    path: Path
    kind: Literal["video", "photo"]

    @property
    def label(self) -> str:
        """The class: the first folder of the path. It is the same however its accents are encoded."""
        return class_name(self.name.split("/", 1)[0])

    @property
    def state(self) -> str:
        """A text that changes with the file's content: its size and modification time."""
        found = self.path.stat()
        return f"{found.st_size} {found.st_mtime_ns}"


def recordings_in(root: Path, identities: Path | None = None) -> list[Recording]:
    """Return all recordings, class by class in natural order; with ``identities`` those it lists, one class per person.

    Raises FacesecureError if there are none.
    """
    return _listed(root, identities) if identities else _in_folders(root)


def _listed(root: Path, identities: Path) -> list[Recording]:
    people = from_identities(identities, root)
    for person in people:
        if "/" in person or person in {".", ".."}:
            raise FacesecureError(
                f"{identities} names a person {person!r}, which is not a valid folder name", "rename it"
            )
    return [
        Recording(readable(f"{person}/{shot.source}"), shot.path, kind)
        for person in sorted(people, key=lambda name: natural_key(Path(name)))
        for shot in people[person]
        if (kind := _kind(shot.path))
    ]


def _in_folders(root: Path) -> list[Recording]:
    found = [
        Recording(readable(path.relative_to(root).as_posix()), path, kind)
        for folder in class_folders(root)
        for path in files_below(folder)
        if (kind := _kind(path))
    ]
    if not found:
        raise FacesecureError(
            f"{root} has no sub-folder with videos or photos in it",
            "give each class a folder there: SOURCE/alice/door.mp4, SOURCE/bob/1.jpg, ...",
        )
    return found


def _kind(path: Path) -> Literal["video", "photo"] | None:
    if path.suffix.lower() in EXTENSIONS:
        return "photo"
    # The types built into Python: a system's own list takes .ts for a translator's file.
    kind = mimetypes.MimeTypes().guess_type(path.name)[0]
    return None if kind and kind.split("/")[0] in _NOT_VIDEO else "video"
