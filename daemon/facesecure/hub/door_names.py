"""Names of doors: which one somebody means, and which name is free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, count

from facesecure.domain.errors import UsageError, did_you_mean
from facesecure.domain.names import LONGEST_NAME, name_key, same_name
from facesecure.hub.identity import Certificate

_STEM = LONGEST_NAME - len(" 999")
"""How many characters of a name are kept before a number."""


def door_called(word: str, doors: Sequence[Certificate]) -> Certificate:
    """Return the one of ``doors`` whose identifier is ``word``, or else the one with that name.

    Raises UsageError if there is none, or if several have the name: which of them is meant, only an identifier says.
    """
    found = [door for door in doors if door.door == word] or [door for door in doors if same_name(word, door.name)]
    if not found:
        names = {door.name: door for door in doors}
        raise UsageError(
            f"there is no door {word!r}", did_you_mean(word, names) or f"the doors are: {', '.join(names)}"
        )
    if len(found) > 1:
        ids = ", ".join(door.door for door in found)
        raise UsageError(f"{len(found)} doors are called {found[0].name!r}", f"give the id of one of them: {ids}")
    return found[0]


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return ``wanted``, or if that is ``taken``, the same with the first number that is free: "garage 2"."""
    keys = {name_key(name) for name in taken}
    numbered = (f"{wanted[:_STEM].rstrip()} {number}" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name_key(name) not in keys)
