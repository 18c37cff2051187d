"""The crops of an extraction in a folder of this machine, or one that all workers have at the same path."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.crop_names import ALIKE, STATE_FOLDER, UNFINISHED, crops_of
from facesecure_training.datasets.folders import LOST_AND_FOUND, names_of_folders


class LocalCrops:
    """A ``CropFolder`` on this machine, or one that all workers have at the same path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def shown(self) -> str:
        """Its path."""
        return str(self.root)

    @property
    def state_folder(self) -> Path:
        """A hidden folder in it."""
        return self.root / STATE_FOLDER

    @property
    def holds_others(self) -> bool:
        """Whether it holds anything without the state of an extraction; a new disk holds nothing."""
        if not self.root.is_dir() or self.state_folder.is_dir():
            return False
        return any(path.name != LOST_AND_FOUND for path in self.root.iterdir())

    def begin_run(self, run: str) -> None:
        """Make a folder of that name: NFS remembers that a file was missing, and no such name was looked for before."""
        self.end_run()
        (self.root / UNFINISHED / run).mkdir(parents=True)

    def sees_run(self, run: str) -> bool:
        """Return whether the run's folder is there."""
        return (self.root / UNFINISHED / run).is_dir()

    def end_run(self) -> None:
        """Remove the folders of all runs."""
        shutil.rmtree(self.root / UNFINISHED, ignore_errors=True)

    def scratch(self, run: str) -> Path:
        """Return a folder in the run's, so that crops need only be renamed."""
        return Path(mkdtemp(dir=self.root / UNFINISHED / run))

    def refresh(self) -> None:
        """Nothing is remembered of what is there."""

    def put(self, file: Path, name: str) -> None:
        """Rename the file; on another file system, copy it beside its place first."""
        _move(file, self.root / name)

    def has_folders(self) -> bool:
        """Return whether it has a sub-folder that is not hidden."""
        return next(names_of_folders(self.root), None) is not None

    def crops_of(self, names: Iterable[str]) -> Iterator[list[str]]:
        """Look for them by name."""
        return crops_of(names, self._listed)

    def _listed(self, folder: str) -> list[str]:
        try:
            return os.listdir(self.root / folder)  # noqa: PTH208 - the names are needed, not paths
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self, names: Sequence[str]) -> None:
        """Remove the files, and the folders that are empty then."""
        for name in names:
            for folder in (self.root, self.root / ALIKE):
                path = folder / name
                if os.path.lexists(path):
                    self._inside(path).unlink()
                _remove_empty(path.parent, folder)

    def remove_aside(self) -> None:
        """Remove the folder of the files that were set aside."""
        shutil.rmtree(self.root / ALIKE, ignore_errors=True)

    def set_aside(self, name: str) -> None:
        """Move the file to the state folder."""
        self._move(self.root / name, self.root / ALIKE / name)

    def bring_back(self, name: str) -> None:
        """Move the file back from the state folder."""
        self._move(self.root / ALIKE / name, self.root / name)

    def count(self, names: Sequence[str]) -> int:
        """Return how many of the files are there."""
        return sum((self.root / name).exists() for name in names)

    def _move(self, path: Path, to: Path) -> None:
        if path.exists():
            _move(self._inside(path), self._inside(to))

    def _inside(self, path: Path) -> Path:
        """Return ``path``; raise FacesecureError if a link on the way leads out of the folder."""
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise FacesecureError(f"{path} is a file outside {self.root}", "remove the link that leads there")
        return path


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove ``folder`` and those above it, below ``top``, as long as they are empty."""
    with suppress(OSError):  # others are in it, or it is gone
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _move(file: Path, place: Path) -> None:
    """Move ``file`` to ``place`` in one step, also from another file system."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copied_beside(file, place).replace(place)


def _copied_beside(file: Path, place: Path) -> Path:
    """Move ``file`` to another file system, beside ``place``, and return the path."""
    beside = place.with_name(f".{uuid4().hex}.part")
    try:
        shutil.copyfile(file, beside)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    file.unlink()
    return beside
