"""Starts the daemon as the command line does and prints when it was READY.

python -m benchmarks.ready STATE_DIR FILM        prints: seconds since boot when imported, and when READY
"""

from __future__ import annotations

import sys
import time
from unittest.mock import patch

_marks: list[float] = []


def _hear(*states: str) -> None:
    if "READY=1" in states:
        _marks.append(time.monotonic())


def main() -> None:
    from facesecure.app import lifecycle
    from facesecure.cli.main import main as command

    _marks.append(time.monotonic())
    state_dir, film = sys.argv[1:]
    sys.argv = ["facesecure", "--state-dir", state_dir, "run", "--source", f"file:{film}", "--exit-at-end"]
    with patch.object(lifecycle, "notify", _hear):
        try:
            command()
        finally:
            sys.__stdout__.write(" ".join(map(str, _marks)) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
