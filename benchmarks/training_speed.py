"""Compare the speed of training with that of an earlier commit, side by side in one run.

python -m benchmarks.training_speed FACES [--before COMMIT] [--pictures 2560] [--rounds 3]
    [--only NETWORK | --results training/results]

FACES is a class folder of aligned faces, as ``facesecure-train dataset extract`` makes it. ``compact --kind cnn`` and
``siamese-densenet`` are trained with their own recipes and default augmentation, whole steps with loading and
optimiser: in a checkout of the earlier commit, in this one, in this one with decoded images kept on disk (--cache), in
bfloat16 besides (--mixed-precision), which gains where the processor computes in it (AVX-512 BF16, AMX), and with each
batch in as many parts as there are cores (--replicas).
The five take turns, round by round, each in a process of its own, so that other work on the machine slows all alike.
Timing begins when the network is traced and the cache is filled. Printed are the medians, of the clock and of the
processor's time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

BEFORE = "a1293f3"
"""The last commit with Keras' batch normalisation, and with images changed by TensorFlow one by one."""
ROOT = Path(__file__).resolve().parents[1]
WARM = 8
MEASURES = ("of the clock", "of the processor")
KINDS: dict[str, dict[str, Any]] = {
    "compact": {"kind": "cnn", "size": 112, "augment": "aligned"},
    "siamese-densenet": {"size": 64, "augment": "aligned"},
}
WAYS = {
    "before": "",
    "now": "now",
    "with cache": "now, with decoded images on disk",
    "mixed": "now, with these and in bfloat16",
    "replicas": "now, with all that and a part of each batch on each core",
}
IMAGES_OF_EXAMPLE = {"compact": 1, "siamese-densenet": 2}
"""An example of the siamese network is a pair."""


def main() -> None:
    """Print images a second, before and now, and write them on request."""
    options = _options()
    if options.measure:
        print(json.dumps(_measured(options)))
        return
    from benchmarks import about, training_page

    made = about.about(["python", "-m", "benchmarks.training_speed", *sys.argv[1:]], 0)
    document = {"about": made, "before": options.before, "rates": _compared(options)}
    print("\n".join(page(document)))
    if options.results:
        training_page.write("training_speed", document, options.results)


def _compared(options: argparse.Namespace) -> dict[str, Any]:
    """Return each network's images a second by way: medians over rounds, by the clock and by processor time."""
    found: dict[str, Any] = {}
    with _checkout(options.before) as before, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        kept = ["--cache", cache]
        ways: dict[str, tuple[Path, list[str]]] = {
            "before": (before, []),
            "now": (ROOT, []),
            "with cache": (ROOT, kept),
            "mixed": (ROOT, [*kept, "--mixed"]),
            "replicas": (ROOT, [*kept, "--mixed", "--replicas", str(os.cpu_count() or 1)]),
        }
        for kind in options.only or KINDS:
            rounds = [{name: _run(options, kind, *way) for name, way in ways.items()} for _ in range(options.rounds)]
            found[kind] = {
                measure: {name: statistics.median(one[name][number] for one in rounds) for name in ways}
                for number, measure in enumerate(MEASURES)
            }
            print(json.dumps({kind: found[kind]}), file=sys.stderr, flush=True)
    return found


def page(document: dict[str, Any]) -> list[str]:
    """Return the section of training/RESULTS.md, as lines of Markdown."""
    from benchmarks import about
    from benchmarks.wording import table

    rows = [
        (kind, measure, *_beside(rates))
        for kind, measures in document["rates"].items()
        for measure, rates in measures.items()
    ]
    ways = list(next(iter(next(iter(document["rates"].values())).values())))
    head = ("images a second", "", f"commit {document['before']}", *(WAYS[way] for way in ways[1:]))
    return ["## How fast networks are trained", "", about.line(document["about"]), "", *table(head, rows), ""]


def _beside(rates: dict[str, float]) -> list[str]:
    before = rates["before"]
    return [f"{rate:.0f}" if name == "before" else f"{rate:.0f} ({rate / before:.2f} times)"
            for name, rate in rates.items()]  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--before", default=BEFORE, help="the commit to compare with")
    parser.add_argument("--pictures", type=int, default=2560)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=KINDS, help="networks; both by default, and for --results")
    parser.add_argument("--results", type=Path, help="folder for figures: training/results")
    parser.add_argument("--measure", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--mixed", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--replicas", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.results and not set(KINDS) <= set(options.only or KINDS):
        parser.error("--results needs all networks, side by side in one run: leave out --only")
    return options


@contextmanager
def _checkout(commit: str) -> Iterator[Path]:
    """Yield a folder with the files of ``commit``, removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "archive", commit, "training", "daemon"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        yield Path(folder)


def _run(options: argparse.Namespace, kind: str, tree: Path, how: list[str]) -> tuple[float, float]:
    words = [sys.executable, __file__, str(options.faces.resolve()), "--pictures", str(options.pictures)]
    words += ["--measure", kind, *how]
    path = os.pathsep.join(str(tree / part) for part in ("training", "daemon"))
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=said, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
        )
        if done.returncode:
            said.seek(0)
            raise SystemExit(said.read().decode(errors="replace"))
    wall, processor = json.loads(done.stdout.splitlines()[-1])
    return float(wall), float(processor)


def _measured(options: argparse.Namespace) -> tuple[float, float]:
    """Return images a second of wall time, and a second of processor time."""
    from facesecure_training.recipes import devices
    from facesecure_training.recipes.loop import TrainingLoop
    from facesecure_training.recipes.registry import KINDS as RECIPES
    from facesecure_training.recipes.run_folder import RunFolder
    from facesecure_training.recipes.train import optimiser
    from facesecure_training.recipes.training_log import TrainingLog

    kind = RECIPES[options.measure]
    shared: dict[str, Any] = {"data": options.faces, "split": "class", "held_out": 0.1, "cache": options.cache}
    if options.mixed:
        shared["mixed_precision"] = True
    if options.replicas > 1:  # the earlier commit knows no such setting
        shared["replicas"] = options.replicas
    settings = kind.settings(**shared, **KINDS[options.measure])
    devices.prepare(settings)
    recipe = kind.recipe(settings)
    if options.replicas > 1:
        from facesecure_training.recipes.replicas import in_parts

        in_parts(recipe, options.replicas)
    if options.cache:
        _fill(recipe, settings)
    with tempfile.TemporaryDirectory() as folder, TrainingLog(recipe, RunFolder(Path(folder)), epochs=1) as record:
        loop = TrainingLoop(record, optimiser(settings, recipe.steps))
        batches = chain.from_iterable(recipe.batches(epoch) for epoch in count())
        for _ in range(WARM):
            loop.step(next(batches))
        began, used, seen = time.monotonic(), time.process_time(), 0
        while seen < options.pictures:
            float(loop.step(next(batches)))
            seen += settings.batch * IMAGES_OF_EXAMPLE[options.measure]
        return seen / (time.monotonic() - began), seen / (time.process_time() - used)


def _fill(recipe: Any, settings: Any) -> None:
    """Decode all images once, into the cache."""
    from facesecure_training.datasets.loading import batches

    data, size = recipe.training_data, (settings.size, settings.size)
    for _ in batches(data.files, data.labels, size=size, batch=settings.batch, cache=settings.cache):
        pass


if __name__ == "__main__":
    main()
