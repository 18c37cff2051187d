"""Look-alikes and namesakes: how often the bundled embedder takes one person for another who is most like them.

    python -m benchmarks.lookalikes --out build/report [--data ../shared/data] [--results training/results]

People with two photos are ranked by their first ones and tried by their second ones, at thresholds that other people
chose. The ranking is by the embedder itself, which is circular: it shows the worst that it can be, not what look-alikes
to human eyes would give; and by the bare pixels, which is not circular and nearly blind. Namesakes share a family name:
some are kin, most are not. The crops of ``benchmarks.report_2020`` in --out are used again. Two minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import training_page
from benchmarks.about import about, line
from benchmarks.classifiers import crops, embedding
from benchmarks.classifiers.manifest import Photos
from benchmarks.classifiers.people import shuffled
from benchmarks.classifiers.summary import rounded
from benchmarks.steps import Steps
from benchmarks.wording import compared, item, paragraph, percent, plain, table
from facesecure_training.datasets.near_duplicates import thumbnail
from facesecure_training.evaluation.bootstrap import paired
from facesecure_training.evaluation.rates import threshold_at

SEED = 0
RATES = (0.001, 0.0001)
MOST_ALIKE = (100, 1000)
SUFFIXES = frozenset({"Jr", "Sr", "II", "III"})
Pairs = NDArray[np.int64]
Matrix = NDArray[np.float64]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results on request."""
    options = arguments(__doc__, words)
    data, steps = options.data.resolve(), Steps(options.out)
    document = measure(*faces(steps, data / "lfw-dev/images"))
    document["about"] = about(["python", "-m", "benchmarks.lookalikes", *(words or sys.argv[1:])], SEED, data)
    if options.results:
        training_page.write("lookalikes", document, options.results)
    print("\n".join(page(document)))


def arguments(description: str | None, words: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line of a benchmark that reads the crops of ``benchmarks.report_2020``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds lfw-dev")
    parser.add_argument("--out", type=Path, required=True, help="the folder of benchmarks.report_2020, or an empty one")
    parser.add_argument("--results", type=Path, help="folder for the figures: training/results")
    return parser.parse_args(words)


def faces(steps: Steps, images: Path) -> tuple[Path, Photos, Mapping[str, embedding.Vectors]]:
    """Return the folder of aligned crops, each person's photos in it, and their embeddings."""
    photos = crops.extract(steps, images)
    aligned = steps.folder / "crops/aligned"
    return aligned, photos, embedding.embeddings(aligned, photos, steps.folder / "embeddings.npz")


def measure(aligned: Path, photos: Photos, vectors: Mapping[str, embedding.Vectors]) -> dict[str, Any]:
    """Return false accepts by kind of pair and rate; half of the people choose the thresholds."""
    several = shuffled(sorted(name for name, some in photos.items() if len(some) > 1), SEED)
    choosing, tested = several[: len(several) // 2], several[len(several) // 2 :]
    limits = {rate: threshold_at(_apart(_second_against_first(vectors, choosing)), rate) for rate in RATES}
    scores = _second_against_first(vectors, tested)
    first = np.stack([vectors[name][0] for name in tested]).astype(np.float64)
    seen = np.stack([thumbnail(crops.read(aligned / photos[name][0])) for name in tested]).astype(np.float64)
    kinds = {"any two people": _all(len(tested)), "one family name": namesakes(tested)}
    for count in MOST_ALIKE:
        kinds[f"the {count} most alike, by the embedder itself"] = _nearest(first @ first.T, count)
        kinds[f"the {count} most alike, by their pixels"] = _nearest(seen @ seen.T, count)
    return {
        "people": {"choosing": len(choosing), "tested": len(tested)},
        "kinds": {kind: _accepted(scores, pairs, limits) for kind, pairs in kinds.items() if len(pairs)},
    }


def namesakes(people: Sequence[str]) -> Pairs:
    """Return the pairs of ``people``, by number, who share the last word of their names."""
    families: defaultdict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(people):
        words = [word for word in name.split("_") if word not in SUFFIXES]
        if len(words) > 1:
            families[words[-1]].append(number)
    found = [pair for members in families.values() for pair in combinations(members, 2)]
    return np.array(found, np.int64).reshape(-1, 2)


def page(document: Mapping[str, Any]) -> list[str]:
    """Return the section, as lines of Markdown."""
    kinds, people = document["kinds"], document["people"]
    rows = [
        [kind, f"{one['pairs']}", *(percent(one["accepted"][str(rate)]) for rate in RATES)]
        for kind, one in kinds.items()
    ]
    head = ["pairs of two people", "number", *(f"taken for one, threshold for {rate:.2%}" for rate in RATES)]
    return [
        "## Look-alikes and namesakes",
        "",
        *paragraph(
            f"{people['tested']} people of LFW, by the bundled MobileFaceNet: ranked by their first photos, tried by",
            f"their second ones; {people['choosing']} others chose the thresholds. Ranked by the embedder itself, the",
            "test is circular: it is the worst case, not what look-alikes to human eyes would give. One family name is",
            "a weak sign of kinship: some are kin, others married or share a common name. Intervals are over people.",
        ),
        "",
        line(document["about"]),
        "",
        *table(head, rows),
        "",
        *(text for kind, one in list(kinds.items())[1:] for text in _worse(kind, one, kinds["any two people"])),
    ]


def _worse(kind: str, one: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    rate = str(RATES[0])
    accepted, common = one["accepted"][rate], usual["accepted"][rate]
    word = compared(accepted, common, "more often than", "less often than", "not surely more often than")
    return item(f"{kind}: taken for one {word} any two people ({plain(accepted)} against {plain(common)}).")


def _accepted(scores: Matrix, pairs: Pairs, limits: Mapping[float, float]) -> dict[str, Any]:
    both = np.concatenate([pairs, pairs[:, ::-1]])
    tried = scores[both[:, 0], both[:, 1]]
    few = 200 if len(both) > 100_000 else 2000
    shares = {rate: paired(both, (tried >= limit).astype(np.int64), replicates=few) for rate, limit in limits.items()}
    return {"pairs": len(pairs), "accepted": {str(rate): rounded(asdict(one)) for rate, one in shares.items()}}


def _second_against_first(vectors: Mapping[str, embedding.Vectors], people: Sequence[str]) -> Matrix:
    """Return the cosine of each person's first photo (rows) with each person's second (columns)."""
    first, second = (np.stack([vectors[name][place] for name in people]).astype(np.float64) for place in (0, 1))
    return np.asarray(first @ second.T, np.float64)


def _apart(scores: Matrix) -> Matrix:
    return np.asarray(scores[~np.eye(len(scores), dtype=bool)], np.float64)


def _all(count: int) -> Pairs:
    return np.stack(np.triu_indices(count, 1), axis=1).astype(np.int64)


def _nearest(alike: Matrix, count: int) -> Pairs:
    pairs = _all(len(alike))
    order = np.argsort(-alike[pairs[:, 0], pairs[:, 1]], kind="stable")
    return pairs[order[:count]]


if __name__ == "__main__":
    main()
