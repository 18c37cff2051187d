"""Clocks that are wrong for some threads of this process, as if each door had its own machine."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

_real_time, _real = time.time, datetime
_shifts: dict[int, float] = {}


def _shift() -> float:
    return _shifts.get(threading.get_ident(), 0.0)


class _AsReal(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _real)


class _Shifted(datetime, metaclass=_AsReal):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return _real.now(tz) + timedelta(seconds=_shift())


@contextmanager
def own_clocks() -> Iterator[None]:
    """Let the threads of ``wrong`` have their own time during the block, in all modules of facesecure."""
    modules = [one for name, one in list(sys.modules.items()) if name.startswith("facesecure.")]
    changed = [one for one in modules if vars(one).get("datetime") is _real]
    for one in changed:
        vars(one)["datetime"] = _Shifted
    time.time = lambda: _real_time() + _shift()
    try:
        yield
    finally:
        time.time = _real_time
        for one in changed:
            vars(one)["datetime"] = _real


@contextmanager
def wrong(seconds: float) -> Iterator[None]:
    """Let the clock be ahead by ``seconds`` in this thread, and for good in the threads that are started meanwhile."""
    before = {thread.ident for thread in threading.enumerate()}
    own = threading.get_ident()
    _shifts[own] = seconds
    try:
        yield
    finally:
        del _shifts[own]
        started = [thread.ident for thread in threading.enumerate() if thread.ident not in before]
        _shifts.update({ident: seconds for ident in started if ident is not None})
