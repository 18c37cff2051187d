"""Merge what two doors made of one person: what both started from tells who changed what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What the doors share of a person, without the pictures. ``faces`` are their ids, ``named_at`` is the hub's time.

    ``doors`` may know the person; None: all of the household.
    """

    name: str
    named_at: float
    faces: frozenset[str]
    doors: frozenset[str] | None = None


def merged(base: Facts | None, here: Facts, there: Facts) -> Facts:
    """Return what a person becomes who was ``base`` at both doors, and is ``here`` and ``there`` now.

    ``base`` is None where both knew the person before they knew of each other. Faces that either added are kept, those
    that either removed go; of two new names the newer counts, of two lists of doors the one ``here``.

    Example::

        merged(None, Facts("Anna", 1, frozenset("ab")), Facts("anna", 2, frozenset("bc")))  # "anna", a, b and c
    """
    before = base.faces if base else frozenset()
    faces = (there.faces | (here.faces - before)) - (before - here.faces)
    name, named_at = _newer_name(base, here, there)
    doors = there.doors if base is None or here.doors == base.doors else here.doors
    return Facts(name, named_at, faces or there.faces, doors)


def _newer_name(base: Facts | None, here: Facts, there: Facts) -> tuple[str, float]:
    changed_here = base is not None and here.name != base.name
    changed_there = base is None or there.name != base.name
    if changed_here and (not changed_there or here.named_at > there.named_at):
        return here.name, here.named_at
    return there.name, there.named_at
