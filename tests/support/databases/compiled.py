"""Statements of SQLite compiled once in a process, and not anew for each store that a test opens.

SQLAlchemy keeps what it has compiled with the engine, by dialect; a store has an engine of its own, and most of what
opening, filling and reading a small one takes is compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlalchemy import Dialect, Engine
from sqlalchemy.util import LRUCache

_MOST = 5000
"""More statements than there are, so that none is compiled twice."""


class CompiledOnce:
    """Gives the engines for SQLite that a ``create_engine`` makes one dialect, and one cache of compiled statements."""

    def __init__(self) -> None:
        self._dialect: Dialect | None = None
        self._compiled: LRUCache[Any, Any] = LRUCache(_MOST)

    def __call__(self, create_engine: Callable[..., Engine]) -> Callable[..., Engine]:
        @wraps(create_engine)
        def create(*args: Any, **options: Any) -> Engine:
            engine = create_engine(*args, **options)
            if engine.dialect.name == "sqlite":
                engine.dialect = engine.pool._dialect = self._initialised(create_engine)
                engine._compiled_cache = self._compiled
            return engine

        return create

    def _initialised(self, create_engine: Callable[..., Engine]) -> Dialect:
        """Return the dialect, which learns at its first connection what the library can do."""
        if self._dialect is None:
            first = create_engine("sqlite://")
            first.connect().close()
            first.dispose()
            self._dialect = first.dialect
        return self._dialect
