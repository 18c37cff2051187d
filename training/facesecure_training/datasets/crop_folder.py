"""Where the crops of an extraction are kept: a folder of this machine, or one that fsspec reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from facesecure_training.datasets.local_crops import LocalCrops
from facesecure_training.datasets.location import Location, is_remote
from facesecure_training.datasets.remote_crops import RemoteCrops


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

    def has_folders(self) -> bool:
        """Return whether the folder of any class is there."""

    def crops_of(self, names: Iterable[str]) -> Iterator[list[str]]:
        """Yield the files there, also those set aside, that are called as crops of the sources with these names.

        They come folder by folder; the names of the sources of a folder should be together.
        """

    def remove(self, names: Sequence[str]) -> None:
        """Remove files, also those set aside, and folders that this leaves empty. Missing ones do not matter."""

    def remove_aside(self) -> None:
        """Remove all files that were set aside."""

    def set_aside(self, name: str) -> None:
        """Move a file out of sight, if it is there."""

    def bring_back(self, name: str) -> None:
        """Move a file back that was set aside, if it was."""

    def count(self, names: Sequence[str]) -> int:
        """Return how many of the files are there."""


def crop_folder(output: Path | str) -> CropFolder:
    """Return the output at a path of this machine, or at an address for fsspec. Raises FacesecureError."""
    return RemoteCrops(Location.at(str(output))) if is_remote(output) else LocalCrops(Path(output))
