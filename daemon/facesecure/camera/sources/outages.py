"""Log the outages of a live source: each cause once, a connection that drops again and again once, and the end.

An outage is over when the stream has held for a while, so that a loose cable makes one outage and not twenty.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from facesecure.domain.errors import SourceError

log = logging.getLogger(__name__)

OnTrouble = Callable[[SourceError | None], None]
"""Receives the error of an outage when it begins or has a new cause, and None when it is over."""

HOLDS = 5.0
"""Seconds for which a stream must hold until its outage is over."""
MOST_HOLDS = 60.0
"""The same after several losses: three times what the longest of the short streams lasted, up to this."""
_RECENT = 600.0
"""Seconds for which a loss counts as a recent one."""
_MAX_LOSSES = 500
_MAX_CAUSES = 8
"""Causes that are logged for one outage: a camera may word each answer differently."""
_SUMMARY_EVERY = 1800.0


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage that is not over: since when (``time.monotonic()``), its losses, and the latest error.

    ``dropping`` is True if the stream came again and was lost again, several times: frames come now and then.
    """

    since: float
    error: SourceError
    losses: int = 1
    dropping: bool = False
    causes: frozenset[str] = field(default_factory=frozenset)


class OutageLog:
    """Holds the outage of a live source, logs what is new about it, and reports its beginning and end.

    ``current`` is the error that keeps frames from coming, None while they come; ``outage`` lasts until the stream
    has held for a while. Example::

        outages = OutageLog("rtsp://porch")
        outages.failed(SourceLost("rtsp://porch ended its stream"))
        outages.frame_came()  # and with every frame from then on
    """

    def __init__(
        self, name: str, on_change: OnTrouble | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``name`` is for the log; ``on_change`` is called with each new error, and with None when it is over."""
        self._name = name
        self._on_change = on_change
        self._clock = clock
        self._came: float | None = None
        self._losses: list[tuple[float, float]] = []
        self._summary_due = 0.0
        self.current: SourceError | None = None
        self.outage: Outage | None = None

    def failed(self, trouble: SourceError) -> None:
        """Record a failure. A cause that is known of this outage goes to the debug log only."""
        now, lost = self._clock(), self._came is not None
        if lost:
            self._lost(now)
        before = self.outage
        outage = replace(before, error=trouble) if before else Outage(now, trouble)
        if before and lost:
            outage = replace(outage, losses=before.losses + 1)
        new = trouble.message not in outage.causes and len(outage.causes) < _MAX_CAUSES
        self.current = trouble
        self.outage = replace(
            outage,
            causes=outage.causes | {trouble.message} if new else outage.causes,
            dropping=outage.dropping or outage.losses > 2,
        )
        self._log_failure(trouble, new)
        self._log_dropping(now, begins=self.outage.dropping and not outage.dropping)

    def frame_came(self) -> None:
        """Record a frame. An outage is over when the stream has held for a while."""
        if self.outage is None and self._came is not None:
            return
        now = self._clock()
        if self._came is None:
            self._came, self.current = now, None
        if self.outage is not None and now - self._came >= self._holds():
            self._over(self.outage, self._came)

    @property
    def steady(self) -> bool:
        """Whether frames come and no outage is left."""
        return self.outage is None and self._came is not None

    def _lost(self, now: float) -> None:
        assert self._came is not None
        recent = [loss for loss in self._losses if now - loss[0] < _RECENT][-_MAX_LOSSES:]
        self._losses, self._came = [*recent, (now, now - self._came)], None

    def _holds(self) -> float:
        """Return the seconds for which the stream must hold now."""
        if len(self._losses) < 2:
            return HOLDS
        longest = max((lasted for _, lasted in self._losses if lasted < MOST_HOLDS), default=0.0)
        return min(max(HOLDS, 3 * longest), MOST_HOLDS)

    def _over(self, outage: Outage, came: float) -> None:
        self.outage = None
        lost = f", and was lost {outage.losses} times meanwhile" if outage.losses > 1 else ""
        log.info("%s is back after %.0f s%s", self._name, came - outage.since, lost, extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(None)

    def _log_failure(self, trouble: SourceError, new: bool) -> None:
        if not new:
            log.debug("still failing: %s", trouble.message)
            return
        log.warning("%s (%s)", trouble.message, trouble.hint or "no hint", extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(trouble)

    def _log_dropping(self, now: float, begins: bool) -> None:
        outage = self.outage
        if outage is None or not outage.dropping or not (begins or now >= self._summary_due):
            return
        self._summary_due = now + _SUMMARY_EVERY
        log.warning(
            "%s %s: lost %d times in %.0f s; the next losses are summed up (check its power and its network)",
            self._name,
            "drops again and again" if begins else "still drops again and again",
            outage.losses,
            now - outage.since,
            extra={"source": self._name},
        )
