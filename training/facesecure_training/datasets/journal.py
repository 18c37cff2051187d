"""What is done of an extraction, one line a source, so that an interrupted one goes on where it was."""

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
"""The hidden folder in the output where an extraction keeps its marks."""
_JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of one source. ``searched`` counts frames; ``trouble`` says what was wrong with it, if anything was.

    ``broken`` is a source that gave nothing because it cannot be read; it is tried again the next time.
    """

    name: str
    state: str
    searched: int
    rows: list[ManifestRow]
    trouble: str | None = None
    broken: bool = False

    @classmethod
    def load(cls, line: bytes) -> Self:
        return cls(**json.loads(line))

    def dump(self) -> bytes:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class Journal:
    """The marks of the extraction into ``output``; written by one process, and a line cut short counts for nothing."""

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        """Opens what is there. Raises FacesecureError if that was made with other settings."""
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
        """Where crops of unfinished sources lie."""
        return self._folder / "unfinished"

    @property
    def alike(self) -> Path:
        """Where photos lie that are left out because they show what another of their class shows."""
        return self._folder / "alike"

    def state(self, name: str) -> str | None:
        """The source's state when it was done; None if it has not been."""
        place = self._places.get(name)
        return None if place is None else place[1]

    def add(self, done: SourceResult) -> None:
        """Note that a source is done; it is on disk when this returns, as far as the system keeps its word."""
        place = self._file.tell()
        self._file.write(done.dump())
        self._file.flush()
        if not done.broken:
            self._places[done.name] = (place, done.state)

    @staticmethod
    def rows_in(output: Path) -> Iterator[list[ManifestRow]]:
        """All faces that were ever noted for ``output``, source by source."""
        with (output / STATE_FOLDER / _JOURNAL).open("rb") as file:
            yield from (SourceResult.load(line).rows for line in file if line.endswith(b"\n"))

    def rows(self, name: str) -> list[ManifestRow]:
        """The faces of a source, as it was when it was done; none if it has not been."""
        if name not in self._places:
            return []
        with self._path.open("rb") as file:
            file.seek(self._places[name][0])
            return SourceResult.load(file.readline()).rows

    def names(self) -> list[str]:
        """The sources that are done."""
        return list(self._places)

    def __enter__(self) -> Self:
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
                    return  # the power went off here
                done = SourceResult.load(line)
                if not done.broken:
                    yield done.name, (self._end, done.state)
                self._end += len(line)


def _lock(file: BinaryIO, output: Path) -> None:
    """Until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FacesecureError(
            f"another extraction into {output} is under way", "wait for it, or choose another folder"
        ) from None


def _same_settings(output: Path, path: Path, settings: Mapping[str, Any]) -> None:
    """Note them, or compare them with those noted."""
    if not path.exists():
        replace_file(path, (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode())
        return
    before = json.loads(path.read_text())
    changed = [
        f"{name} {before.get(name)} is {value} now" for name, value in settings.items() if before.get(name) != value
    ]
    if changed:
        raise FacesecureError(
            f"{output} holds faces that were extracted otherwise ({'; '.join(changed)})",
            "extract into another folder, or give --anew to throw away what is there",
        )
