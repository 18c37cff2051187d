"""Words for measured shares, so that no sentence of a page can contradict its figures."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 120
Share = Mapping[str, Any]
"""``value``, ``low`` and ``high``, 0 to 1: a Share or an Interval of ``facesecure_training.evaluation``."""


def percent(share: Share) -> str:
    """Return a share with its interval: "12.3 % (10.0 to 14.9)"."""
    return f"{_figure(share['value'])} % ({_figure(share['low'])} to {_figure(share['high'])})"


def plain(share: Share) -> str:
    """Return a share without its interval: "12.3 %"."""
    return f"{_figure(share['value'])} %"


def _figure(value: float) -> str:
    places = 2 if 0 < value < 0.01 else 1
    return f"{100 * value:.{places}f}"


def differs(one: Share, other: Share) -> int:
    """Return 1 if ``one`` is surely above ``other``, -1 if below, 0 if their intervals overlap."""
    return int(one["low"] > other["high"]) - int(one["high"] < other["low"])


def compared(one: Share, other: Share, more: str, fewer: str, alike: str) -> str:
    """Return ``more``, ``fewer``, or ``alike`` where the intervals of ``one`` and ``other`` overlap."""
    return {1: more, -1: fewer, 0: alike}[differs(one, other)]


def one_in(share: float) -> str:
    """Return a share as "one in N", "none" or "every one"."""
    if share <= 0:
        return "none"
    return "nearly every one" if share > 0.75 else f"one in {max(2, round(1 / share))}"


def listing(words: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def paragraph(*sentences: str) -> list[str]:
    """Return the sentences as one paragraph, wrapped as the docs are."""
    return textwrap.wrap(" ".join(sentences), WIDTH, break_long_words=False, break_on_hyphens=False)


def item(*sentences: str) -> list[str]:
    """Return the sentences as one item of a list, wrapped."""
    text = f"- {' '.join(sentences)}"
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
