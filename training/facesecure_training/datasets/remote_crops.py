"""The crops of an extraction in a folder that fsspec reaches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from platformdirs import user_state_path

from facesecure_training.datasets.crop_names import ALIKE, UNFINISHED, crops_of
from facesecure_training.datasets.location import Location

_TRIES = 5
"""A folder to be made, while others make it, or one above it, too."""


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
        return bool(self._entries(self._place.root))

    def begin_run(self, run: str) -> None:
        """Put a small file there."""
        self.end_run()
        name = f"{UNFINISHED}/{run}"
        self._make_folder_of(name)
        self._place.files.pipe_file(self._place.path(name), run.encode())

    def sees_run(self, run: str) -> bool:
        """Return whether the run's file is there."""
        self.refresh()
        return bool(self._place.files.exists(self._place.path(f"{UNFINISHED}/{run}")))

    def end_run(self) -> None:
        """Remove the files of all runs."""
        self._remove_folder(UNFINISHED)

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

    def has_folders(self) -> bool:
        """Return whether it has a sub-folder that is not hidden."""
        self.refresh()
        found = (one["name"].rstrip("/").rsplit("/", 1)[-1] for one in self._entries(self._place.root, "directory"))
        return any(not name.startswith(".") for name in found)

    def crops_of(self, names: Iterable[str]) -> Iterator[list[str]]:
        """Look for them by name."""
        self.refresh()
        return crops_of(names, self._listed)

    def _listed(self, folder: str) -> list[str]:
        return [one["name"].rsplit("/", 1)[-1] for one in self._entries(self._place.path(folder), "file")]

    def _entries(self, path: str, kind: str = "") -> list[dict[str, Any]]:
        """Return what is in a folder, all or of one ``kind``; nothing if it is missing."""
        try:
            found = self._place.files.ls(path, detail=True)
        except Exception:  # each driver has its own error for a missing folder
            if self._place.files.exists(path):
                raise
            return []
        return [one for one in found if one["type"] == kind or not kind]

    def remove(self, names: Sequence[str]) -> None:
        """Remove the files; object stores have no empty folders."""
        for name in names:
            for one in (name, f"{ALIKE}/{name}"):
                path = self._place.path(one)
                try:
                    self._place.files.rm_file(path)
                except Exception:  # each driver has its own error for a missing file
                    if self._place.files.exists(path):
                        raise

    def remove_aside(self) -> None:
        """Remove the hidden folder there, of the files that were set aside."""
        self._remove_folder(ALIKE)

    def set_aside(self, name: str) -> None:
        """Move the file to a hidden folder there."""
        self._move(name, f"{ALIKE}/{name}")

    def bring_back(self, name: str) -> None:
        """Move the file back from the hidden folder."""
        self._move(f"{ALIKE}/{name}", name)

    def count(self, names: Sequence[str]) -> int:
        """Return how many of the files are there."""
        return sum(self._place.files.exists(self._place.path(name)) for name in names)

    def _move(self, name: str, to: str) -> None:
        if self._place.files.exists(self._place.path(name)):
            self._make_folder_of(to)
            self._place.files.mv(self._place.path(name), self._place.path(to))

    def _remove_folder(self, name: str) -> None:
        self.refresh()
        with suppress(Exception):  # each driver has its own error for what is missing
            self._place.files.rm(self._place.path(name), recursive=True)

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
