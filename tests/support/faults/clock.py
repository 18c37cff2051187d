"""A clock for one daemon that is wrong, and for nobody else."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable

import pytest

from support.faults.household import Home

_CLOCK = """
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!offset) offset = mmap(0, 8, PROT_READ, MAP_SHARED, open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC), 0);
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
    return failed;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds) *seconds = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *seconds, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seconds->tv_sec = now.tv_sec, seconds->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
"""The time of day is that much ahead; the clocks that never jump run on (Debian's faketime moves CLOCK_BOOTTIME)."""


def own_clock(home: Home) -> Callable[[float], None]:
    """Return what sets the clock of the daemons of ``home`` so many hours ahead of the true time."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    (home.folder / "clock.c").write_text(_CLOCK)
    paths = [str(home.folder / "clock.so"), str(home.folder / "clock.c")]
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", *paths], check=True)
    file = home.folder / "offset"
    home.environment |= {"LD_PRELOAD": str(home.folder / "clock.so"), "CLOCK_OFFSET": str(file)}
    file.write_bytes(bytes(8))

    def jump(hours: float) -> None:
        with file.open("r+b") as opened:
            opened.write(struct.pack("=q", round(3600 * hours)))

    return jump
