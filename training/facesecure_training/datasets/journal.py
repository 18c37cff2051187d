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
from facesecure_training.datasets.crop_folder import STATE_FOLDER
from facesecure_training.datasets.manifest import ManifestRow
from facesecure_training.datasets.source_index import SourceIndex

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
        """Read a line of the journal. Raises FacesecureError unless its files lie in the output, outside its state."""
        found = cls(**json.loads(line))
        for row in found.rows:
            if not _is_inside(row["file"]):
                raise FacesecureError(
                    f"the journal of the extraction names a file {row['file']!r}, which is not one of its faces",
                    "it was changed, or made elsewhere: choose another folder",
                )
        return found

    def dump(self) -> bytes:
        """Return the line of the journal."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class Journal:
    """The journal of an extraction, in its state folder; written by one process. A truncated line is ignored.

    ``index`` finds its lines.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], shown: str) -> None:
        """Open the journal in ``folder``, of the extraction into what is ``shown``.

        Raises FacesecureError if it was begun with other settings, or names files that lie elsewhere.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_links(folder)
        _same_settings(shown, folder / "settings.json", settings)
        path = folder / _JOURNAL
        path.touch()
        self._file = path.open("r+b")
        _lock(self._file, shown)
        self._reader = path.open("rb")
        self.index = SourceIndex(folder / "index.db")
        try:
            self._scan()
        except BaseException:
            self._close()
            raise
        self._file.seek(self._end)
        self._file.truncate()

    def add(self, done: SourceResult) -> None:
        """Record a finished source; it is on disk when this returns, as far as the system guarantees it."""
        place, line = self._end, done.dump()
        self._file.write(line)
        self._file.flush()
        self._end += len(line)
        self.index.note(done.name, None if done.broken else (place, done.state), self._end)

    @staticmethod
    def rows_in(folder: Path) -> Iterator[list[ManifestRow]]:
        """Yield all faces ever recorded in the state ``folder``, source by source."""
        with (folder / _JOURNAL).open("rb") as file:
            yield from (SourceResult.load(line).rows for line in file if line.endswith(b"\n"))

    def rows(self, name: str) -> list[ManifestRow]:
        """Return the faces of a source, as recorded when it was finished; none if it has not been."""
        place = self.index.place(name)
        return [] if place is None else self._rows_at(place[0])

    def all_rows(self) -> Iterator[ManifestRow]:
        """Yield the faces of all sources: of those there in their order, then of those done once and gone."""
        for _, place in self.index.places():
            if place is not None:
                yield from self._rows_at(place)

    def __enter__(self) -> Self:
        """Return this journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.index.save(self._end)
        self._close()

    def _close(self) -> None:
        self.index.__exit__()
        self._reader.close()
        self._file.close()

    def _rows_at(self, place: int) -> list[ManifestRow]:
        self._reader.seek(place)
        return SourceResult.load(self._reader.readline()).rows

    def _scan(self) -> None:
        """Read into the index what it does not have yet."""
        self._end = self.index.until
        if self._end > self._file.seek(0, 2):
            self.index.begin_anew()
            self._end = 0
        self._reader.seek(self._end)
        for line in self._reader:
            if not line.endswith(b"\n"):
                break  # truncated by a power failure
            done = SourceResult.load(line)
            place, self._end = self._end, self._end + len(line)
            self.index.note(done.name, None if done.broken else (place, done.state), self._end)
        self.index.save(self._end)


def _is_inside(name: str) -> bool:
    """Return whether ``name`` is a path below the output: it goes nowhere else, and not to the state folder."""
    parts = name.split("/")
    return "\0" not in name and parts[0] != STATE_FOLDER and not {"", ".", ".."}.intersection(parts)


def _refuse_links(folder: Path) -> None:
    """Raise FacesecureError if a link stands in the state folder: what is written there would go elsewhere."""
    found = next((one for one in folder.iterdir() if one.is_symlink()), None)
    if found is not None:
        raise FacesecureError(f"{found} is a link, and no file of an extraction", "remove it, or choose another folder")


def _lock(file: BinaryIO, shown: str) -> None:
    """Lock the journal until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FacesecureError(
            f"another extraction into {shown} is running", "wait for it, or choose another folder"
        ) from None


def _same_settings(shown: str, path: Path, settings: Mapping[str, Any]) -> None:
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
            f"{shown} holds faces that were extracted with other settings ({'; '.join(changed)})",
            "extract into another folder, or add --anew to delete what is there",
        )
