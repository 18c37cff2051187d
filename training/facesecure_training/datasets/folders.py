"""A folder with one sub-folder of images for each class, as ``dataset extract`` writes it and as LFW is laid out."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from facesecure.camera.sources.images import EXTENSIONS, natural_key
from facesecure.domain.errors import FacesecureError
from facesecure.util.paths import expanded
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.names import Files, Texts
from facesecure_training.datasets.splitting import FRACTIONS, divide, shares

log = logging.getLogger(__name__)

MANIFEST = "manifest.parquet"
"""Written by ``dataset extract`` beside the classes; its columns ``file`` and ``source`` are read here."""

LOST_AND_FOUND = "lost+found"
"""The folder of a disk's repairs at its top, which only root can read."""

Unit = Literal["source", "file", "class"]


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """Images and their classes; ``labels`` are indices into ``classes``, parallel to ``files`` and ``sources``.

    The source of an image is what it was extracted from (a video), by the manifest; without a manifest, the file
    itself.

    Example::

        folder = ClassFolder.read("faces")
        parts = folder.split(seed=1, by="source")
        train = parts["train"]
    """

    root: Path
    classes: tuple[str, ...]
    files: Sequence[Path]
    labels: list[int]
    sources: Sequence[str]

    def __len__(self) -> int:
        return len(self.files)

    @classmethod
    def read(cls, path: Path | str, classes: Sequence[str] | None = None) -> Self:
        """Read all images below the class folders in ``path``, in natural order of class and file.

        ``classes`` fixes the classes and their order, for instance to a model's labels. Raises FacesecureError if
        ``path`` has no class folder with an image, or lacks one of ``classes``, or if a folder cannot be read.
        """
        root = expanded(path)
        found = _images_by_class(root)
        present = (name for name, files in found.items() if files)
        names = tuple(present if classes is None else map(class_name, classes))
        _refuse_gaps(root, names, found)
        files = Texts(file for name in names for file in found[name])
        labels = [label for label, name in enumerate(names) for _ in range(len(found[name]))]
        origin = _origins(root)
        sources = Texts(origin.get(file, file) for file in files) if origin else files
        return cls(root, names, Files(root, files), labels, sources)

    def counts(self) -> dict[str, int]:
        """Return how many images each class has."""
        found = Counter(self.labels)
        return {name: found[label] for label, name in enumerate(self.classes)}

    def digest(self) -> str:
        """Return a hash of the images' names below ``root``: another if one is added, removed or renamed."""
        names = sorted(os.fsencode(_name(self.files, index, self.root)) for index in range(len(self)))
        return hashlib.sha256(b"\0".join(names)).hexdigest()

    def only(self, indices: Iterable[int]) -> Self:
        """Return the same classes with the images at ``indices``."""
        chosen = list(indices)
        names = Texts(_name(self.files, index, self.root) for index in chosen)
        labels = [self.labels[index] for index in chosen]
        return type(self)(
            self.root, self.classes, Files(self.root, names), labels, Texts(self.sources[index] for index in chosen)
        )

    def split(
        self, seed: int = 0, fractions: Mapping[str, float] = FRACTIONS, by: Unit = "source"
    ) -> dict[str, ClassFolder]:
        """Split the images at random into parts by name, with nearly the same share of every class in each.

        ``by`` "source" keeps all frames of a video in one part, "class" all images of a class (a person); "file" splits
        image by image. Raises FacesecureError if a part would be empty.
        """
        part_of = self._parts_by_class(seed, fractions) if by == "class" else self._parts(seed, fractions, by)
        members: dict[str, list[int]] = {part: [] for part in fractions}
        for index, unit in enumerate(self._units(by)):
            members[part_of[self.labels[index], unit]].append(index)
        parts = {part: self.only(indices) for part, indices in members.items()}
        _refuse_empty(parts, shares(fractions), by)
        if by != "class":
            _warn_of_missing(parts, shares(fractions), by)
        return parts

    def _units(self, by: Unit) -> Sequence[str]:
        """Return, for each image, the name of the unit that must not be split."""
        if by == "source":
            return self.sources
        return [str(file) for file in self.files] if by == "file" else [self.classes[label] for label in self.labels]

    def _parts(self, seed: int, fractions: Mapping[str, float], by: Unit) -> dict[tuple[int, str], str]:
        sizes: dict[int, Counter[str]] = {label: Counter() for label in range(len(self.classes))}
        for label, unit in zip(self.labels, self._units(by), strict=True):
            sizes[label][unit] += 1
        return {
            (label, unit): part
            for label, counted in sizes.items()
            for part, units in divide(counted, fractions, seed, self.classes[label]).items()
            for unit in units
        }

    def _parts_by_class(self, seed: int, fractions: Mapping[str, float]) -> dict[tuple[int, str], str]:
        label = {name: index for index, name in enumerate(self.classes)}
        parts = divide(self.counts(), fractions, seed)
        return {(label[name], name): part for part, names in parts.items() for name in names}


