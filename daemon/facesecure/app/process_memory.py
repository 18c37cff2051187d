"""Keep the process small on a machine with little memory."""

from __future__ import annotations

import ctypes
import gc
import logging
import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Self

from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_LARGE = 256 * 1024
_ARENAS = 2
_MADV_DONTNEED = 4  # mman.h
_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d* +/.*\n((?:\w+:.*\n)+)", re.MULTILINE)
"""A private mapping of a file that cannot be written to, in /proc/PID/smaps: its begin, its end, and its figures."""

_log = logging.getLogger(__name__)


def map_large_buffers() -> bool:
    """Have malloc map every buffer over 256 KB separately, so that it is returned to the system when freed.

    By default glibc raises this threshold as large buffers are freed (mallopt(3)); images of every size then end up
    between small objects in one heap that cannot shrink. Has no measurable cost and saves some 5 MB of peak memory at
    1920x1080. Returns whether the C library has this setting; musl has none and needs none.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE))
    except (OSError, AttributeError):
        _log.debug("this C library has no mallopt")
        return False


def share_heaps() -> bool:
    """Have all threads share two heaps; glibc gives each its own, up to eight per processor (mallopt(3)).

    The heap of a thread that ends is reused by another, including what it has not returned to the system. Returns
    whether the C library has this setting.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS))
    except (OSError, AttributeError):
        return False


def unmap_what_only_starting_needed() -> int:
    """Unmap the pages of libraries that are no longer needed. Return the bytes that were mapped.

    Libraries of 200 MB are loaded, and starting touches many pages of them once: some 40 MB of resident memory. What
    is still needed is mapped again when it is touched, from the system's cache. Only mappings without a changed page
    are unmapped: those with relocated addresses would lose them.
    """
    unmapped = 0
    with suppress(OSError, AttributeError):
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        for begin, end, figures in _MAPPING.findall(Path("/proc/self/smaps").read_text()):
            sizes = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", figures, re.MULTILINE)}
            at, changed = int(begin, 16), sizes.get("Anonymous", 1) + sizes.get("Private_Dirty", 1)
            if not changed and advise(at, int(end, 16) - at, _MADV_DONTNEED) == 0:
                unmapped += sizes.get("Rss", 0) * 1024
    return unmapped


class LeanLibraries(RunsPeriodically):
    """Unmaps what is not needed of libraries: on entering a ``with`` block, after the first frames, and now and then.

    Example::

        with LeanLibraries():
            watch(cameras)
    """

    def __init__(self, interval: float = 600.0, first: float = 4.0) -> None:
        """``first``: seconds until the second time; ``interval``: seconds between later ones. Each takes 30 ms."""
        self._task = PeriodicTask("library pages", unmap_what_only_starting_needed, interval, first=first)

    def __enter__(self) -> Self:
        """Unmap, and start."""
        import_module("cryptography.hazmat.primitives.ciphers.aead")  # 8 MB, or else with the first sighting
        unmap_what_only_starting_needed()
        return super().__enter__()


def release_memory() -> None:
    """Collect reference cycles and return free memory to the system; to be called after a daemon has ended.

    A daemon's objects refer to each other in cycles, which Python collects rarely in a large process: after a few
    configuration reloads they would fill the memory.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
