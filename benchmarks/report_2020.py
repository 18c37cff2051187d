"""Reproduce the report of 2020 on public photos: one person of LFW against the others, and strangers.

python -m benchmarks.report_2020 --out DIR [--data ../shared/data] [--epochs 12] [--seed 0]
    [--results training/RESULTS.md]

``hugonet`` is the report's network, on its kind of crops (square, by MTCNN, 224 pixels) and with its augmentation;
``compact`` is facesecure's, as a head on the bundled embedder and as a separate network, on aligned crops of the same
photos. George W. Bush has 530 photos. They are split by photo, and so are those of the others, whom the networks learn
as "unknown"; the photos of 40 % of the people are held out to the end: 15 % to choose a threshold, 25 % as strangers.
With --results the tables are written into that page. About half an hour on two cores; finished steps are not repeated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.one_person import BY_PERSON, BY_PHOTO, link
from benchmarks.steps import Steps, copy_charts, fill, listed, options_of, percent

Found = dict[str, Any]
CROPS = {"square": ("--crop", "square", "--size", 224), "aligned": ()}
ALL = ("--faces", "central", "--min-quality", 0, "--thin", 1)
PARTS = (*BY_PHOTO, *(part for part in BY_PERSON if part != "rest"))
REST = 400
"""Training photos of other people, beside 318 of the one person."""

KINDS: dict[str, tuple[str, str, str, tuple[object, ...]]] = {
    "hugonet": ("hugonet", "square", "float16", ("--batch", 16, "--lr", 3e-4, "--strength", 0.5)),
    "compact, head": ("compact", "aligned", "mixed", ("--kind", "head", "--epochs", 30)),
    "compact, cnn": ("compact", "aligned", "float16", ("--kind", "cnn", "--epochs", 30)),
}
"""Name: the kind of network, the crops it is trained on, the form it is exported in, and further options."""

CHARTS = {
    f"report-{name}-roc.png": (f"report/{name}/classifier-roc.png", f"ROC of {name}: he against strangers")
    for name in ("hugonet", "compact-head")
}
"""Charts without faces: the photos may not be published."""


def main() -> None:
    options = options_of(__doc__, epochs=12)
    data = options.data.resolve()
    lines = table(reproduce(data, options.out, options.epochs, options.seed), data)
    print("\n".join(lines))
    if options.results:
        fill(options.results, "report", lines)
        copy_charts(
            {name: options.out / path for name, (path, _) in CHARTS.items()}, options.results.parent / "results"
        )


def reproduce(data: Path, out: Path, epochs: int, seed: int) -> dict[str, dict[str, Found]]:
    """Return the steps' records of each network: ``train``, ``export`` and ``test``."""
    steps = Steps(out)
    link(data / "lfw-dev/images", out / "photos", REST, seed)
    for crop, words in CROPS.items():
        for part in PARTS:
            steps.run("dataset", "extract", "-d", f"photos/{part}", "-o", f"{crop}/{part}", *ALL, *words)
    return {name: _one(steps, name, epochs, seed) for name in KINDS}


def _one(steps: Steps, name: str, epochs: int, seed: int) -> dict[str, Found]:
    kind, crop, form, words = KINDS[name]
    run = f"runs/{name.replace(', ', '-')}"
    data = ("--data", f"{crop}/train", "--validation", f"{crop}/validation")
    options = words if "--epochs" in words else (*words, "--epochs", epochs)
    trained = steps.train(kind, run, *data, *options, "--seed", seed)
    proof = ("--data", f"{crop}/validation", "--into", "models", "--json")
    exported = steps.run("export", run, "--form", form, *proof)
    tested = steps.run(
        "evaluate", "classifier", exported["said"]["forms"][0]["file"],
        "--data", f"{crop}/test", "--strangers", f"{crop}/strangers",
        "--validation", f"{crop}/validation", "--validation-strangers", f"{crop}/validation-strangers",
        "--robustness", 0, "--seed", seed, "--write-threshold", "--report", f"report/{run[5:]}", "--json",
    )  # fmt: skip
    return {"train": trained, "export": exported, "test": tested}


def table(found: dict[str, dict[str, Found]], data: Path) -> list[str]:
    """Return the results as lines of Markdown."""
    tests = [one["test"]["said"] for one in found.values()]
    forms = [one["export"]["said"]["forms"][0] for one in found.values()]
    times = [float(next(iter(form["runtimes"].values()))["milliseconds"]) for form in forms]
    head = f"{tests[0]['pictures']} photos; {tests[0]['stranger_faces']} photos of {tests[0]['strangers']} strangers"
    rows = [
        (head, list(found)),
        (" --- ", [" --- "] * len(found)),
        ("accuracy, as the report counts: the likeliest class", [percent(t["plain"]["accuracy"]) for t in tests]),
        ("... he is named", [percent(t["plain"]["named"]) for t in tests]),
        ("... strangers are named as him", [percent(t["plain"]["false_accepts"]) for t in tests]),
        ("with a threshold for 1 % of strangers: he is named", [percent(t["with_threshold"]["named"]) for t in tests]),
        ("... strangers are named as him", [percent(t["with_threshold"]["false_accepts"]) for t in tests]),
        ("equal error rate, his photos against strangers'", [f"{t['rates']['eer']:.1%}" for t in tests]),
        ("form", [form["form"] for form in forms]),
        ("size", [_beside(form["size"] / 1e6, forms[0]["size"] / 1e6, "MB") for form in forms]),
        ("time a face, LiteRT, one thread", [_beside(time, times[0], "ms") for time in times]),
    ]
    lines = [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
    pictures = [f"![{what}](results/{name})" for name, (_, what) in CHARTS.items()]
    return [*lines, "", *pictures, "", *listed((step for one in found.values() for step in one.values()), data)]


def _beside(value: float, first: float, unit: str) -> str:
    ratio = "" if value == first else f" (1/{first / value:.0f})"
    return f"{value:.{0 if value > 20 else 2}f} {unit}{ratio}"


if __name__ == "__main__":
    main()
