"""Pairs of pictures, of one person or of two, to learn likeness from and to test it on.

As many of the one kind as of the other, and nobody who is in one part (train, validation, test) is in another.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from pathlib import Path

import numpy as np

from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.people import People, SourcedImage
from facesecure_training.datasets.splitting import divide

log = logging.getLogger(__name__)

_ENOUGH = 200
"""Pictures of one person that are paired with each other: 19,900 pairs."""

Couple = tuple[Path, Path]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures; ``different`` is 0 for the same person and 1 for two."""

    first: Path
    second: Path
    different: int

    def __post_init__(self) -> None:
        if self.different not in (0, 1):
            raise ValueError(f"a pair is the same person (0) or another (1), not {self.different}")


def pairs_of(people: People, count: int, fractions: Mapping[str, float], seed: int) -> dict[str, list[Pair]]:
    """About ``count`` pairs in all, each part's share of them drawn from people of its own, by ``seed``.

    Raises FacesecureError if a part has no two people, or nobody with two pictures.
    """
    sizes = {name: len(shots) for name, shots in people.items()}
    parts = divide(sizes, fractions, seed)
    return {
        part: _balanced({name: people[name] for name in names}, round(count * fractions[part]), part, seed)
        for part, names in parts.items()
    }


def _balanced(people: People, count: int, part: str, seed: int) -> list[Pair]:
    """As many of one person as of two, in an order that mixes them."""
    if not count:
        return []
    rng = np.random.default_rng([seed, len(people)])
    same = _first(_same(people, rng), count // 2)
    if len(people) < 2 or not same:
        raise FacesecureError(
            f"{part} gets {len(people)} of the people, too few to make pairs of",
            "give it a larger share, or add people; at least one of them with two pictures",
        )
    other = _different(people, len(same), rng)
    found = min(len(same), len(other))
    if found < count // 2:
        log.warning("%s: only %d pairs, where %d are asked for: its people have no more", part, 2 * found, count)
    pairs = [Pair(*couple, 0) for couple in same[:found]] + [Pair(*couple, 1) for couple in other[:found]]
    return [pairs[index] for index in rng.permutation(len(pairs))]


def _first(couples: Iterator[Couple], count: int) -> list[Couple]:
    return [couple for couple, _ in zip(couples, range(count), strict=False)]


def _same(people: People, rng: np.random.Generator) -> Iterator[Couple]:
    """Pairs of one person, one of everybody in turn, so that those with many pictures do not outweigh the others."""
    names = sorted(people)
    order = [names[index] for index in rng.permutation(len(names))]
    columns = [_couples_of(people[name], rng) for name in order]
    for row in zip_longest(*columns):
        yield from (couple for couple in row if couple is not None)


def _couples_of(shots: Sequence[SourcedImage], rng: np.random.Generator) -> list[Couple]:
    """Two shots of one person each; never of one video if there are pictures from elsewhere."""
    chosen = [shots[index] for index in sorted(rng.choice(len(shots), min(_ENOUGH, len(shots)), replace=False))]
    every = list(combinations(chosen, 2))
    apart = [(a, b) for a, b in every if a.from_other_source_than(b)] or every
    return [(apart[index][0].path, apart[index][1].path) for index in rng.permutation(len(apart))]


def _different(people: People, count: int, rng: np.random.Generator) -> list[Couple]:
    """Pairs of two people, each drawn with equal chance whoever has how many pictures; none twice."""
    names = sorted(people)
    found: dict[Couple, None] = {}
    for _ in range(20 * count):
        if len(found) == count:
            break
        couple = [people[names[index]] for index in rng.choice(len(names), 2, replace=False)]
        first, second = sorted(shots[int(rng.integers(len(shots)))].path for shots in couple)
        found[first, second] = None
    return list(found)


def write(path: Path, pairs: Sequence[Pair], images: Path) -> None:
    """As CSV or Parquet, by the name: columns first, second (paths below ``images``) and different (0 or 1)."""
    names = [[picture.relative_to(images).as_posix() for picture in (pair.first, pair.second)] for pair in pairs]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as parquet

        columns = [[first for first, _ in names], [second for _, second in names], [pair.different for pair in pairs]]
        form = pa.schema([("first", pa.string()), ("second", pa.string()), ("different", pa.int8())])
        parquet.write_table(pa.table(columns, schema=form), path)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("first", "second", "different"))
        writer.writerows((*name, pair.different) for name, pair in zip(names, pairs, strict=True))


def read(path: Path, images: Path) -> list[Pair]:
    """What ``write`` wrote. Raises FacesecureError if it is no such file."""
    import pyarrow as pa
    import pyarrow.csv as tables
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else tables.read_csv(path)
        columns = [table[name].to_pylist() for name in ("first", "second", "different")]
        return [
            Pair(images / str(first), images / str(second), same) for first, second, same in zip(*columns, strict=True)
        ]
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise FacesecureError(
            f"{path} is no list of pairs ({str(error).splitlines()[0]})",
            "it needs the columns first, second and different; `facesecure-train dataset pairs` writes it",
        ) from None
