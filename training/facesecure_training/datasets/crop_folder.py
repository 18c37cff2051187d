"""Where the crops of an extraction are kept: a folder of this machine, or one that fsspec reaches."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol
from uuid import uuid4

from platformdirs import user_state_path

from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.location import Location, is_remote

STATE_FOLDER = ".extract"
"""The hidden folder in the output where an extraction keeps its state."""
_ALIKE = f"{STATE_FOLDER}/alike"
"""Where photos lie that are left out as near duplicates of another of their class."""

_UNFINISHED = f"{STATE_FOLDER}/unfinished"
"""Where each run has a folder for the crops of unfinished sources."""

_TRIES = 5
"""A folder to be made, while others make it, or one above it, too."""


class CropFolder(Protocol):
    """The output of an extraction. Names are paths below it, with forward slashes."""

    @property
    def shown(self) -> str:
        """Its path or address, without secrets."""

    @property
    def state_folder(self) -> Path:
        """The folder on this machine where the extraction keeps its state."""

    @property
    def holds_others(self) -> bool:
        """Whether it holds files that no extraction wrote."""

    def begin_run(self, run: str) -> None:
        """Leave a sign of ``run``, a word that no other run has: whoever does not see it has another folder there."""

    def sees_run(self, run: str) -> bool:
        """Return whether the sign of ``run`` is there: the run goes on, and this is its folder."""

    def end_run(self) -> None:
        """Remove the signs of all runs, with the crops of unfinished sources."""

    def scratch(self, run: str) -> Path:
        """Return an empty folder for one source; no other worker has it. Raises OSError if the run is over."""

    def refresh(self) -> None:
        """Look anew at what is there: workers have put files there meanwhile."""

    def put(self, file: Path, name: str) -> None:
        """Move ``file`` there, in one step, in place of what is there."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove files, also those set aside, and folders that this leaves empty. Missing ones do not matter."""

    def set_aside(self, name: str) -> None:
        """Move a file out of sight, if it is there."""

    def bring_back(self, name: str) -> None:
        """Move a file back that was set aside, if it was."""

    def count(self, names: Sequence[str]) -> int:
        """Return how many of the files are there."""