def class_folders(root: Path) -> list[Path]:
    """Return the sub-folders of ``root`` in natural order, without hidden ones. Raises FacesecureError."""
    return sorted((root / name for name in names_of_folders(root)), key=natural_key)


def names_of_folders(root: Path) -> Iterator[str]:
    """Yield the names of the sub-folders of ``root``, without hidden ones, in any order. Raises FacesecureError."""
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if not _is_hidden(entry.name) and Path(entry.path).is_dir():
                    yield entry.name
    except OSError as error:
        raise FacesecureError(
            f"the folder {root} cannot be read ({error.strerror})", "check the path and its permissions"
        ) from None


def _images_by_class(root: Path) -> dict[str, Texts]:
    """Return the paths of the images of each class, relative to ``root``, in natural order."""
    folders: dict[str, list[Path]] = {}
    for folder in class_folders(root):
        folders.setdefault(class_name(folder.name), []).append(folder)
    return {
        name: Texts(file for folder in several for file in _images_below(folder, root))
        for name, several in folders.items()
    }


def _images_below(folder: Path, root: Path) -> Iterator[str]:
    """Yield the paths of all images below ``folder``, relative to ``root``."""
    return (path.relative_to(root).as_posix() for path in files_below(folder) if path.suffix.lower() in EXTENSIONS)


def _name(files: Sequence[Path], index: int, root: Path) -> str:
    return files.names[index] if isinstance(files, Files) else str(files[index].relative_to(root))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files in ``folder`` and its sub-folders in natural order, without hidden ones.

    Pipes, sockets and devices are left out, also those that a link leads to: reading them may never end. A link that
    leads nowhere is yielded: whoever opens it says so. Links to folders are not followed. Raises FacesecureError, which
    names this machine, if one of the folders cannot be read: it may be that of a cluster which lacks them.
    """
    waiting = [folder]
    while waiting:
        where = waiting.pop()
        folders, files = _entries(where)
        for name in sorted(files, key=_natural):
            yield where / name
        waiting += (where / name for name in sorted(folders, key=_natural, reverse=True))


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the folders and of the files in ``folder``. Raises FacesecureError."""
    folders, files = list[str](), list[str]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False) or _leads_to_a_file(Path(entry.path)):
                    files.append(entry.name)
    except OSError as error:
        raise FacesecureError(
            f"{socket.gethostname()} cannot read the folder {folder} ({error.strerror})",
            "check its permissions; every worker needs it, at the same path",
        ) from None
    return folders, files


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == LOST_AND_FOUND


def _leads_to_a_file(path: Path) -> bool:
    """Return whether what is neither a file nor a folder is a link to a file, or to nothing that can be seen."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    return natural_key(Path(name))


def _refuse_gaps(root: Path, names: Sequence[str], found: Mapping[str, Sequence[str]]) -> None:
    if not names:
        raise FacesecureError(
            f"{root} has no sub-folder with images in it", "give each class a folder there: OUTPUT/alice/1.jpg, ..."
        )
    lacking = [name for name in names if not found.get(name)]
    if lacking:
        raise FacesecureError(
            f"{root} has no images of {', '.join(lacking)}", f"it has: {', '.join(found) or 'no class at all'}"
        )


def _origins(root: Path) -> dict[str, str]:
    """Return the source of each file, by the manifest; nothing without one."""
    path = root / MANIFEST
    if not path.is_file():
        return {}
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    try:
        columns = parquet.read_table(path, columns=["file", "source"]).to_pydict()
        if not all(isinstance(value, str) for name in ("file", "source") for value in columns.get(name, (None,))):
            raise ValueError("a row has no file, or no source")
    except (ArrowException, OSError, ValueError) as error:
        raise FacesecureError(
            f"{path} cannot be read ({str(error).splitlines()[0]})", "run `facesecure-train dataset extract` again"
        ) from None
    return dict(zip(columns["file"], columns["source"], strict=True))


def _refuse_empty(parts: Mapping[str, ClassFolder], wanted: Mapping[str, float], by: Unit) -> None:
    empty = [part for part in wanted if not parts[part].files]
    if empty:
        more = {"source": "more videos", "file": "more images", "class": "more people"}[by]
        raise FacesecureError(
            f"no images are left for {' and '.join(empty)} when split by {by}",
            f"add {more}" + (", or split by file if no two images show the same moment" if by == "source" else ""),
        )


def _warn_of_missing(parts: Mapping[str, ClassFolder], wanted: Mapping[str, float], by: Unit) -> None:
    for part in wanted:
        missing = [name for name, count in parts[part].counts().items() if not count]
        if missing:
            some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            log.warning("%s has no image of %s: there are too few %ss for so many parts", part, some, by)
