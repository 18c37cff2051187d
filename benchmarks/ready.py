"""Start the daemon as the command line does, and print when it was READY.

    python -m benchmarks.ready STATE_DIR VIDEO

Prints two times in seconds since boot: after the imports, and at READY.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from unittest.mock import patch

_marks: list[float] = []


def _record_ready(*states: str) -> None:
    if "READY=1" in states:
        _marks.append(time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state_dir", type=Path)
    parser.add_argument("video", type=Path)
    options = parser.parse_args()
    from facesecure.app import lifecycle
    from facesecure.cli.main import main as command

    _marks.append(time.monotonic())
    words = ["--state-dir", str(options.state_dir), "run", "--source", f"file:{options.video}", "--exit-at-end"]
    sys.argv = ["facesecure", *words]
    with patch.object(lifecycle, "notify", _record_ready):
        try:
            command()
        finally:
            sys.__stdout__.write(" ".join(map(str, _marks)) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
