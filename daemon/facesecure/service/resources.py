"""What a process may use up, so that nothing works any more: something leaks, and only a new start mends that."""

from __future__ import annotations

import os
import resource
import threading

SHARE = 0.9
"""Of the files that may be open. The rest is for what is needed to say so."""
THREADS = 1000
"""A daemon in good health has some twenty."""


def used_up() -> str | None:
    """What is nearly used up, in words; None while there is enough of everything. Costs less than a millisecond."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a Path for each would be thrown away
    except OSError:
        return f"not one more file can be opened, of {limit}"
    if files > SHARE * limit:
        return f"{files} of the {limit} files that may be open are"
    if threading.active_count() > THREADS:
        return f"{threading.active_count()} threads run"
    return None
