"""The videos and photos in a folder's class sub-folders, from which faces are extracted."""

from __future__ import annotations

import mimetypes
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Literal

from facesecure.camera.sources.images import EXTENSIONS, natural_key
from facesecure.domain.errors import DiskFullError, FacesecureError, SourceError
from facesecure.util.paths import readable
from facesecure.util.redaction import redact
from facesecure_training.common.disk_errors import explained
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.folders import files_below, names_of_folders
from facesecure_training.datasets.location import Location, is_remote, state_of_details
from facesecure_training.datasets.natural_order import in_natural_order
from facesecure_training.datasets.people import from_identities

_NOT_VIDEO = frozenset({"text", "application", "audio", "font"})
"""Main MIME types without images; every other file that is not a photo is tried as a video."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A video or photo of a class. ``name`` is its path below the folder of classes, with forward slashes.

    Bytes of the path that are not UTF-8 are escaped in ``name`` (``util.paths.readable``), from which files are called.
    ``remote`` is set where it is not on this machine: its path below the address of the classes, as the driver calls
    it. ``path`` is then not there, and ``stated`` is its state.
    """

    name: str
    path: Path
    kind: Literal["video", "photo"]
    remote: str | None = None
    stated: str = ""

    @property
    def label(self) -> str:
        """The class: the first folder of the path. It is the same however its accents are encoded."""
        return class_name(self.name.split("/", 1)[0])

    @property
    def state(self) -> str:
        """A text that changes with the file's content: its size and modification time. Raises SourceError."""
        if self.remote is not None:
            return self.stated
        try:
            found = self.path.stat()
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read ({error.strerror})", "restore or remove it") from None
        return f"{found.st_size} {found.st_mtime_ns}"

    @contextmanager
    def here(self, classes: Location | None) -> Iterator[Recording]:
        """Yield the recording on this machine; what is below ``classes`` elsewhere is fetched for as long.

        Raises SourceError; DiskFullError if the disk for temporary files is full.
        """
        if self.remote is None or classes is None:
            yield self
            return
        with TemporaryDirectory(prefix="facesecure-") as folder:
            path = Path(folder) / f"recording{Path(self.name).suffix}"
            try:
                with explained(f"{gettempdir()} on {socket.gethostname()}"):
                    classes.files.get_file(classes.path(self.remote), str(path))
            except DiskFullError:
                raise
            except Exception as error:  # noqa: BLE001 - a driver may raise anything
                raise SourceError(f"it cannot be fetched ({redact(str(error))})", "check the address") from None
            yield replace(self, path=path, remote=None)


def recordings_in(root: Path | str, identities: Path | None = None) -> Iterator[Recording]:
    """Yield all recordings, class by class in natural order; with ``identities`` those it lists, one class per person.

    ``root`` is a folder, or an address for fsspec. Raises FacesecureError if there are none.
    """
    if is_remote(root):
        return _elsewhere(str(root), identities)
    return _listed(Path(root), identities) if identities else _in_folders(Path(root))


def _listed(root: Path, identities: Path) -> Iterator[Recording]:
    people = from_identities(identities, root)
    for person in people:
        if person in {".", ".."} or not {"/", "\0"}.isdisjoint(person):
            raise FacesecureError(
                f"{identities} names a person {person!r}, which is not a valid folder name", "rename it"
            )
    found = False
    for person in in_natural_order(people):
        for shot in people[person]:
            if kind := _kind(shot.path):
                found = True
                yield Recording(readable(f"{person}/{shot.source}"), shot.path, kind)
    if not found:
        raise FacesecureError(
            f"none of the files that {identities} lists is a video or photo", "list images: 000001.jpg 2880, ..."
        )


def _in_folders(root: Path) -> Iterator[Recording]:
    found = False
    for name in in_natural_order(names_of_folders(root)):
        for path in files_below(root / name):
            if kind := _kind(path):
                found = True
                yield Recording(readable(path.relative_to(root).as_posix()), path, kind)
    if not found:
        raise _nothing(str(root))


def _elsewhere(address: str, identities: Path | None) -> Iterator[Recording]:
    """Yield the recordings below an address; one class folder is listed after the other."""
    place, found = Location.at(address), False
    if identities is not None:
        raise FacesecureError("--identities needs a folder on this machine", "use class folders at the address")
    for folder in in_natural_order(place.folders()):
        for name, info in sorted(place.below(folder), key=lambda item: natural_key(Path(item[0]))):
            if kind := _kind(Path(name)):
                found = True
                yield Recording(readable(name), Path(name), kind, name, state_of_details(info))
    if not found:
        raise _nothing(place.shown)


def _nothing(root: str) -> FacesecureError:
    return FacesecureError(
        f"{root} has no sub-folder with videos or photos in it",
        "give each class a folder there: SOURCE/alice/door.mp4, SOURCE/bob/1.jpg, ...",
    )


def _kind(path: Path) -> Literal["video", "photo"] | None:
    if path.suffix.lower() in EXTENSIONS:
        return "photo"
    # The types built into Python: a system's own list takes .ts for a translator's file.
    kind = mimetypes.MimeTypes().guess_type(path.name)[0]
    return None if kind and kind.split("/")[0] in _NOT_VIDEO else "video"
