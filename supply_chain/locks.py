"""Read the lock files of ``requirements/``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"

_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\\n]+?))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One version of a package; ``hashes`` are the SHA-256 of its files, ``marker`` says where it is used."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def locked(*names: str, folder: Path = REQUIREMENTS) -> Iterator[LockedPackage]:
    """Yield the packages of the lock files ``names``, by default of all, in the order of the files."""
    for name in names or lock_names(folder):
        for match in _ENTRY.finditer((folder / f"{name}.txt").read_text(encoding="utf-8")):
            hashes = tuple(re.findall(r"sha256:([0-9a-f]{64})", match["hashes"]))
            yield LockedPackage(match["name"], match["version"], match["marker"] or "", hashes)


def lock_names(folder: Path = REQUIREMENTS) -> list[str]:
    """Return the names of the lock files, without versions.txt, which has no hashes."""
    return sorted(path.stem for path in folder.glob("*.txt") if path.stem != "versions")
