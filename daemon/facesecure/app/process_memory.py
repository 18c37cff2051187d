"""Keeps the process small on a machine with little memory."""

from __future__ import annotations

import ctypes
import gc
import logging
from contextlib import suppress

_log = logging.getLogger(__name__)

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_LARGE = 256 * 1024
_ARENAS = 2


def map_large_buffers() -> bool:
    """Have every buffer over 256 KB mapped by itself, so that it goes back to the system when it is freed.

    glibc raises this limit by itself as large buffers are freed (mallopt(3)), and soon pictures of every size lie
    between small objects in one heap that cannot shrink. Costs nothing that can be measured, and saves some 5 MB of
    peak at 1920x1080. Returns whether the C library has such a setting; musl has none and needs none.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE))
    except (OSError, AttributeError):
        _log.debug("this C library has no mallopt")
        return False


def share_heaps() -> bool:
    """Have all threads share two heaps; glibc gives each its own, up to eight for each processor (mallopt(3)).

    A thread that ends leaves its heap to another, with what it has not given back. Returns as ``map_large_buffers``.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS))
    except (OSError, AttributeError):
        return False


def give_back() -> None:
    """Free what only holds itself, and return free memory to the system: after something large has ended.

    A daemon holds itself in circles, and Python looks for those rarely once a process is large: left to its own time,
    several fill the memory.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
