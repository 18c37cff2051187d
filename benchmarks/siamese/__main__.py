"""Train the siamese DenseNet of the article of 2018 as well as it can be, each improvement a row of a table.

python -m benchmarks.siamese --out DIR [--data ../shared/data] [--only STAGE ...] [--seed 0] [--share 1.0]
    [--results training/results]

Stages: article, mining, data, classifier, classified, discriminant, distilled; and full and mirrored, run only if they
are named. Before them the faces are extracted, joined and divided by person, and margin, shape, learning rate and cycle
are searched on people of the validation. The best network is exported as float16 and int8 and measured beside the
bundled one.

All stages but full and mirrored take some five hours on two quiet cores, a third of it the distillation. Ctrl-C
stops at any time, and the same command continues; a stage that is done is not repeated. With --results, stages that are
not run are kept as an earlier run left them there, and the settings that it found are used; nothing is measured beside
the bundled network if the best of that run is better. --share 0.02 tries everything out in a few minutes of training.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import about, training_page
from benchmarks.siamese import faces
from benchmarks.siamese.document import CHARTS, added, document_of, same_people
from benchmarks.siamese.plan import FULL, MIRRORED, STAGES, USUAL, Budget, Clock
from benchmarks.siamese.stages import Bench
from benchmarks.siamese.table import page
from benchmarks.steps import Steps, copy_charts

PREPARATION = {"faces": 7.0, "search": 15.0}
"""Minutes before the stages, and ``MEASURING`` after them."""
MEASURING = 14.0
T = TypeVar("T")


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for, print the section of the page, and write it on request; Ctrl-C keeps what is done."""
    options = _options(words)
    try:
        _run(options, words)
    except KeyboardInterrupt:
        raise SystemExit("stopped: what is done is kept, and the same command continues") from None


def _run(options: argparse.Namespace, words: Sequence[str] | None) -> None:
    data, out = options.data.resolve(), options.out.resolve()
    earlier = training_page.read(options.results / "siamese.json") if options.results else None
    bench = Bench(Steps(out), data, Budget().scaled(options.share), options.seed)
    clock = _clock(options.only or USUAL)
    summary = _timed(clock, "faces", lambda: _faces(bench, options.seed))
    searched = _timed(clock, "search", lambda: _searched(bench, earlier)) if "search" in clock.left else None
    settings = searched["settings"] if searched else {}
    stages = {name: STAGES[name] for name in options.only or USUAL}
    found = {name: _timed(clock, name, partial(bench.stage, one, settings)) for name, one in stages.items()}
    best, validated = bench.best(found)
    better = earlier and same_people(earlier, summary) and earlier["door"]["validated"] > validated
    ends = None if better else _timed(clock, "measuring", lambda: bench.beside_bundled(found, best, validated))
    command = ["python", "-m", "benchmarks.siamese", *(sys.argv[1:] if words is None else words)]
    made = about.about(command, options.seed, data)
    document = added(earlier, document_of(found, ends, summary, searched, data, made))
    print("\n".join(page(document)))
    if options.results:
        charts = {name: out / path for name, (path, _) in CHARTS.items()}
        copy_charts({name: path for name, path in charts.items() if path.exists()}, options.results)
        training_page.write("siamese", document, options.results)


def _clock(chosen: Sequence[str]) -> Clock:
    """Return the clock of all that comes before, in and after the stages."""
    minutes = {name: STAGES[name].minutes for name in chosen}
    searched = any(STAGES[name].searched for name in chosen)
    before = PREPARATION if searched else {"faces": PREPARATION["faces"]}
    return Clock({**before, **minutes, "measuring": MEASURING})


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.siamese", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True, help="folder for all intermediate results")
    parser.add_argument(
        "--only", nargs="+", choices=tuple(STAGES), help=f"stages to run; all but {FULL} and {MIRRORED} by default"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="share of the epochs of every stage")
    parser.add_argument("--results", type=Path, help="folder for figures and charts: training/results")
    return parser.parse_args(words)


def _faces(bench: Bench, seed: int) -> dict[str, Any]:
    """Extract, join and divide the faces. Return the summary."""
    out = bench.steps.folder
    tested = partial(faces.tested_faces, bench.data, out / "cache" / "crops")
    return faces.join(bench.extract(), bench.data / "celeba-aligned", tested, out / "people", seed)


def _searched(bench: Bench, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the search found, in an earlier run whose results are there or now."""
    if earlier and earlier["search"] and not bench.has_searched:
        return dict(earlier["search"])
    return bench.search()


def _timed(clock: Clock, name: str, work: Callable[[], T]) -> T:
    print(f"{name}: about {clock.minutes:.0f} minutes left, on two quiet cores", file=sys.stderr, flush=True)
    began = time.monotonic()
    result = work()
    clock.done(name, (time.monotonic() - began) / 60)
    return result


if __name__ == "__main__":
    main()
