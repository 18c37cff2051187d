"""List what is shipped: locked packages with their licences, the libraries inside their wheels, bundled files.

The lists come from the lock files, the packages' metadata, ``libraries.toml`` and the cards of the bundled models, so
they are the same on every machine that has the locked packages.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from supply_chain.locks import ROOT, LockedPackage, locked

MODELS = ROOT / "daemon" / "facesecure" / "vision" / "inference" / "models"

_SAME_LICENCE = {
    "MIT License": "MIT",
    "ISC License": "ISC",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
}


@dataclass(frozen=True, slots=True)
class Library:
    """A library inside a wheel, and its licence as an SPDX expression."""

    name: str
    licence: str


@dataclass(frozen=True, slots=True)
class ShippedPackage:
    """A package of a lock file; ``versions`` has more than one entry where Pythons get different ones."""

    name: str
    versions: tuple[LockedPackage, ...]
    licence: str
    inside: tuple[Library, ...]


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """A file of our own wheel that comes from elsewhere."""

    name: str
    path: Path
    licence: str

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def packages(*locks: str) -> list[ShippedPackage]:
    """Return the packages of the lock files ``locks``, by name."""
    versions: dict[str, list[LockedPackage]] = {}
    for one in dict.fromkeys(locked(*locks)):
        versions.setdefault(one.name, []).append(one)
    return [
        ShippedPackage(name, tuple(found), licence_of(name), libraries_in(name))
        for name, found in sorted(versions.items())
    ]


def licence_of(name: str) -> str:
    """Return the licence of an installed package: an SPDX expression, or its own words. Empty if it is not known."""
    if stated := _table()["packages"].get(name):
        return str(stated)
    try:
        fields = metadata(name).json
    except PackageNotFoundError:
        return ""
    words = str(fields.get("license_expression") or fields.get("license") or "").strip()
    return _SAME_LICENCE.get(words, words)


def libraries_in(name: str) -> tuple[Library, ...]:
    """Return the libraries of others inside the wheel of the package ``name``, each once."""
    wheel = _table()["wheels"].get(name, {})
    shared = [Library(*_table()["shared"][stem]) for stem in wheel.get("libraries", ())]
    different = wheel.get("different", {})
    shared = [Library(one.name, different.get(one.name, one.licence)) for one in shared]
    static = [Library(*one) for one in _table()["static"].get(name, ())]
    return tuple(dict.fromkeys([*shared, *static]))


def stem_of(file_name: str) -> str:
    """Return the key of a shared library's file in ``libraries.toml``: "libx264" of "libx264-d6533a8d.so.165"."""
    return re.split(r"[-.]", file_name)[0]


def files() -> list[ShippedFile]:
    """Return the bundled models, with the licences of their cards, and the portraits of the demo."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(MODELS.glob("*.json"))]
    models = [ShippedFile(f"model {card['name']}", MODELS / card["file"], card["licence"]) for card in cards]
    return [*models, *(ShippedFile(one["name"], ROOT / one["path"], one["licence"]) for one in _table()["files"])]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "libraries.toml").read_text(encoding="utf-8"))
