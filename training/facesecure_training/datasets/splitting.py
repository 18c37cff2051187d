"""Splits groups, such as a video's frames or a person's photos, into parts that share no group."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from facesecure.domain.errors import UsageError

FRACTIONS: Mapping[str, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}


def divide(sizes: Mapping[str, int], fractions: Mapping[str, float], seed: int, salt: str = "") -> dict[str, list[str]]:
    """Return each part's groups, drawn at random; ``sizes`` is the number of files of each group.

    Every part gets one group while there are enough, the largest part first; then each group goes to the part that
    lacks most. ``salt`` makes draws with one seed independent. Raises UsageError if the fractions do not add up to 1.
    """
    wanted = shares(fractions)
    total = sum(sizes.values())
    missing = {part: share * total for part, share in wanted.items()}
    parts: dict[str, list[str]] = {part: [] for part in fractions}
    unserved = sorted(wanted, key=lambda part: -wanted[part])
    for group in _shuffled(sorted(sizes), seed, salt):
        part = unserved.pop(0) if unserved else max(missing, key=lambda part: missing[part])
        parts[part].append(group)
        missing[part] -= sizes[group]
    return {part: sorted(groups) for part, groups in parts.items()}


def shares(fractions: Mapping[str, float]) -> dict[str, float]:
    """Return the parts with a share above 0, and their shares.

    Raises UsageError if the fractions do not add up to 1.
    """
    if not fractions or min(fractions.values()) < 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise UsageError(
            f"the fractions {dict(fractions)} do not add up to 1",
            "use, for example, train 0.7, validation 0.15, test 0.15",
        )
    return {part: share for part, share in fractions.items() if share > 0}


def _shuffled(names: list[str], seed: int, salt: str) -> list[str]:
    order = np.random.default_rng([seed, zlib.crc32(salt.encode())]).permutation(len(names))
    return [names[index] for index in order]
