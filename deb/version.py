"""The version of this tree: pyproject.toml is the one place that says it.

.venv/bin/python -m deb.version
"""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def program_version() -> str:
    """Return the version; that of an installed facesecure may be older than the tree."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


if __name__ == "__main__":
    print(program_version())  # noqa: T201 - what build.sh reads
