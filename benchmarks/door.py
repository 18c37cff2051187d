"""Compare facesecure with other systems on the same minute at a front door, one core and one thread each.

    make bench            (or: python -m benchmarks.door [--quick] [--full])

The people are from lfw-dev; without it, one known person and one stranger come from the bundled portraits. Rates and
delays are CPU time, so that a busy machine does not distort them; compare ratios.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import chart, doorclip, report
from benchmarks.cast import Person, find_cast
from benchmarks.labels import Labels, sample
from benchmarks.launch import Launcher
from benchmarks.results import DECODE, FULL, OURS, PISECURE, QUARTER, WHOLE, Figures, as_json, figures, targets

ROOT = Path(__file__).resolve().parents[1]
LFW = ROOT.parent / "shared" / "data" / "lfw-dev" / "images"
_GENERATORS = ("benchmarks/doorclip.py", "benchmarks/cast.py", "daemon/facesecure/camera/synthetic")


def main() -> None:
    options = _options()
    console = Console()
    if not console.is_terminal:
        console = Console(width=136)
    cache = options.out / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    video, labels, cast = prepare(options, cache, console)
    launcher = Launcher(ROOT, cache, video, options.peers_python, options.tflite_python)
    launcher.enrolment({person.name: person.enrolment for person in cast if person.household})
    found = measure(options, launcher, labels, console)
    ready = launcher.ready() if OURS in found else None
    aims = targets(found, ready)
    report.show(console, found, aims)
    about = {
        "video": video.name,
        "seed": options.seed,
        "quick": options.quick,
        "machine": platform.machine(),
        "ready": ready,
    }
    (options.out / "door.json").write_text(json.dumps(as_json(found, aims, about), indent=1))
    chart.draw(
        options.out / "door.png", found, "A minute at the door, 1920x1080" + (" (quick)" if options.quick else "")
    )
    console.print(f"written: {options.out}/door.json, {options.out}/door.png")


def prepare(options: argparse.Namespace, cache: Path, console: Console) -> tuple[Path, Labels, list[Person]]:
    """Return the clip, its ground truth and its people; the clip is drawn unless it is in the cache."""
    rng = np.random.default_rng(options.seed)
    if not options.lfw.is_dir():
        console.print(
            f"{options.lfw} does not exist: the clip shows only the two bundled portraits (--lfw names another folder)",
            style="yellow",
        )
    cast = find_cast(options.lfw, cache, rng)
    groups = doorclip.GROUPS[:2] if options.quick else doorclip.GROUPS
    seconds = 20.0 if options.quick else doorclip.SECONDS
    video = cache / f"door-{_digest(options, cast)}.mp4"
    labels = video.with_suffix(".json")
    if not labels.exists():
        with console.status("drawing the door clip"):
            guests = doorclip.plan(cast, rng, groups)
            doorclip.make(video, guests, seconds, options.seed).save(labels)
    return video, Labels.load(labels), cast


def measure(options: argparse.Namespace, launcher: Launcher, labels: Labels, console: Console) -> dict[str, Figures]:
    """Run every available system in turn; report the reason for those that are left out."""
    some = sample(labels, *((20, 4) if options.quick else (60, 20)))
    extrapolated = (
        f"processed {len(some)} of {labels.frames} frames, spread over all visits; "
        "the rest is extrapolated, and mistakes between them are not seen"
    )
    fewer = None if options.full else some
    jobs = {
        DECODE: ("decode", None, True),
        OURS: ("ours", None, True),
        WHOLE: ("ours_whole", None, True),
        FULL: ("face_recognition", fewer, True),
        QUARTER: ("face_recognition_quarter", None, True),
        PISECURE: ("pisecurehome", None, False),
        f"{PISECURE} on tflite-runtime": ("pisecurehome_tflite_runtime", fewer, False),
    }
    found = {}
    for name, (system, frames, identifies) in jobs.items():
        missing = launcher.missing(system)
        if missing or (options.only and system not in options.only):
            console.print(f"{name}: left out{', ' + missing if missing else ''}", style="yellow")
            continue
        with console.status(f"running {name}"):
            raw = launcher.run(system, frames)
        note = extrapolated if frames else ""
        found[name] = figures(name, labels, raw, identifies=identifies and system != "decode", note=note)
        console.print(f"{name}: {raw['wall']:.0f} s", style="dim")
    return found


def _digest(options: argparse.Namespace, cast: list[Person]) -> str:
    """Return a name for the clip that depends on all its inputs."""
    digest = hashlib.sha256(f"{options.seed} {options.quick} {[person.name for person in cast]}".encode())
    for place in _GENERATORS:
        path = ROOT / place
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.door", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="a 20 s clip with two small groups, for a first impression"
    )
    parser.add_argument("--full", action="store_true", help="face_recognition on every full-size frame (half an hour)")
    parser.add_argument("--only", nargs="*", metavar="SYSTEM", help="decode ours face_recognition pisecurehome ...")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench")
    parser.add_argument("--lfw", type=Path, default=LFW, help="lfw-dev's images folder: NAME/NAME_0001.jpg")
    parser.add_argument("--peers-python", type=Path, default=ROOT / ".venv-bench" / "bin" / "python")
    parser.add_argument("--tflite-python", type=Path, default=ROOT / ".venv-tflite" / "bin" / "python")
    return parser.parse_args()


if __name__ == "__main__":
    main()
