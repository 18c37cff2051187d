"""How much of the machine's memory, or of the service's, a decoder may take."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def half_of_memory(own: Path = _OWN, groups: Path = _CGROUPS) -> int:
    """Return half of the memory that this process may use, in bytes: the machine's, or less by a limit of systemd's.

    ``own`` names the control groups of the process, which lie below ``groups``. A limit that cannot be read is none.
    """
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    try:
        line = next(line for line in own.read_text().splitlines() if line.startswith("0::/"))
    except (OSError, StopIteration):
        return found[0] // 2
    group = groups / line.removeprefix("0::/")
    while group.is_relative_to(groups) and group != groups:
        found += _limit(group / "memory.max")
        group = group.parent
    return min(found) // 2


def _limit(file: Path) -> list[int]:
    try:
        return [int(file.read_text())]
    except (OSError, ValueError):  # "max", or no such controller
        return []
