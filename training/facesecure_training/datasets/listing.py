"""Lists the images of class folders, on this machine or wherever fsspec reaches, one class folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facesecure.camera.sources.images import EXTENSIONS, natural_key
from facesecure_training.datasets.folders import files_below, names_of_folders
from facesecure_training.datasets.location import Location, is_remote
from facesecure_training.datasets.names import Texts
from facesecure_training.datasets.natural_order import in_natural_order


def folder_names(root: Path | str) -> Texts:
    """Return the names of the class folders, those of one class together, in natural order. Raises FacesecureError."""
    return in_natural_order(
        Location.at(str(root)).folders() if is_remote(root) else names_of_folders(Path(root)), by_class=True
    )


def images_in(root: str, folder: str) -> list[str]:
    """Return the paths below ``root`` of all images in a class folder, in natural order; for ``services.bulk``.

    Raises FacesecureError if it cannot be listed, as on a worker that lacks it.
    """
    return list(_remote(root, folder) if is_remote(root) else _local(Path(root), folder))


def _local(root: Path, folder: str) -> Iterator[str]:
    return (
        path.relative_to(root).as_posix() for path in files_below(root / folder) if path.suffix.lower() in EXTENSIONS
    )


def _remote(root: str, folder: str) -> list[str]:
    kept = [name for name, _ in Location.at(root).below(folder) if Path(name).suffix.lower() in EXTENSIONS]
    return sorted(kept, key=lambda name: tuple(natural_key(Path(part)) for part in name.split("/")))
