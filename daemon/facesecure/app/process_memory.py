"""Keep the process small on a machine with little memory."""

from __future__ import annotations

import ctypes
import gc
import logging
from contextlib import suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_LARGE = 256 * 1024
_ARENAS = 2

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


def release_memory() -> None:
    """Collect reference cycles and return free memory to the system; to be called after a daemon has ended.

    A daemon's objects refer to each other in cycles, which Python collects rarely in a large process: after a few
    configuration reloads they would fill the memory.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
