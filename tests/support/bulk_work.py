"""Work for pools, in a module that the processes of a pool can import."""

from __future__ import annotations

import os
import time
from pathlib import Path


def doubled(task: int, item: int) -> int:
    """Return ``item`` times two, plus ``task``."""
    return 2 * item + task


def deadly(task: int, item: int) -> int:
    """End the process that works on the item ``task``."""
    if item == task:
        os._exit(1)
    return item


def deadly_to_all(task: object, item: object) -> None:
    """End the process, whatever the item."""
    os._exit(1)


def failing(task: str, item: int) -> int:
    """Fail with ``task`` on the third item."""
    if item == 3:
        raise ValueError(task)
    return item


def signed(task: Path, item: int) -> int:
    """Take a tenth of a second, and leave the number of the process in the folder ``task``."""
    (task / str(os.getpid())).touch()
    time.sleep(0.1)
    return item
