"""The list of every photo of one experiment: the part it is in, its class, its person. It refuses what leaks.

A leak is a person of the test who was learnt or chose anything (a named person's own photos apart, which are divided),
or one photo, or two photos that nearly repeat each other, in two parts.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.classifiers.people import Division, shuffled
from facesecure.domain.errors import UsageError
from facesecure_training.datasets.near_duplicates import Thumb, near_duplicates
from facesecure_training.datasets.splitting import divide

UNKNOWN = "unknown"
OWN_PARTS = {"train": 0.5, "validation": 0.2, "test": 0.3}
MOST_OWN, MOST_OTHERS = 60, 4
"""Photos used of a person of the household, and of anybody else."""
STRANGERS = ("validation-strangers", "strangers")
SIMILARITY = 0.95
"""As ``dataset extract`` drops near-duplicates."""

Photos = Mapping[str, Sequence[str]]
"""The photos of each person, as paths below the folder of crops."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One photo: its ``part``, its class there (``label``), its ``person`` and its path."""

    part: str
    label: str
    person: str
    photo: str


class Leak(UsageError):
    """Two parts share what they must not share."""


def household_manifest(
    photos: Photos, members: Sequence[str], others: Sequence[str], strangers: Mapping[str, Sequence[str]], seed: int
) -> list[Entry]:
    """Return the manifest of a household: photos of ``members`` and ``others`` divided, ``strangers`` by part whole."""
    own = [entry for name in members for entry in _member(photos[name], name, seed)]
    rest = list(_others(photos, others, seed))
    outside = [
        Entry(part, name, name, photo)
        for part, names in strangers.items()
        for name in names
        for photo in photos[name][:MOST_OTHERS]
    ]
    entries = [*own, *rest, *outside]
    require_no_leak(entries)
    return entries


def search_manifest(photos: Photos, division: Division, others: int, seed: int) -> list[Entry]:
    """Return what the search trains and validates on; it has no test."""
    members, rest = division.searching, division.search_others[:others]
    return household_manifest(photos, members, rest, {}, seed)


def manifest_of(photos: Photos, division: Division, household: int, others: int) -> list[Entry]:
    """Return the manifest of ``household`` (its number is its seed) against ``others`` other people."""
    order = shuffled(division.others, household)
    if len(order) < others:
        raise UsageError(f"{others} other people were asked for, and there are {len(order)}", "ask for fewer")
    strangers = dict(zip(STRANGERS, (division.validation_strangers, division.strangers), strict=True))
    entries = household_manifest(photos, division.households[household], order[:others], strangers, household)
    require_apart(search_manifest(photos, division, len(division.search_others), household), entries)
    return entries


def require_no_leak(entries: Iterable[Entry]) -> None:
    """Raise Leak if a stranger is in another part too, or a photo is in two parts."""
    parts_of_people, parts_of_photos = defaultdict(set), defaultdict(set)
    for entry in entries:
        parts_of_people[entry.person].add(entry.part)
        parts_of_photos[entry.photo].add(entry.part)
    for person, parts in parts_of_people.items():
        if len(parts) > 1 and parts & set(STRANGERS):
            raise Leak(f"{person} is in {' and '.join(sorted(parts))}", "divide whole people")
    for photo, parts in parts_of_photos.items():
        if len(parts) > 1:
            raise Leak(f"{photo} is in {' and '.join(sorted(parts))}", "each photo belongs to one part")


def require_apart(chosen_on: Iterable[Entry], entries: Iterable[Entry]) -> None:
    """Raise Leak if a person of ``entries`` chose the settings."""
    shared = {entry.person for entry in chosen_on} & {entry.person for entry in entries}
    if shared:
        raise Leak(f"{', '.join(sorted(shared)[:3])} chose the settings and would be tested", "divide whole people")


def without_repeats(thumbs: Mapping[str, Thumb], similarity: float = SIMILARITY) -> list[str]:
    """Return the photos of ``thumbs`` in their order, without those that nearly repeat an earlier one."""
    names = list(thumbs)
    repeats = set(near_duplicates(np.stack([thumbs[name] for name in names]), similarity)) if names else set()
    return [name for number, name in enumerate(names) if number not in repeats]


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Write ``entries`` as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, ["part", "label", "person", "photo"], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(entry) for entry in entries)


def read(path: Path) -> list[Entry]:
    """Return the entries that ``write`` wrote."""
    with path.open(newline="") as file:
        return [Entry(**row) for row in csv.DictReader(file)]


def _member(own: Sequence[str], name: str, seed: int) -> Iterable[Entry]:
    some = shuffled(own, seed)[:MOST_OWN]
    for part, photos in divide(dict.fromkeys(some, 1), OWN_PARTS, seed, name).items():
        yield from (Entry(part, name, name, photo) for photo in photos)


def _others(photos: Photos, others: Sequence[str], seed: int) -> Iterable[Entry]:
    """Yield one photo of each to learn; further ones are for test and validation in turn."""
    further = 0
    for name in others:
        for number, photo in enumerate(shuffled(photos[name], seed)[:MOST_OTHERS]):
            part = "train" if number == 0 else ("test", "validation")[further % 2]
            further += number > 0
            yield Entry(part, UNKNOWN, name, photo)
