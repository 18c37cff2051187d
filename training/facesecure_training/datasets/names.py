"""Many names in little memory: 200,000 ``Path`` objects take 100 MB, their letters 5 MB."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from os import fsdecode, fsencode
from pathlib import Path
from typing import Any, overload


class Texts(Sequence[str]):
    """An immutable sequence of strings, stored as bytes; equal to any sequence with the same strings."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        letters = bytearray()
        self._ends = array("Q", [0])
        for text in texts:
            letters += fsencode(text)
            self._ends.append(len(letters))
        self._letters = bytes(letters)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return fsdecode(self._letters[self._ends[place] : self._ends[place + 1]])

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(str.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} names>"


class Files(Sequence[Path]):
    """A sequence of paths below ``root``, by their ``names`` there; equal to any sequence with the same paths."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.root = root
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> list[Path]: ...
    def __getitem__(self, index: int | slice) -> Path | list[Path]:
        if isinstance(index, slice):
            return [self.root / name for name in self.names[index]]
        return self.root / self.names[index]

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(Path.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} files in {self.root}>"
