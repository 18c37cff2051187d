"""How long something has been so."""

from __future__ import annotations


class Lasting:
    """For how long a condition has held without a break. Times are seconds on one clock that never goes back."""

    def __init__(self) -> None:
        self._since: float | None = None

    def note(self, holds: bool, at: float) -> float:
        """Seconds for which it has held by now; 0 where it does not, or does so only now."""
        if not holds:
            self._since = None
        elif self._since is None:
            self._since = at
        return 0.0 if self._since is None else at - self._since
