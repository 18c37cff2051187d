"""Splits groups, such as a video's frames or a person's photos, into parts that share no group."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError

FRACTIONS: Mapping[str, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}


def divide(sizes: Mapping[str, int], fractions: Mapping[str, float], seed: int, salt: str = "") -> dict[str, list[str]]:
    """Return each part's groups, drawn at random; ``sizes`` is the number of files of each group.

    Every part gets one group while there are enough, the largest part first; then each group goes to the part that
    lacks most. ``salt`` makes draws with one seed independent. Raises UsageError if the fractions do not add up to 1.
    """
    names = sorted(sizes)
    parts = assigned(np.array([sizes[name] for name in names], np.int64), fractions, seed, salt)
    return {part: [names[rank] for rank in np.flatnonzero(parts == place)] for place, part in enumerate(fractions)}


def assigned(sizes: NDArray[np.int64], fractions: Mapping[str, float], seed: int, salt: str = "") -> NDArray[np.int8]:
    """Return the place in ``fractions`` of each group's part, as ``divide`` does for groups sorted by their names."""
    wanted, places = shares(fractions), {part: place for place, part in enumerate(fractions)}
    total = int(sizes.sum())
    missing = {part: share * total for part, share in wanted.items()}
    unserved = sorted(wanted, key=lambda part: -wanted[part])
    found = np.empty(len(sizes), np.int8)
    for rank in np.random.default_rng([seed, zlib.crc32(salt.encode())]).permutation(len(sizes)):
        part = unserved.pop(0) if unserved else max(missing, key=lambda part: missing[part])
        found[rank] = places[part]
        missing[part] -= int(sizes[rank])
    return found


def shares(fractions: Mapping[str, float]) -> dict[str, float]:
    """Return the parts with a share above 0, and their shares.

    Raises UsageError if the fractions do not add up to 1.
    """
    if not (fractions and min(fractions.values()) >= 0 and abs(sum(fractions.values()) - 1) <= 1e-6):  # nor nan
        raise UsageError(
            f"the fractions {dict(fractions)} do not add up to 1",
            "use, for example, train 0.7, validation 0.15, test 0.15",
        )
    return {part: share for part, share in fractions.items() if share > 0}
