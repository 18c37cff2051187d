"""Ctrl-C, at any point of a command: one word, exit code 130, and nothing half done left behind.

Python's own way, an exception raised between any two instructions, gets lost in callbacks and garbles what C code
was doing. Our commands survive being killed (the store commits whole or not at all, downloads resume), so Ctrl-C
simply ends the process, after what must be tidied. The daemon puts its own handler in place while it runs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h"  # DECTCEM; a progress bar may have hidden it

_unfinished: set[Path] = set()


def end_on_interrupt() -> None:
    """From here on Ctrl-C ends this process at once. Keeps its own stderr: a library may be diverting the other."""
    stderr = os.dup(2)

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's arguments
        for path in tuple(_unfinished):
            path.unlink(missing_ok=True)
        os.write(stderr, (_SHOW_CURSOR if os.isatty(stderr) else b"") + b"interrupted\n")
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, end)


@contextmanager
def removed_on_interrupt(path: Path) -> Iterator[None]:
    """``path`` is half a file while this lasts."""
    _unfinished.add(path)
    try:
        yield
    finally:
        _unfinished.discard(path)


def end_interrupted() -> None:
    """End this process with 130, after everything was torn down. Python's own way out may turn it into a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
