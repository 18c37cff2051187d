"""The sources that were handed out: what an interrupted extraction has put in place of them is in no journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from facesecure.util.files import replace_file
from facesecure_training.datasets.crop_names import is_inside

_SLACK = 64
"""Lines of finished sources that may be in the file, beside as many as are under way."""


class BegunSources:
    """The names of sources that are under way, in a file of the state folder, a line each.

    Names of finished ones may be there too: they are taken out together, so that the file stays small.

    Example::

        begun = BegunSources(output / ".extract" / "begun.jsonl")
        begun.add("anna/1.jpg")
        begun.finish("anna/1.jpg")
    """

    def __init__(self, path: Path) -> None:
        """``path`` may be missing."""
        self._path = path
        self._names = dict.fromkeys(self._read())
        self._lines = 0
        self._write()

    def __iter__(self) -> Iterator[str]:
        """Yield the names, each once."""
        return iter(list(self._names))

    def add(self, name: str) -> None:
        """Record that a source is handed out; it is in the file when this returns."""
        if self._lines > 2 * len(self._names) + _SLACK:
            self._write()
        self._names[name] = None
        self._lines += 1
        with self._path.open("ab") as file:
            file.write(_line(name))

    def finish(self, name: str) -> None:
        """Forget a source: the journal has it."""
        self._names.pop(name, None)

    def clear(self) -> None:
        """Forget all."""
        self._names.clear()
        self._write()

    def _read(self) -> Iterator[str]:
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                try:
                    name = json.loads(line)
                except ValueError:  # cut short by a power failure
                    continue
                if isinstance(name, str) and is_inside(name):
                    yield name

    def _write(self) -> None:
        replace_file(self._path, b"".join(map(_line, self._names)))
        self._lines = len(self._names)


def _line(name: str) -> bytes:
    return json.dumps(name).encode() + b"\n"
