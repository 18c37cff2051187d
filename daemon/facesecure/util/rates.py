"""Rates of rare events: read them in the ways that people write them, and format them as one in so many."""

from __future__ import annotations

import re

HIGHEST = 0.5
"""The highest rate that is one: half of all strangers."""
_LAXEST, _STRICTEST = 1e-2, 1e-9
"""Rates of false accepts beyond which a warning is given."""
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|[\d.]+(?:e[-+]?\d+)?)"
_PART = re.compile(rf"({_NUMBER})\s*(?:/|:|\bin\b)\s*({_NUMBER})", re.IGNORECASE)
_SHARE = re.compile(rf"({_NUMBER})\s*(%?)", re.IGNORECASE)


def parse_rate(value: object) -> float:
    """Return the rate that ``value`` means: a number, or text such as 1/1000, 1 in 1,000, 0.001 or 0.1%.

    Raises ValueError unless it is above 0 and at most 0.5. Example::

        parse_rate("0.1%")  # 0.001
    """
    rate = _rate(value)
    if not 0 < rate <= HIGHEST:  # not-a-number is neither
        shown = repr(value)[:60]
        raise ValueError(f"must be a rate above 0 and up to {HIGHEST}, such as 1/1000, 0.001 or 0.1%, not {shown}")
    return rate


def _rate(value: object) -> float:
    if isinstance(value, int | float):
        return float(value) if 0 < value <= HIGHEST else -1.0  # a large integer is no float
    try:
        text = str(value).strip()
        if found := _PART.fullmatch(text):
            return _number(found[1]) / _number(found[2])
        if found := _SHARE.fullmatch(text):
            return _number(found[1]) / (100 if found[2] else 1)
    except (ValueError, ZeroDivisionError):
        pass
    return -1.0


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def false_accept_warning(rate: float) -> str:
    """Return why this rate of false accepts makes no sense for a door; empty if it does."""
    if rate > _LAXEST:
        return f"1 stranger in {1 / rate:,.3g} is let in as one of you; {one_in(_LAXEST)} is lax already"
    if rate < _STRICTEST:
        return f"a rate below {one_in(_STRICTEST)} cannot be told apart from it, and you will often be missed"
    return ""


def one_in(chance: float) -> str:
    """Format ``chance`` as 1 in 40,000."""
    return f"1 in {number(chance)}"


def number(chance: float) -> str:
    """Return how many strangers there are to one accepted, to two figures and up to 1,000,000,000."""
    return f"{times(chance):,}"


def times(chance: float) -> int:
    """Return the number of ``number``."""
    return int(float(f"{1 / max(chance, 1e-9):.2g}"))
