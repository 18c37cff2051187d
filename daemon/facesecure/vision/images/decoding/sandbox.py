"""Give up what a decoder does not need: files, network, other processes, and more memory and time than a picture takes.

Limits of memory and time stop bombs. Beyond that, for code that a hostile picture may have taken over: the kernel's
Landlock takes away every file and, from Linux 6.7 on, TCP; a network namespace of its own takes away the whole
network. Where the kernel or the service's own sandbox does not allow one of them, the others remain.
"""

from __future__ import annotations

import ctypes
import os
import resource
from contextlib import suppress

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES = 38
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
"""Numbers of Landlock's system calls, the same on every architecture."""
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights to files each version of Landlock knows; later ones know 16."""
_ALL_FILE_RIGHTS = 16
_TCP = 0b11
_SPARE_FILES = 8
_SPARE_MEMORY = 64 << 20
"""Bytes for Python, OpenCV's tables and the like."""


def leave_network() -> bool:
    """Move to a network namespace without any interface, before any thread starts. Return whether that worked."""
    return bool(_libc().unshare(_NEW_USER | _NEW_NETWORK) == 0)


def deny_files() -> bool:
    """Give up every file that is not open, and TCP where Landlock knows it. Return whether that worked."""
    libc = _libc()
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    rights = (1 << _FILE_RIGHTS.get(version, _ALL_FILE_RIGHTS)) - 1
    handled = (ctypes.c_uint64 * 2)(rights, _TCP if version >= 4 else 0)
    size = ctypes.c_size_t(16 if version >= 4 else 8)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(handled), size, ctypes.c_uint32(0))
    if rules < 0:
        return False
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    done = bool(libc.syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0)
    os.close(rules)
    return done


def keep_to_itself(largest_file: int) -> None:
    """Allow no core dump, no further process, few descriptors, and no file larger than ``largest_file`` bytes.

    Where memory runs out nevertheless, the kernel ends this process before others.
    """
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, largest_file)
    _limit(resource.RLIMIT_NOFILE, _highest_descriptor() + _SPARE_FILES)
    _limit(resource.RLIMIT_NPROC, 0)  # root's processes are not counted


class Allowance:
    """Memory and time for one picture after another.

    Example::

        allowance = Allowance()
        allowance.grant(memory=640_000_000, seconds=20)
    """

    def __init__(self) -> None:
        """Take what the process has reserved now as what it needs for itself."""
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            self._own = int(file.read().split()[0]) * resource.getpagesize()

    def grant(self, memory: int, seconds: int) -> None:
        """Allow ``memory`` bytes of address space besides the process's own, and ``seconds`` of processor time."""
        spent = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_AS, self._own + _SPARE_MEMORY + memory, also_hard=False)
        _limit(resource.RLIMIT_CPU, int(spent.ru_utime + spent.ru_stime) + seconds, also_hard=False)


def _limit(which: int, value: int, also_hard: bool = True) -> None:
    """Set a limit, or keep a lower one that holds already."""
    _, hard = resource.getrlimit(which)
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (wanted, wanted if also_hard else hard))


def _highest_descriptor() -> int:
    return max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
