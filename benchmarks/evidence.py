"""Compare the verdicts of facesecure's evidence with three simpler rules, on the same embeddings.

    python -m benchmarks.evidence [--images DIR] [--write]

Prints the table of ``facesecure-train evaluate tracks`` for photos in LFW's layout, and with --write saves it as JSON
and as a chart beside the results of the other benchmarks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from facesecure_training.cli.evaluate_openset import tracks_table
from facesecure_training.evaluation import plots, tracks_report
from facesecure_training.evaluation.households import DrawSettings
from facesecure_training.evaluation.setting import Setting

_ROOT = Path(__file__).resolve().parents[1]
_IMAGES = _ROOT.parent / "shared" / "data" / "lfw-dev" / "images"


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results on request."""
    options = _parser().parse_args(words)
    if not options.images.is_dir():
        sys.exit(f"there are no photos in {options.images}: name a folder in LFW's layout with --images")
    setting = Setting(max_side=options.max_side, cache=options.out / "cache")
    how = DrawSettings(households=options.households)
    report = tracks_report.measure(setting, options.images, how, options.stranger_tracks)
    print("\n".join(tracks_table(report)))
    if options.write:
        (options.out / "evidence.json").write_text(json.dumps(report.as_json(), indent=2) + "\n")
        plots.tracks(options.out / "evidence.png", report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("--images", type=Path, default=_IMAGES, help="photos, NAME/NAME_0001.jpg")
    parser.add_argument("--max-side", type=int, default=150, help="reduce larger photos to this many pixels")
    parser.add_argument("--households", type=int, default=200)
    parser.add_argument("--stranger-tracks", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=_ROOT / "out" / "bench", help="folder for results and the cache")
    parser.add_argument("--write", action="store_true", help="write evidence.json and evidence.png into it")
    return parser


if __name__ == "__main__":
    main()
