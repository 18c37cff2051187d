"""Limit a process to one core and one thread; measure its CPU time and peak memory. Standard library only."""

from __future__ import annotations

import os
import time
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1"
)
"""Environment variables to set before a process imports anything."""


def pin_to_one_core() -> int:
    """Pin this process and its threads to the last core it may use. Return its number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def peak_memory() -> int:
    """Return the peak resident memory of this process (VmHWM), bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM line; this benchmark needs Linux")


class Lap:
    """Measures CPU seconds of the whole process between calls."""

    def __init__(self) -> None:
        self._then = time.process_time()

    def split(self) -> float:
        """Return the CPU seconds since the last call (or since creation)."""
        now = time.process_time()
        spent, self._then = now - self._then, now
        return spent
