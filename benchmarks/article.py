"""The article of 2018 anew: a siamese DenseNet taught on CelebA with contrastive loss, tried on people of LFW.

python -m benchmarks.article --out DIR [--data ../shared/data] [--epochs 52] [--seed 0] [--results training/RESULTS.md]

CelebA's people are parted by person: of 85 % it learns, on 15 % the best epoch and the threshold are chosen. All of
LFW's pairs are tested; its makers' paper of 2014 (Sun, Chen, Wang and Tang, "Deep Learning Face Representation by Joint
Identification-Verification") says that nobody is both in CelebFaces+, of which CelebA is made, and in LFW. Beside it
stands the bundled MobileFaceNet, on the same pairs, which learnt from 5.8 million pictures of another set.
With --results the tables are put into that page. About 40 minutes on two cores; what is done is not done again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.celeba import write_parts
from benchmarks.steps import Steps, asked, fill, keep, listed, percent

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
        "What the siamese DenseNet bears, one picture of each pair spoilt",
    ),
    "article-bundled-robustness.png": (
        "report/bundled/verification-robustness.png",
        "What the bundled MobileFaceNet bears, on the same pairs",
    ),
}
"""Without a face on them: the photos are not ours to publish."""

RULE = 1
"""The article's: closer than this is one person; half of the margin of 2."""


def main() -> None:
    options = asked(__doc__, epochs=52)
    data = options.data.resolve()
    lines = table(reproduce(data, options.out, options.epochs, options.seed), data)
    print("\n".join(lines))
    if options.results:
        fill(options.results, "article", lines)
        keep({name: options.out / path for name, (path, _) in CHARTS.items()}, options.results.parent / "results")


def reproduce(data: Path, out: Path, epochs: int, seed: int) -> dict[str, Found]:
    """The steps' records: ``train``, ``export``, ``siamese`` (its verification) and ``bundled``."""
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
    """Markdown."""
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
