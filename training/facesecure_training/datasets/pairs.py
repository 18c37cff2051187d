"""Pairs of images of the same person or of two, for training and testing verification.

Half of the pairs are of each kind, and no person is in two parts (train, validation, test).
"""

from __future__ import annotations

import csv
import io
import logging
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure.util.files import replace_file
from facesecure.util.paths import readable
from facesecure_training.common.disk_errors import writing
from facesecure_training.datasets.catalogue import Catalogue, SourcedImage
from facesecure_training.datasets.people import People, Ranked, Sorted
from facesecure_training.datasets.splitting import assigned

log = logging.getLogger(__name__)

_MAX_PAIRED = 200
"""Images of one person that are paired with each other at most: 19,900 pairs."""

Couple = tuple[Path, Path]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images; ``different`` is 0 for the same person and 1 for two people."""

    first: Path
    second: Path
    different: int

    def __post_init__(self) -> None:
        if self.different not in (0, 1):
            raise ValueError(f"a pair is the same person (0) or another (1), not {self.different}")


def pairs_of(people: People, count: int, fractions: Mapping[str, float], seed: int) -> dict[str, list[Pair]]:
    """Return about ``count`` pairs in all; each part's share is drawn from people of its own, by ``seed``.

    A part whose share is less than two pairs has none. Raises FacesecureError if another part has fewer than two
    people, or no person with two images.
    """
    ranked = people if isinstance(people, Catalogue) else Sorted(people)
    parts = assigned(ranked.sizes(), fractions, seed)
    return {
        part: _balanced(_Crowd(ranked, np.flatnonzero(parts == place)), round(count * fractions[part]), part, seed)
        for place, part in enumerate(fractions)
    }


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The people of one part: their places among all, in the order of their names."""

    people: Ranked
    ranks: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ranks)

    def name(self, place: int) -> str:
        return self.people.ranked(int(self.ranks[place]))[0]

    def shots(self, place: int) -> Sequence[SourcedImage]:
        return self.people.ranked(int(self.ranks[place]))[1]


def _balanced(crowd: _Crowd, count: int, part: str, seed: int) -> list[Pair]:
    """Return as many pairs of the same person as of two people, shuffled; none if ``count`` is not enough for both."""
    if count < 2:
        return []
    rng = np.random.default_rng([seed, len(crowd)])
    same = list(islice(_same(crowd, rng, seed), count // 2))
    if len(crowd) < 2 or not same:
        raise FacesecureError(
            f"{part} gets {len(crowd)} of the people, too few to make pairs of",
            "give it a larger share, or add people; at least one of them with two images",
        )
    other = _different(crowd, len(same), rng)
    found = min(len(same), len(other))
    if found < count // 2:
        log.warning("%s: only %d pairs, where %d are asked for: its people do not make more", part, 2 * found, count)
    pairs = [Pair(*couple, 0) for couple in same[:found]] + [Pair(*couple, 1) for couple in other[:found]]
    return [pairs[index] for index in rng.permutation(len(pairs))]


def _same(crowd: _Crowd, rng: np.random.Generator, seed: int) -> Iterator[Couple]:
    """Yield pairs of the same person, one per person in turn.

    People with many images thus do not outweigh the others. Of a person only what is needed is read: few pairs of very
    many people need little memory.
    """
    order: Iterable[int] = map(int, rng.permutation(len(crowd)))
    drawn: dict[int, NDArray[np.uint32]] = {}
    while True:
        left = []
        for place in order:
            shots = crowd.shots(place)
            if place not in drawn:
                drawn[place] = _couples_of(shots, np.random.default_rng([seed, zlib.crc32(crowd.name(place).encode())]))
            couples = drawn[place]
            if len(couples):
                first, second = couples[0].tolist()
                yield shots[first].path, shots[second].path
                drawn[place] = couples[1:]
                left.append(place)
        if not left:
            return
        order = left


def _couples_of(shots: Sequence[SourcedImage], rng: np.random.Generator) -> NDArray[np.uint32]:
    """Return pairs of one person's images, (n, 2) places; of one video only if there are no images from elsewhere."""
    chosen = np.sort(rng.choice(len(shots), min(_MAX_PAIRED, len(shots)), replace=False))
    sources = [shots[int(index)] for index in chosen]
    first, second = np.triu_indices(len(chosen), 1)
    apart = np.array(
        [sources[a].from_other_source_than(sources[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True)],
        bool,
    )
    if apart.any():
        first, second = first[apart], second[apart]
    shuffled = rng.permutation(len(first))
    return np.stack([chosen[first[shuffled]], chosen[second[shuffled]]], 1).astype(np.uint32)


def _different(crowd: _Crowd, count: int, rng: np.random.Generator) -> list[Couple]:
    """Return distinct pairs of two people; every person is drawn with equal chance, however many images they have."""
    found: dict[Couple, None] = {}
    for _ in range(20 * count):
        if len(found) == count:
            break
        couple = [crowd.shots(int(place)) for place in rng.choice(len(crowd), 2, replace=False)]
        first, second = sorted(shots[int(rng.integers(len(shots)))].path for shots in couple)
        found[first, second] = None
    return list(found)


def write(path: Path, pairs: Sequence[Pair], images: Path) -> None:
    """Write pairs as CSV or Parquet, by the suffix of ``path``, in one step.

    The columns are first and second (paths below ``images``) and different (0 or 1). Bytes of a path that are not UTF-8
    are escaped, and understood by ``read``. Raises FacesecureError, and leaves the file as it was, if it cannot be
    written.
    """
    content = _parquet(pairs, images) if path.suffix == ".parquet" else _csv(pairs, images)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)


def _rows(pairs: Sequence[Pair], images: Path) -> Iterator[tuple[str, str, int]]:
    for pair in pairs:
        first, second = (readable(one.relative_to(images).as_posix()) for one in (pair.first, pair.second))
        yield first, second, pair.different


def _csv(pairs: Sequence[Pair], images: Path) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("first", "second", "different"))
    writer.writerows(_rows(pairs, images))
    return text.getvalue().encode()


def _parquet(pairs: Sequence[Pair], images: Path) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    form = pa.schema([("first", pa.string()), ("second", pa.string()), ("different", pa.int8())])
    rows = list(_rows(pairs, images))
    columns = [[row[place] for row in rows] for place in range(3)]
    content = io.BytesIO()
    parquet.write_table(pa.table(columns, schema=form), content)
    return content.getvalue()
