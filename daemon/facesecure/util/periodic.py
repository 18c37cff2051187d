"""Something done again and again by a thread of its own, until it is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable


class PeriodicTask:
    """A thread that calls ``turn`` every so many seconds, from ``start`` until ``end``. To be started once, or never.

    What ``turn`` raises ends the thread: who must not miss the next turn says so there.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], object],
        every: float,
        *,
        first: float | None = None,
        patience: float = 1.0,
    ) -> None:
        """``first``: seconds before the first turn, if they are not ``every``.

        ``patience``: seconds that a turn under way is waited for at the end; one that hangs is left behind.
        """
        self._turn, self._every, self._patience = turn, every, patience
        self._first = every if first is None else first
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No turn begins after this. Never started, or asked for in a turn: nothing is waited for."""
        self._ending.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(self._patience)

    def _run(self) -> None:
        pause = self._first
        while not self._ending.wait(pause):
            self._turn()
            pause = self._every
