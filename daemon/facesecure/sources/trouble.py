"""What is wrong with a live source: said once for each cause, not with each attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from facesecure.errors import SourceError

log = logging.getLogger(__name__)


class TroubleLog:
    """Keeps the present trouble of the source called ``name``, logs changes, and passes them on."""

    def __init__(self, name: str, on_change: Callable[[SourceError | None], None] | None = None) -> None:
        self._name = name
        self._on_change = on_change
        self._since = 0.0
        self.current: SourceError | None = None

    def met(self, trouble: SourceError) -> None:
        """Another failure. A cause that is already known goes to the debug log only."""
        known, self.current = self.current, trouble
        if known is None:
            self._since = time.monotonic()
        if known is not None and known.message == trouble.message:
            log.debug("still: %s", trouble.message)
            return
        log.warning("%s (%s)", trouble.message, trouble.hint or "no hint", extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(trouble)

    def over(self) -> None:
        """Pictures come."""
        if self.current is None:
            return
        self.current = None
        log.info("%s is back after %.0f s", self._name, time.monotonic() - self._since, extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(None)