def crop_folder(output: Path | str) -> CropFolder:
    """Return the output at a path of this machine, or at an address for fsspec. Raises FacesecureError."""
    return RemoteCrops(Location.at(str(output))) if is_remote(output) else LocalCrops(Path(output))


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
        """Whether it holds anything without the state of an extraction."""
        return self.root.is_dir() and not self.state_folder.is_dir() and any(self.root.iterdir())

    def begin_run(self, run: str) -> None:
        """Make a folder of that name: NFS remembers that a file was missing, and no such name was looked for before."""
        self.end_run()
        (self.root / _UNFINISHED / run).mkdir(parents=True)

    def sees_run(self, run: str) -> bool:
        """Return whether the run's folder is there."""
        return (self.root / _UNFINISHED / run).is_dir()

    def end_run(self) -> None:
        """Remove the folders of all runs."""
        shutil.rmtree(self.root / _UNFINISHED, ignore_errors=True)

    def scratch(self, run: str) -> Path:
        """Return a folder in the run's, so that crops need only be renamed."""
        return Path(mkdtemp(dir=self.root / _UNFINISHED / run))

    def refresh(self) -> None:
        """Nothing is remembered of what is there."""

    def put(self, file: Path, name: str) -> None:
        """Rename the file; on another file system, copy it beside its place first."""
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.replace(place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copied_beside(file, place).replace(place)

    def remove(self, names: Sequence[str]) -> None:
        """Remove the files, and their folders if these are empty then."""
        for name in names:
            for folder in (self.root, self.root / _ALIKE):
                path = folder / name
                if os.path.lexists(path):
                    self._inside(path).unlink()
                if path.parent != folder:
                    with suppress(OSError):  # others are in it, or it is gone
                        path.parent.rmdir()

    def set_aside(self, name: str) -> None:
        """Move the file to the state folder."""
        self._move(self.root / name, self.root / _ALIKE / name)

    def bring_back(self, name: str) -> None:
        """Move the file back from the state folder."""
        self._move(self.root / _ALIKE / name, self.root / name)

    def count(self, names: Sequence[str]) -> int:
        """Return how many of the files are there."""
        return sum((self.root / name).exists() for name in names)

    def _move(self, path: Path, to: Path) -> None:
        if path.exists():
            self._inside(path)
            self._inside(to).parent.mkdir(parents=True, exist_ok=True)
            path.replace(to)

    def _inside(self, path: Path) -> Path:
        """Return ``path``; raise FacesecureError if a link on the way leads out of the folder."""
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise FacesecureError(f"{path} is a file outside {self.root}", "remove the link that leads there")
        return path


class RemoteCrops:
    """A ``CropFolder`` elsewhere. The state of the extraction stays on the machine that runs it."""

    def __init__(self, place: Location) -> None:
        self._place = place

    @property
    def shown(self) -> str:
        """Its address without secrets."""
        return self._place.shown

    @property
    def state_folder(self) -> Path:
        """A folder of this user, by the address."""
        name = hashlib.sha256(self._place.identity.encode()).hexdigest()[:16]
        return user_state_path("facesecure") / "extractions" / name

    @property
    def holds_others(self) -> bool:
        """Whether it holds anything and this machine knows of no extraction into it."""
        if self.state_folder.is_dir():
            return False
        try:
            return bool(self._place.files.ls(self._place.root, detail=False))
        except FileNotFoundError:
            return False

    def begin_run(self, run: str) -> None:
        """Put a small file there."""
        self.end_run()
        name = f"{_UNFINISHED}/{run}"
        self._make_folder_of(name)
        self._place.files.pipe_file(self._place.path(name), run.encode())

    def sees_run(self, run: str) -> bool:
        """Return whether the run's file is there."""
        self.refresh()
        return bool(self._place.files.exists(self._place.path(f"{_UNFINISHED}/{run}")))

    def end_run(self) -> None:
        """Remove the files of all runs, with their folder, which object stores do not have."""
        self.refresh()
        with suppress(Exception):  # each driver has its own error for what is missing
            self._place.files.rm(self._place.path(_UNFINISHED), recursive=True)

    def scratch(self, run: str) -> Path:  # noqa: ARG002 - it is not in the run's place
        """Return a temporary folder of this machine."""
        return Path(mkdtemp(prefix="facesecure-"))

    def refresh(self) -> None:
        """Forget what the driver remembers of listings."""
        self._place.files.invalidate_cache()

    def put(self, file: Path, name: str) -> None:
        """Upload the file; object stores show it when it is complete."""
        self._make_folder_of(name)
        self._place.files.put_file(str(file), self._place.path(name))
        file.unlink()

    def remove(self, names: Sequence[str]) -> None:
        """Remove the files; object stores have no empty folders."""
        for name in names:
            for one in (name, f"{_ALIKE}/{name}"):
                path = self._place.path(one)
                try:
                    self._place.files.rm_file(path)
                except Exception:  # each driver has its own error for a missing file
                    if self._place.files.exists(path):
                        raise

    def set_aside(self, name: str) -> None:
        """Move the file to a hidden folder there."""
        self._move(name, f"{_ALIKE}/{name}")

    def bring_back(self, name: str) -> None:
        """Move the file back from the hidden folder."""
        self._move(f"{_ALIKE}/{name}", name)

    def count(self, names: Sequence[str]) -> int:
        """Return how many of the files are there."""
        return sum(self._place.files.exists(self._place.path(name)) for name in names)

    def _move(self, name: str, to: str) -> None:
        if self._place.files.exists(self._place.path(name)):
            self._make_folder_of(to)
            self._place.files.mv(self._place.path(name), self._place.path(to))

    def _make_folder_of(self, name: str) -> None:
        """Make the folder of a file. Drivers fail at one that another worker has just made, or remember none there."""
        folder = self._place.path(name).rsplit("/", 1)[0]
        for left in reversed(range(_TRIES)):
            try:
                self._place.files.makedirs(folder, exist_ok=True)
                return
            except Exception:  # each driver has its own error for a folder that is there
                if not left:
                    raise
                self.refresh()


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


def discard(crops: CropFolder, names: Sequence[str]) -> None:
    """Remove the files of an extraction with its manifest and its state, and nothing else."""
    crops.remove([*names, MANIFEST])
    shutil.rmtree(crops.state_folder)
