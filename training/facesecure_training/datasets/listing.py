"""Lists the images of class folders, on this machine or wherever fsspec reaches, one class folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facesecure.camera.sources.images import EXTENSIONS, natural_key
from facesecure.domain.errors import FacesecureError
from facesecure.util.redaction import redact
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
    """Return the paths below ``root`` of all images in a class folder, in natural order; for ``services.bulk``."""
    return list(_remote(root, folder) if is_remote(root) else _local(Path(root), folder))


def _local(root: Path, folder: str) -> Iterator[str]:
    return (
        path.relative_to(root).as_posix() for path in files_below(root / folder) if path.suffix.lower() in EXTENSIONS
    )


def _remote(root: str, folder: str) -> list[str]:
    try:
        names = [name for name, _ in Location.at(root).below(folder)]
    except FacesecureError:
        raise
    except Exception as error:  # noqa: BLE001 - a driver may raise anything
        why = redact(str(error))
        raise FacesecureError(f"{folder} cannot be listed ({why})", "check the address and the rights") from None
    kept = [name for name in names if Path(name).suffix.lower() in EXTENSIONS]
    return sorted(kept, key=lambda name: tuple(natural_key(Path(part)) for part in name.split("/")))
