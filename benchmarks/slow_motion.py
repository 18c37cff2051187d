"""Time that goes slower, so that this machine does in a minute what one several times as fast would do.

    SLOW_MOTION=3 python -m benchmarks.hub --doors 500

Import it before anything that keeps ``time.monotonic`` for itself. From then on the monotonic clock of this process,
and of those that it starts, goes slower by the factor, and pauses and waits last longer by it. So a second takes as
much work as on a machine that is as many times as fast, and CPU seconds a minute are those of one minute's work. The
idea is that of Gupta et al., "To Infinity and Beyond: Time-Warped Network Emulation", NSDI 2006.

Not slower are the clock of the day, other programs and their time limits, and waits for a lock: those are stricter by
the factor. Disks and networks seem as much faster as the processor does.
"""

from __future__ import annotations

import multiprocessing.synchronize
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any

FACTOR = float(os.environ.get("SLOW_MOTION", "1"))
"""How much slower time goes than it does."""


def _longer(wait: Callable[..., Any], place: int) -> Callable[..., Any]:
    """Return ``wait`` with the seconds at ``place`` of its arguments, if there are any, made longer."""

    def waiting(*arguments: Any, timeout: float | None = None) -> Any:
        given = list(arguments) if timeout is None else [*arguments, timeout]
        if len(given) > place and given[place] is not None:
            given[place] *= FACTOR
        return wait(*given)

    return waiting


def _slow_down() -> None:
    real = time.monotonic
    time.monotonic = lambda: real() / FACTOR
    time.sleep = _longer(time.sleep, 0)
    select.select = _longer(select.select, 3)
    for kind in (threading.Condition, multiprocessing.synchronize.Condition):  # events and queues wait with them
        kind.wait = _longer(kind.wait, 1)  # type: ignore[method-assign]


if FACTOR != 1:
    if not 1 < FACTOR <= 100:
        raise SystemExit("SLOW_MOTION is how many times slower time is to go: 1 to 100")
    _slow_down()
