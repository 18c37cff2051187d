"""Reproduce the article of 2018: a siamese DenseNet trained on CelebA with contrastive loss, tested on LFW.

python -m benchmarks.article --out DIR [--data ../shared/data] [--epochs 52] [--seed 0] [--results training/RESULTS.md]

CelebA is split by person: 85 % train the network, on 15 % the best epoch and the threshold are chosen. All of LFW's
pairs are tested; the paper of 2014 by CelebA's authors (Sun, Chen, Wang and Tang, "Deep Learning Face Representation by
Joint Identification-Verification") states that no person is both in CelebFaces+, of which CelebA is made, and in LFW.
The bundled MobileFaceNet, trained on 5.8 million images of another set, is tested on the same pairs for comparison.
With --results the tables are written into that page. About 40 minutes on two cores; finished steps are not repeated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.celeba import write_parts
from benchmarks.steps import Steps, copy_charts, fill, listed, options_of, percent

Found = dict[str, Any]
EXTRACT = ("--faces", "central", "--min-quality", 0, "--thin", 1, "--min-face", 20)
CHARTS = {
    "article-training.png": ("runs/siamese/curves.png", "Loss and validation, epoch by epoch"),
    "article-distances.png": (
        "report/siamese/verification-histogram.png",
        "Distances of one person's pairs and of two people's",
    ),
    "article-roc.png": ("report/siamese/verification-roc.png", "ROC of the siamese DenseNet"),
    "article-robustness.png": (
        "report/siamese/verification-robustness.png",
        "Robustness of the siamese DenseNet, one image of each pair corrupted",
    ),
    "article-bundled-robustness.png": (
        "report/bundled/verification-robustness.png",
        "Robustness of the bundled MobileFaceNet, on the same pairs",
    ),
}
"""Charts without faces: the photos may not be published."""

RULE = 1
"""The article's threshold: a smaller distance is one person; half of its margin of 2."""


def main() -> None:
    options = options_of(__doc__, epochs=52)
    data = options.data.resolve()
    lines = table(reproduce(data, options.out, options.epochs, options.seed), data)
    print("\n".join(lines))
    if options.results:
        fill(options.results, "article", lines)
        copy_charts(
            {name: options.out / path for name, (path, _) in CHARTS.items()}, options.results.parent / "results"
        )


def reproduce(data: Path, out: Path, epochs: int, seed: int) -> dict[str, Found]:
    """Return the steps' records: ``train``, ``export``, ``siamese`` (its verification) and ``bundled``."""
    steps, images = Steps(out), data / "celeba-small/images"
    lists = write_parts(data / "celeba-small/identities.csv", out / "people", seed)
    for part, path in lists.items():
        steps.run("dataset", "extract", "-d", images, "--identities", path.resolve(), "-o", f"faces/{part}", *EXTRACT)
    steps.run("dataset", "pairs", "-d", "faces/validation", "-o", "pairs", "--split", 0, 1, 0, "--count", 1000)
    network = ("--size", 64, "--epochs", epochs, "--pairs", 4000, "--augment", "aligned", "--strength", 0.5)
    folders = ("--data", "faces/train", "--validation", "faces/validation")
    trained = steps.train("siamese-densenet", "runs/siamese", *folders, *network, "--seed", seed)
    exported = steps.run("export", "runs/siamese", "--data", "faces/validation", "--into", "models", "--json")
    models = {"siamese": exported["said"]["forms"][0]["file"], "bundled": "mobilefacenet"}
    tested = {
        name: steps.run(*_verification(data, model), "--report", f"report/{name}", "--json")
        for name, model in models.items()
    }
    return {"train": trained, "export": exported, **tested}


def _verification(data: Path, model: str) -> tuple[object, ...]:
    lfw = data / "lfw-dev"
    validation = ("--validation", "pairs/validation.csv", "--validation-images", "faces/validation")
    rule = ("--rule", RULE) if model != "mobilefacenet" else ()
    return (
        "evaluate", "verification", "--model", model, "--images", lfw / "images", "--pairs", lfw / "pairs.csv",
        "--cache", "cache", *validation, *rule, "--robustness", 400,
    )  # fmt: skip


def table(found: dict[str, Found], data: Path) -> list[str]:
    """Return the results as lines of Markdown."""
    names = {"siamese": "siamese DenseNet", "bundled": "bundled MobileFaceNet"}
    reports = {names[key]: found[key]["said"] for key in names}
    return [
        *_results(reports),
        "",
        *(f"![{what}](results/{name})" for name, (_, what) in CHARTS.items()),
        "",
        *listed(found.values(), data),
    ]


def _results(reports: dict[str, Found]) -> list[str]:
    rows = {
        "ten folds, as LFW's protocol has it": lambda one: f"{one['accuracy']:.1f} ± {one['sd']:.1f} %",
        "with the threshold chosen on people of CelebA": lambda one: percent(one["chosen"]["accuracy"]),
        "with the article's threshold of 1": lambda one: percent(one["rule"]["accuracy"]) if "rule" in one else "-",
        "area under the ROC curve": lambda one: f"{one['rates']['auc']:.4f}",
        "equal error rate": lambda one: f"{one['rates']['eer']:.1%}",
        "of one person accepted where 1 % of two are": lambda one: percent(one["rates"]["accepted"][0]["tar"]),
    }
    head = f"| {next(iter(reports.values()))['pairs']} pairs of LFW | " + " | ".join(reports) + " |"
    return [head, "|" + " --- |" * (len(reports) + 1)] + [
        f"| {name} | " + " | ".join(of(one) for one in reports.values()) + " |" for name, of in rows.items()
    ]


if __name__ == "__main__":
    main()
