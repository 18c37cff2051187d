"""Round a value and the limit that it misses so that the two never read the same."""

from __future__ import annotations

_MOST_DECIMALS = 9


def apart(value: float, limit: float, decimals: int, kind: str = "f") -> tuple[str, str]:
    """Return both numbers with ``decimals``, or with as many more as it takes to tell them apart.

    ``kind`` is the format: f, % for shares, or g, whose decimals are significant figures. Example::

        apart(0.5004, 0.5, 2)  # ("0.5004", "0.5000")
    """
    for places in range(decimals, _MOST_DECIMALS):
        texts = f"{value:.{places}{kind}}", f"{limit:.{places}{kind}}"
        if texts[0] != texts[1]:
            return texts
    return f"{value:.{decimals}{kind}}", f"{limit:.{decimals}{kind}}"
