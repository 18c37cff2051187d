"""The files and folders that the pages for engineers name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"]
BASES = [ROOT, ROOT / "daemon" / "facesecure", ROOT / "docs"]
PATH = re.compile(r"`((?:[\w-]+/)+[\w.-]*|[\w/-]+\.(?:py|md|toml))(?:::\w+)?`")
ELSEWHERE = re.compile(r"^(snapshots|backups|speech|drills|models|google_home)/|NNNN|^build.py$|^out/|_commands?.py$")


def named_in(page: Path) -> set[str]:
    """Return the paths in backquotes, those in the state directory and those that are examples left out."""
    return {path for path in PATH.findall(page.read_text(encoding="utf-8")) if not ELSEWHERE.search(path)}


def is_there(path: str) -> bool:
    return any((base / path).exists() for base in BASES) or bool(list((ROOT / "daemon").rglob(path)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    paths = named_in(page)
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not is_there(path)] == []
