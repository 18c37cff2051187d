"""Count the visits right, missed and wrong where people take each other's place, with and without parting tracks.

    python -m benchmarks.handovers [--seeds 1 2 3]

The minutes are those of ``benchmarks.door``, one for each seed: visitors come in small groups, and within a second the
next one is where the last one was.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from benchmarks.door import LFW, ROOT, prepare
from benchmarks.labels import Labels
from benchmarks.launch import Launcher
from benchmarks.scoring import Costs, Score, score
from benchmarks.systems.ours import Run
from facesecure.pipeline import build
from facesecure.pipeline.continuity import Continuity
from facesecure.recognition.score_model import ScoreModel


@dataclass(frozen=True)
class Minute:
    """A drawn minute: its video and ground truth, and a state directory with its household."""

    video: Path
    labels: Labels
    state: Path


def main() -> None:
    options = _options()
    console = Console()
    table = Table(
        "seed", "tracks parted", "visits", "right", "missed", "wrong", title="People who take turns in a place"
    )
    for seed in options.seeds:
        minute = _prepared(seed, options, console)
        for parted in (False, True):
            found = _scored(minute, options.out / "state", parted=parted)
            cells = (seed, "yes" if parted else "no", found.visits, found.right, found.missed, found.wrong)
            table.add_row(*map(str, cells))
    console.print(table)


def _prepared(seed: int, options: argparse.Namespace, console: Console) -> Minute:
    cache = options.out / f"cache-{seed}"
    cache.mkdir(parents=True, exist_ok=True)
    video, labels, cast = prepare(argparse.Namespace(seed=seed, quick=False, lfw=options.lfw), cache, console)
    python = Path(sys.executable)
    launcher = Launcher(ROOT, cache, video, python, python)
    launcher.enrolment({person.name: person.enrolment for person in cast if person.household})
    return Minute(video, labels, cache / "state")


def _scored(minute: Minute, state: Path, *, parted: bool) -> Score:
    """Run the daemon over the minute, its visitors not known from an earlier run."""
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(minute.state, state)
    run = Run(minute.video, state)
    with patch.object(build, "Continuity", Continuity if parted else _never):
        run.go()
    return score(minute.labels, run.claims, Costs([0.0] * minute.labels.frames))


def _never(_: ScoreModel | None) -> Continuity:
    """Return what never asks whether a track follows somebody else."""
    return Continuity()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.handovers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "handovers")
    parser.add_argument("--lfw", type=Path, default=LFW, help="lfw-dev's images folder: NAME/NAME_0001.jpg")
    return parser.parse_args()


if __name__ == "__main__":
    main()
