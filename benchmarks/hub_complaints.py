"""What the hub's code warns of during a bench, counted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Complaints(logging.Handler):
    """Counts what the hub's code warns of, and the strangers about whom nobody was asked in time.

    Example::

        with Complaints().counting() as complaints:
            ...
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.warnings, self.alone, self.said = 0, 0, dict[str, int]()

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        self.alone += record.levelno == logging.INFO and "so this one notifies" in record.msg
        if record.levelno >= logging.WARNING:
            self.warnings += 1
            self.said[record.getMessage()[:200]] = self.said.get(record.getMessage()[:200], 0) + 1

    @contextmanager
    def counting(self) -> Iterator[Complaints]:
        """Count during the block."""
        log = logging.getLogger("facesecure.hub")
        before = log.level
        log.addHandler(self)
        log.setLevel(logging.INFO)
        try:
            yield self
        finally:
            log.removeHandler(self)
            log.setLevel(before)
