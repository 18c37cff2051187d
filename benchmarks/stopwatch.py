"""Measure time by stage by wrapping the stages, so that the pipeline needs no timers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Stopwatch:
    """Measures CPU seconds of this thread by stage; a nested stage counts as the inner one only."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._stack = ["other"]
        self._split: dict[str, float] = {}
        self._since = time.thread_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._turn()
        self._stack.append(name)
        self.calls[name] += 1
        try:
            yield
        finally:
            self._turn()
            self._stack.pop()

    def stop(self) -> None:
        """Add the time since the last stage."""
        self._turn()

    def split(self) -> dict[str, float]:
        """Return seconds by stage since the last split (or since creation)."""
        self._turn()
        parts = {name: seconds - self._split.get(name, 0.0) for name, seconds in self.seconds.items()}
        self._split = dict(self.seconds)
        return parts

    def wrap(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return ``function`` with its time counted under ``name``."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return timed

    def each(self, items: Any, name: str) -> Iterator[Any]:
        """Yield ``items``, with the time to produce each counted under ``name``."""
        iterator = iter(items)
        while True:
            with self.stage(name):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def _turn(self) -> None:
        now = time.thread_time()
        self.seconds[self._stack[-1]] += now - self._since
        self._since = now


class Timed:
    """A proxy of ``target``: the methods named in ``stages`` are timed, everything else is passed through."""

    def __init__(self, target: Any, watch: Stopwatch, stages: Mapping[str, str]) -> None:
        self._target = target
        self._methods = {method: watch.wrap(getattr(target, method), stage) for method, stage in stages.items()}

    def __getattr__(self, name: str) -> Any:
        methods = self.__dict__["_methods"]
        return methods[name] if name in methods else getattr(self.__dict__["_target"], name)
