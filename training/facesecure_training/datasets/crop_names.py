"""What the crops of a source are called: after it, with the number of the frame and of the face in it."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from facesecure_training.datasets.folders import MANIFEST

STATE_FOLDER = ".extract"
"""The hidden folder in the output where an extraction keeps its state."""
ALIKE = f"{STATE_FOLDER}/alike"
"""Where photos lie that are left out as near duplicates of another of their class."""
UNFINISHED = f"{STATE_FOLDER}/unfinished"
"""Where each run has its sign, and a folder for the crops of unfinished sources."""
RESERVED = frozenset({STATE_FOLDER, MANIFEST})
"""What no class can be called: the extraction itself has files of these names beside the class folders."""

_LONGEST, _NUMBERS, _HASH = 255, len("-0000000-000.png"), 16
"""The bytes that the name of a file may have on most file systems, those after the source's name, and of a hash."""
_CROP = re.compile(r"(.+)-\d{6,}-\d+\.(?:png|jpg)", re.DOTALL)


def crop_name(source: str, frame: int, number: int, suffix: str) -> str:
    """Return the path below the output of the crop of face ``number`` in ``frame`` of the source called ``source``.

    Example::

        crop_name("anna/visit.mp4", 25, 0, ".png")  # anna/visit.mp4-000025-0.png
    """
    return f"{stem_of(source)}-{frame:06}-{number}{suffix}"


def stem_of(source: str) -> str:
    """Return how the paths of all crops of a source begin: as it is called, as far as the file system has room.

    Names may be longer than those of the files they are made of, as bytes that are not UTF-8 are escaped in them.
    """
    *folders, file = source.split("/")
    return "/".join([*(_fitting(name, _LONGEST) for name in folders), _fitting(file, _LONGEST - _NUMBERS)])


def stem_in(file: str) -> str | None:
    """Return the ``stem_of`` the source whose crop ``file`` is called; None if it is called otherwise."""
    found = _CROP.fullmatch(file)
    return found and found[1]


def _fitting(name: str, room: int) -> str:
    """Return ``name``, or its beginning and a hash of the whole, in at most ``room`` bytes of UTF-8."""
    whole = name.encode()
    if len(whole) <= room:
        return name
    mark = "~" + hashlib.sha256(whole).hexdigest()[:_HASH]
    return whole[: room - len(mark)].decode(errors="ignore") + mark


def is_inside(name: str) -> bool:
    """Return whether ``name`` is a path below the output: it goes nowhere else, and not to the state folder."""
    parts = name.split("/")
    return "\0" not in name and parts[0] != STATE_FOLDER and not {"", ".", ".."}.intersection(parts)


def crops_of(names: Iterable[str], listed: Callable[[str], Iterable[str]]) -> Iterator[list[str]]:
    """Yield the crops of the sources, folder by folder; ``listed`` returns the names of the files in one."""
    for folder, stems in itertools.groupby(map(stem_of, names), lambda stem: stem.rpartition("/")[0]):
        wanted = set(stems)
        files = {f"{folder}/{name}" for place in ("", f"{ALIKE}/") for name in listed(f"{place}{folder}")}
        yield sorted(file for file in files if stem_in(file) in wanted)
