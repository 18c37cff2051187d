"""One core, one thread, its CPU time, and the most memory it ever had. Standard library only."""

from __future__ import annotations

import os
import time
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1"
)
"""To be set in a process's environment before it imports anything."""


def pin_to_one_core() -> int:
    """Keep this process and its threads on one core, the last it may use; returns which."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def peak_memory() -> int:
    """Most resident memory this process ever had (VmHWM), bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM line; this bench needs Linux")


class Lap:
    """CPU seconds of the whole process between calls."""

    def __init__(self) -> None:
        self._then = time.process_time()

    def split(self) -> float:
        """Seconds since the last call (or since this was made)."""
        now = time.process_time()
        spent, self._then = now - self._then, now
        return spent
