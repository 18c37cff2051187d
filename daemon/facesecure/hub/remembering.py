"""What the hub answered before, while it would answer the same: so that a door that is woken asks only what is new."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 64


class Remembering:
    """Answers by their questions, and how often each table had changed for this door (``counts``) at the last look.

    Without counts everything is asked. Several threads may use it: a wrong answer lasts until the next look at most.

    Example::

        remembering.counts = {"records": 4}
        remembering.answer("mode", ["records"], ask)  # asks
        remembering.answer("mode", ["records"], ask)  # does not
    """

    def __init__(self) -> None:
        self.counts: Mapping[str, int] | None = None
        self._answers: dict[Hashable, tuple[tuple[int, ...], Any]] = {}

    def answer(self, question: Hashable, tables: Sequence[str], ask: Callable[[], T], *, only_nothing: bool) -> T:
        """Return what ``ask`` returned for ``question`` before, if nothing in ``tables`` has changed; otherwise ask.

        ``only_nothing``: remember only that there was nothing, as the rest is large.
        """
        counts = self.counts
        if counts is None:
            return ask()
        stamp = tuple(counts[table] for table in tables)
        before = self._answers.get(question)
        if before is not None and before[0] == stamp:
            known: T = before[1]
            return known
        answer = ask()
        if self.counts is counts and not (only_nothing and answer):
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[question] = stamp, answer
        return answer

    def forget(self) -> None:
        """Ask everything anew: this door is about to write."""
        self._answers.clear()
