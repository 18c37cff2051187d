"""The record of an extraction, one line per finished source, so that an interrupted one can resume."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from facesecure.domain.errors import FacesecureError
from facesecure.util.files import replace_file
from facesecure_training.common.disk_errors import is_full
from facesecure_training.datasets.begun import BegunSources
from facesecure_training.datasets.crop_names import is_inside
from facesecure_training.datasets.manifest import ManifestRow
from facesecure_training.datasets.near_duplicates import unpacked
from facesecure_training.datasets.source_index import SourceIndex
from facesecure_training.datasets.sources import Recording

_JOURNAL, _SETTINGS = "journal.jsonl", "settings.json"
_TEXTS = ("file", "class", "source", "kind")
"""Columns of a row that every line of the journal has, beside others."""
_LANDMARKS = 10
"""Figures of the landmarks of a face: x and y of five."""
_ANEW = "extract into another folder, or add --anew to delete what is there"


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
        """Read a line of the journal. Raises ValueError if it is damaged.

        Raises FacesecureError unless its files lie in the output, outside its state.
        """
        found = cls._read(line)
        for row in found.rows:
            if not is_inside(row["file"]):
                raise FacesecureError(
                    f"the journal of the extraction names a file {row['file']!r}, which is not one of its faces",
                    "it was changed, or made elsewhere: choose another folder",
                )
        return found

    @classmethod
    def _read(cls, line: bytes) -> Self:
        try:
            found = cls(**json.loads(line))
            texts = isinstance(found.name, str) and isinstance(found.state, str)
            whole = texts and all(map(_is_whole, found.rows))
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"it is no line of a journal ({error})") from None
        if not whole:
            raise ValueError("it is no line of a journal")
        return found

    def dump(self) -> bytes:
        """Return the line of the journal."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class Journal:
    """The journal of an extraction, in its state folder; written by one process. A truncated line is ignored.

    ``index`` finds its lines, and ``begun`` are the sources that were handed out and are not in it.

    Example::

        with Journal(output / ".extract", str(output)) as journal:
            journal.resume(settings.described())
            journal.add(result)
    """

    def __init__(self, folder: Path, shown: str) -> None:
        """Open the journal in ``folder``, of the extraction into what is ``shown``, for this process alone.

        Raises FacesecureError if another process has it. Nothing is read yet: see ``resume``.
        """
        self.folder, self._shown = folder, shown
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_links(folder)
        path = folder / _JOURNAL
        path.touch()
        self._end = 0
        with ExitStack() as opened:
            self._file = opened.enter_context(path.open("r+b"))
            _lock(self._file, shown)
            self._reader = opened.enter_context(path.open("rb"))
            self.begun = BegunSources(folder / "begun.jsonl")
            self.index = SourceIndex(folder / "index.db")
            opened.pop_all()

    def resume(self, settings: Mapping[str, Any]) -> None:
        """Read what was done. Raises FacesecureError if it was begun with other settings, or is damaged."""
        if self._file.seek(0, 2):
            _require_same(self._shown, self.folder / _SETTINGS, settings)
        else:
            replace_file(self.folder / _SETTINGS, (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode())
        self._scan()
        self._file.seek(self._end)
        self._file.truncate()

    def forget_settings(self) -> None:
        """Let the journal be no one's: it can only begin anew."""
        (self.folder / _SETTINGS).unlink(missing_ok=True)

    def begin_anew(self) -> None:
        """Begin as in an empty state folder. The file of the journal stays: others shall see its lock."""
        self.forget_settings()
        self.begun.clear()
        self.clear()

    def clear(self) -> None:
        """Forget what was done."""
        self.index.begin_anew()
        self._file.seek(0)
        self._file.truncate()
        self._end = 0

    def handed_out(self) -> Iterator[Recording]:
        """Yield the sources to be done, in their order; each is recorded as begun before."""
        for one in self.index.waiting():
            self.begun.add(one.name)
            yield one

    def withdraw(self, name: str) -> None:
        """Record that a source is not done any more: its faces are gone."""
        self.add(SourceResult(name, "", 0, [], broken=True))

    def add(self, done: SourceResult) -> None:
        """Record a finished source; it is on disk when this returns, as far as the system guarantees it."""
        place, line = self._end, done.dump()
        self._file.write(line)
        self._file.flush()
        self._end += len(line)
        self.index.note(done.name, None if done.broken else (place, done.state), self._end)
        self.begun.finish(done.name)

    def rows(self, name: str) -> list[ManifestRow]:
        """Return the faces of a source, as recorded when it was finished; none if it has not been."""
        place = self.index.place(name)
        return [] if place is None else self._rows_at(place[0], name)

    def all_rows(self) -> Generator[ManifestRow, None, None]:
        """Yield the faces of all sources: of those there in their order, then of those done once and gone.

        A caller that does not read it to the end closes it before the journal.
        """
        for name, place in self.index.places():
            if place is not None:
                yield from self._rows_at(place, name)

    def __enter__(self) -> Self:
        """Return this journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.index.save(self._end)
        finally:
            self._close()
            if isinstance(error, sqlite3.Error) and not is_full(error):
                (self.folder / "index.db").unlink(missing_ok=True)  # it is made again from the journal

    def _close(self) -> None:
        self.index.__exit__()
        self._reader.close()
        with suppress(OSError):  # a full disk, of which ``add`` has told
            self._file.close()

    def _rows_at(self, place: int, name: str) -> list[ManifestRow]:
        self._reader.seek(place)
        try:
            found = SourceResult.load(self._reader.readline())
        except ValueError:
            found = None
        if found is None or found.name != name:
            raise sqlite3.DatabaseError("it does not fit the journal")
        return found.rows

    def _scan(self) -> None:
        """Read into the index what it does not have yet."""
        start = self.index.until
        if not 0 <= start <= self._file.seek(0, 2) or self._damaged_line(start):
            self.index.begin_anew()  # it is of another journal, or points into the middle of a line
            if line := self._damaged_line(0):
                raise FacesecureError(f"line {line} of {self.folder / _JOURNAL} is damaged", _ANEW)
        self.index.save(self._end)

    def _damaged_line(self, start: int) -> int | None:
        """Read from ``start`` on; return the number of a line that is damaged, from 1."""
        self._end = start
        self._reader.seek(start)
        for number, line in enumerate(self._reader, 1):
            if not line.endswith(b"\n"):
                break  # truncated by a power failure
            try:
                done = SourceResult.load(line)
            except ValueError:
                return number
            place, self._end = self._end, self._end + len(line)
            self.index.note(done.name, None if done.broken else (place, done.state), self._end)
        return None


def lines_in(folder: Path) -> Iterator[SourceResult | None]:
    """Yield each result that was ever recorded in a state folder, None for a damaged line.

    Raises FacesecureError for one that names files elsewhere.
    """
    path = folder / _JOURNAL
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                try:
                    done = SourceResult.load(line)
                except ValueError:
                    done = None
                yield done


def _is_whole(row: ManifestRow) -> bool:
    """Return whether the manifest can be written from a row. Raises KeyError, TypeError or ValueError if it cannot."""
    unpacked(row["thumb"])
    return len(row["landmarks"]) == _LANDMARKS and all(isinstance(row[column], str) for column in _TEXTS)


def _refuse_links(folder: Path) -> None:
    """Raise FacesecureError if the state folder is a link, or holds one: what is written there would go elsewhere."""
    found = next((one for one in (folder, *folder.iterdir()) if one.is_symlink()), None)
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


def _require_same(shown: str, path: Path, settings: Mapping[str, Any]) -> None:
    """Raise FacesecureError unless the settings are the stored ones."""
    before = _stored(path)
    if before is None:
        raise FacesecureError(f"{path} is missing or damaged: nobody knows how {shown} was extracted", _ANEW)
    changed = [
        f"{name} {before.get(name)} is now {value}" for name, value in settings.items() if before.get(name) != value
    ]
    if changed:
        raise FacesecureError(
            f"{shown} holds faces that were extracted with other settings ({'; '.join(changed)})", _ANEW
        )


def _stored(path: Path) -> dict[str, Any] | None:
    """Return the settings in a file; None if it is missing or damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
