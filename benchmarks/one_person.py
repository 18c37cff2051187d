"""One person of LFW against the others, and held-out strangers: the report of 2020 in its own setting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.steps import Steps, listed
from benchmarks.steps import copy_charts as copied
from benchmarks.wording import item, one_in, paragraph, percent, plain, table
from facesecure_training.datasets.splitting import divide

WHO = "George_W_Bush"
REST = "unknown"
BY_PHOTO = {"train": 0.6, "validation": 0.2, "test": 0.2}
BY_PERSON = {"rest": 0.6, "validation-strangers": 0.15, "strangers": 0.25}
PARTS = (*BY_PHOTO, *(part for part in BY_PERSON if part != "rest"))
CROPS = {"square": ("--crop", "square", "--size", 224), "aligned": ()}
ALL = ("--faces", "central", "--min-quality", 0, "--thin", 0.95)
LEARNT_OTHERS, SEED = 400, 0
"""Training photos of other people, beside some 318 of the one person; and the seed of division and training."""

KINDS: Mapping[str, tuple[str, str, str, tuple[object, ...], str]] = {
    "hugonet": ("hugonet", "square", "float16", ("--size", 224, "--patience", 5), "hugonet"),
    "compact, head": ("compact", "aligned", "mixed", ("--kind", "head", "--epochs", 30), "compact head"),
    "compact, cnn": (
        "compact",
        "aligned",
        "float16",
        ("--kind", "cnn", "--epochs", 60, "--patience", 15),
        "compact cnn",
    ),
}  # fmt: skip
"""Name: the recipe, its crops, the form it is exported in, options, and whose searched settings it takes."""
TAKEN = ("lr", "batch", "augment", "strength")
"""What is taken over from the search: not the width, because this is the network at its own size."""
CHARTS = {
    f"report-{name}-roc.png": (f"one/report/{name}/classifier-roc.png", f"ROC of {name}: he against strangers")
    for name in ("hugonet", "compact-head", "compact-cnn")
}

Photos = Mapping[str, Sequence[Path]]
Document = dict[str, Any]


def measure(
    steps: Steps, images: Path, searched: Mapping[str, Document], without: Collection[str], epochs: int
) -> Document:
    """Train, export and test the networks; ``epochs`` at most for hugonet. People in ``without`` chose the settings."""
    link(images, steps.folder / "one/photos", LEARNT_OTHERS, SEED, without)
    for crop, words in CROPS.items():
        for part in PARTS:
            steps.run("dataset", "extract", "-d", f"one/photos/{part}", "-o", f"one/{crop}/{part}", *ALL, *words)
    found = {name: _one(steps, name, searched, epochs) for name in KINDS}
    return {
        "tested": {name: _said(one) for name, one in found.items()},
        "steps": listed((step for one in found.values() for step in one), images.parents[1]),
    }


def page(document: Document) -> list[str]:
    """Return the section, as lines of Markdown."""
    tested = document["tested"]
    first = next(iter(tested.values()))
    head = f"{first['pictures']} photos; {first['stranger_faces']} of {first['strangers']} strangers"
    return [
        "## The report in its own setting: one person against the rest",
        "",
        *paragraph(
            f"{WHO.replace('_', ' ')} against {LEARNT_OTHERS} photos of others, split by photo; each network at its",
            "own size, with the settings that were searched on other people, until it makes no more progress.",
            "Intervals are Wilson's, over photos: one person cannot have one over people.",
        ),
        "",
        *table([head, *tested], _rows(tested)),
        "",
        *(f"![{what}](results/{name})" for name, (_, what) in CHARTS.items()),
        "",
        *(line for name, one in tested.items() for line in _worth(name, one)),
        "",
        *document["steps"],
    ]


def copy_charts(folder: Path, results: Path) -> None:
    """Copy the charts that a run in ``folder`` has into ``results``."""
    made = {name: folder / path for name, (path, _) in CHARTS.items() if (folder / path).exists()}
    copied(made, results)


def link(images: Path, root: Path, rest: int, seed: int, without: Collection[str] = ()) -> None:
    """Link photos as ``root``/PART/CLASS/photo: WHO and REST split by photo, strangers split by person.

    REST has at most ``rest`` photos in the training part, and in proportion in the others. People in ``without``, who
    chose the settings, are in no part.
    """
    folders = (folder for folder in sorted(images.iterdir()) if folder.is_dir() and folder.name not in without)
    people = {folder.name: sorted(folder.glob("*.jpg")) for folder in folders}
    own = people.pop(WHO)
    groups = divide({name: len(photos) for name, photos in people.items()}, BY_PERSON, seed)
    others = [photo for name in groups.pop("rest") for photo in people[name]]
    order = np.random.default_rng(seed).permutation(len(others))
    some = [others[index] for index in order[: round(rest / BY_PHOTO["train"])]]
    for label, photos in ((WHO, own), (REST, some)):
        for part, chosen in _by_photo(photos, seed).items():
            _link(root / part / label, chosen)
    for part, names in groups.items():
        for name in names:
            _link(root / part / name, people[name])


def _one(steps: Steps, name: str, searched: Mapping[str, Document], epochs: int) -> tuple[Document, Document, Document]:
    recipe, crop, form, words, family = KINDS[name]
    run, folder = name.replace(", ", "-"), f"one/{crop}"
    settings = {key: value for key, value in searched[family]["settings"].items() if key in TAKEN}
    found = [word for key, value in settings.items() for word in (f"--{key}", _short(value))]
    length = () if "--epochs" in words else ("--epochs", epochs)
    data = ("--data", f"{folder}/train", "--validation", f"{folder}/validation")
    trained = steps.train(recipe, f"one/runs/{run}", *data, *words, *length, *found, "--seed", SEED)
    proof = ("--data", f"{folder}/validation", "--into", "one/models", "--json")
    exported = steps.run("export", f"one/runs/{run}", "--form", form, *proof)
    tested = steps.run(
        "evaluate", "classifier", exported["said"]["forms"][0]["file"],
        "--data", f"{folder}/test", "--strangers", f"{folder}/strangers",
        "--validation", f"{folder}/validation", "--validation-strangers", f"{folder}/validation-strangers",
        "--robustness", 0, "--seed", SEED, "--write-threshold", "--report", f"one/report/{run}", "--json",
    )  # fmt: skip
    return trained, exported, tested


def _said(one: tuple[Document, Document, Document]) -> Document:
    """Return the figures that the page needs."""
    _, exported, tested = one
    said, form = tested["said"], exported["said"]["forms"][0]
    kept = ("pictures", "strangers", "stranger_faces", "plain", "with_threshold")
    milliseconds = float(next(iter(form["runtimes"].values()))["milliseconds"])
    return {
        **{key: said[key] for key in kept},
        "eer": said["rates"]["eer"],
        "form": {"name": form["form"], "size": form["size"], "milliseconds": milliseconds},
    }


def _rows(tested: Mapping[str, Document]) -> list[list[str]]:
    every = list(tested.values())
    forms = [one["form"] for one in every]
    shares = {
        "accuracy, as the report counts: the likeliest class": ("plain", "accuracy"),
        "... he is named": ("plain", "named"),
        "... strangers are named as him": ("plain", "false_accepts"),
        "with a threshold for 1 % of strangers: he is named": ("with_threshold", "named"),
        "... strangers are named as him, with it": ("with_threshold", "false_accepts"),
    }
    return [
        *([what, *(percent(one[rule][key]) for one in every)] for what, (rule, key) in shares.items()),
        ["equal error rate, his photos against strangers'", *(f"{one['eer']:.1%}" for one in every)],
        ["form", *(form["name"] for form in forms)],
        ["size", *(_beside(form["size"] / 1e6, forms[0]["size"] / 1e6, "MB") for form in forms)],
        ["time a face, LiteRT, one thread",
         *(_beside(form["milliseconds"], forms[0]["milliseconds"], "ms") for form in forms)],
    ]  # fmt: skip


def _worth(name: str, one: Document) -> list[str]:
    likeliest, strict = one["plain"], one["with_threshold"]
    return item(
        f"**{name}**: an accuracy of {plain(likeliest['accuracy'])}, while {plain(likeliest['false_accepts'])} of",
        f"unseen people's photos get his name ({one_in(likeliest['false_accepts']['value'])}); where 1 % may,",
        f"{plain(strict['named'])} of his photos are named.",
    )


def _beside(value: float, first: float, unit: str) -> str:
    ratio = "" if value == first else f" ({value / first:.3g} of it)"
    return f"{value:.{0 if value > 20 else 2}f} {unit}{ratio}"


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value


def _by_photo(photos: Sequence[Path], seed: int) -> Photos:
    parts = divide({str(photo): 1 for photo in photos}, BY_PHOTO, seed)
    return {part: [Path(name) for name in names] for part, names in parts.items()}


def _link(folder: Path, photos: Iterable[Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for photo in photos:
        place = folder / photo.name
        if not place.is_symlink():
            place.symlink_to(photo)
