"""The record of an extraction, one line per finished source, so that an interrupted one can resume."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from facesecure.domain.errors import FacesecureError
from facesecure.util.files import replace_file
from facesecure_training.datasets.manifest import ManifestRow

STATE_FOLDER = ".extract"
"""The hidden folder in the output where an extraction keeps its state."""
_JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of one source. ``searched`` counts frames; ``trouble`` describes a problem, if there was one.

    A ``broken`` source yielded nothing because it cannot be read; it is tried again the next time.
    """

    name: str
    state: str
    searched: int
    rows: list[ManifestRow]
    trouble: str | None = None
    broken: bool = False

    @classmethod
    def load(cls, line: bytes) -> Self:
        """Read a line of the journal."""
        return cls(**json.loads(line))

    def dump(self) -> bytes:
        """Return the line of the journal."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class Journal:
    """The journal of the extraction into ``output``; written by one process. A truncated line is ignored."""

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        """Open the journal. Raises FacesecureError if it was begun with other settings."""
        self._folder = output / STATE_FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        _same_settings(output, self._folder / "settings.json", settings)
        self._path = self._folder / _JOURNAL
        self._path.touch()
        self._file = self._path.open("r+b")
        _lock(self._file, output)
        self._places = dict(self._scan())
        self._file.seek(self._end)
        self._file.truncate()

    @property
    def workplace(self) -> Path:
        """Folder for crops of unfinished sources."""
        return self._folder / "unfinished"

    @property
    def alike(self) -> Path:
        """Folder for photos that are left out as near duplicates of another of their class."""
        return self._folder / "alike"

    def state(self, name: str) -> str | None:
        """Return the source's state when it was finished; None if it has not been."""
        place = self._places.get(name)
        return None if place is None else place[1]

    def add(self, done: SourceResult) -> None:
        """Record a finished source; it is on disk when this returns, as far as the system guarantees it."""
        place = self._file.tell()
        self._file.write(done.dump())
        self._file.flush()
        if not done.broken:
            self._places[done.name] = (place, done.state)

    @staticmethod
    def rows_in(output: Path) -> Iterator[list[ManifestRow]]:
        """Yield all faces ever recorded for ``output``, source by source."""
        with (output / STATE_FOLDER / _JOURNAL).open("rb") as file:
            yield from (SourceResult.load(line).rows for line in file if line.endswith(b"\n"))

    def rows(self, name: str) -> list[ManifestRow]:
        """Return the faces of a source, as recorded when it was finished; none if it has not been."""
        if name not in self._places:
            return []
        with self._path.open("rb") as file:
            file.seek(self._places[name][0])
            return SourceResult.load(file.readline()).rows

    def names(self) -> list[str]:
        """Return the names of the finished sources."""
        return list(self._places)

    def __enter__(self) -> Self:
        """Return this journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _scan(self) -> Iterator[tuple[str, tuple[int, str]]]:
        self._end = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return  # truncated by a power failure
                done = SourceResult.load(line)
                if not done.broken:
                    yield done.name, (self._end, done.state)
                self._end += len(line)


def _lock(file: BinaryIO, output: Path) -> None:
    """Lock the journal until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FacesecureError(
            f"another extraction into {output} is running", "wait for it, or choose another folder"
        ) from None


def _same_settings(output: Path, path: Path, settings: Mapping[str, Any]) -> None:
    """Store the settings, or compare them with the stored ones."""
    if not path.exists():
        replace_file(path, (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode())
        return
    before = json.loads(path.read_text())
    changed = [
        f"{name} {before.get(name)} is now {value}" for name, value in settings.items() if before.get(name) != value
    ]
    if changed:
        raise FacesecureError(
            f"{output} holds faces that were extracted with other settings ({'; '.join(changed)})",
            "extract into another folder, or add --anew to delete what is there",
        )
