"""The section of training/RESULTS.md about the siamese DenseNet, from the bench's JSON."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import about
from benchmarks.siamese.document import BUNDLED, CHARTS, Found
from benchmarks.siamese.plan import MIRRORED, STAGES
from benchmarks.wording import compared, item, listing, paragraph, percent, table
from facesecure_training.recipes.settings import DISCRIMINANT

BEARS = {
    "brightness": ((0.35, "a third of the light"), (2.0, "twice the light")),
    "contrast": ((0.35, "a third of the contrast"), (2.0, "twice the contrast")),
    "size": ((0.3, "30 % of the size"), (0.2, "20 % of the size")),
    "pose": ((30.0, "turned by 30 degrees"), (50.0, "turned by 50 degrees")),
    "alignment": ((0.05, "shifted by 5 % of the width"), (0.1, "shifted by 10 %")),
    "blur": ((0.02, "blurred by 2 % of the width"), (0.05, "blurred by 5 %")),
}
"""Of each claim of the article, two strengths that are named in the table; the charts have all."""


def page(document: Found) -> list[str]:
    """Return the section, as lines of Markdown."""
    parts = (_setting, _people, _stages, _claims, _bearing, _at_the_door, _charts)
    lines = [line for part in parts for line in (*part(document), "")]
    return ["## The article of 2018: a siamese DenseNet, stage by stage", "", *lines, *_commands(document)]


def _setting(document: Found) -> list[str]:
    return [
        *paragraph(
            "Each stage adds one thing to the one before; the last follow the bundled network and need no names.",
            "CelebA's people are divided: on those of the validation every choice was made (settings, the epoch that",
            "is kept, the threshold), those of the test are in nothing else. CelebA has numbers, not names: whether",
            "somebody of LFW is among them can only be told by the published statement that nobody is, and by the",
            "bundled network.",
            *_seen(document["stages"]),
            *_search(document["search"]),
        ),
        "",
        *dict.fromkeys(about.line(one["about"]) for one in document["stages"].values()),
    ]


def _seen(stages: Found) -> list[str]:
    """Say which stages were designed with LFW's figures in view: their check is CelebA's people of the test."""
    seen = [f'"{STAGES[name].title}"' for name in (DISCRIMINANT, MIRRORED) if STAGES[name].title in stages]
    if not seen:
        return []
    verb = "was" if len(seen) == 1 else "were"
    return [
        f"While {listing(seen)} {verb} designed, LFW's figures were in view beside those of the validation, so",
        "that they may flatter; CelebA's people of the test were not looked at.",
    ]


def _search(search: Found | None) -> list[str]:
    if search is None:
        return []
    settings = ", ".join(f"{name} {value}" for name, value in search["settings"].items())
    return [
        f"The search finished {search['finished']} of {search['trials']} trials; the best of a network that there was",
        f"time to train (area {search['value']:.4f} on people of the validation) had {settings}.",
    ]


def _people(document: Found) -> list[str]:
    people = document["people"]
    rows = [
        (part, str(one["people"]), str(one["with two"]), str(one["photos"])) for part, one in people["parts"].items()
    ]
    left = (
        f"Left out: {people['in both']} photos that are in both sources, {people['repeats']} that nearly repeat",
        f"another, and {people['people like one of the test']} people whom the bundled network takes for one of LFW's",
        f"test. SHA-256 of the manifest: `{people['sha256'][:16]}`.",
    )
    return [*table(("part of CelebA", "people", "with two photos", "photos"), rows), "", *paragraph(*left)]


def _stages(document: Found) -> list[str]:
    stages = document["stages"]
    first = next(iter(stages.values()))
    head = (
        "stage", f"{first['lfw']['pairs']} pairs of LFW, ten folds", "threshold of other people", "rule of 1",
        "area under the curve", "of one person at 1 % of two",
        f"{first['others']['pairs']} pairs of CelebA's people of the test",
    )  # fmt: skip
    return table(head, [_row(name, one["lfw"], one["others"]) for name, one in stages.items()])


def _row(name: str, lfw: Found, others: Found) -> tuple[str, ...]:
    return (
        name,
        _ten_folds(lfw),
        percent(lfw["chosen"]["accuracy"]),
        percent(lfw["rule"]["accuracy"]) if "rule" in lfw else "-",
        f"{lfw['area']:.4f}",
        percent(lfw["at_one_percent"]),
        _ten_folds(others),
    )


def _ten_folds(one: Found | None) -> str:
    return "-" if one is None else f"{one['accuracy']:.1f} ± {one['sd']:.1f} %"


def _claims(document: Found) -> list[str]:
    """Say of each stage whether the rule of 1 does as well as a threshold chosen on other people."""
    lines = []
    for name, one in document["stages"].items():
        if "rule" in one["lfw"]:
            rule, chosen = one["lfw"]["rule"]["accuracy"], one["lfw"]["chosen"]["accuracy"]
            words = compared(rule, chosen, "does better than", "does worse than", "does as well as")
            lines += item(f"{name}: the rule of 1 {words} a threshold chosen on other people.")
    return lines


def _bearing(document: Found) -> list[str]:
    """Return shares of one person's pairs that are accepted, and of two people's in brackets, as faces get worse."""
    stages = document["stages"]
    rows = [
        (f"{kind}: {what}", *(_accepted(one["lfw"]["robustness"].get(kind, []), strength) for one in stages.values()))
        for kind, steps in BEARS.items()
        for strength, what in steps
    ]
    return table(("accepted of one person (of two)", *stages), rows)


def _step(steps: list[Found], strength: float) -> Found | None:
    return next((step for step in steps if abs(step["strength"] - strength) < 1e-6), None)


def _accepted(steps: list[Found], strength: float) -> str:
    one = _step(steps, strength)
    return "-" if one is None else f"{100 * one['accepted']:.0f} % ({100 * one['false_accepts']:.0f} %)"


def _at_the_door(document: Found) -> list[str]:
    """Return size, time and open-set figures of the best stage and of the bundled network."""
    door = document["door"]
    openset = door["openset"]
    rows = [
        (f"{100 * points[0]['asked']:g} %", *(f"{point['named']['value']:.1f} %" for point in points))
        for points in zip(*openset.values(), strict=True)
    ]
    forms = [(*_form(form), _ten_folds(door["accuracy"].get(form["form"]))) for form in door["forms"]]
    return [
        f"At the door, the best stage on people of the validation ({door['best']}) beside the bundled network:",
        "",
        *table(("form", "size", "a face, LiteRT, one thread", "pairs of LFW, ten folds"), forms),
        "",
        *table(("share of strangers let in", *(f"family named by {name}" for name in openset)), rows),
        "",
        *paragraph(*_beside(document)),
    ]


def _beside(document: Found) -> Iterator[str]:
    """Say what the best stage costs of what the bundled network does, and where it does as well."""
    ours, theirs = document["door"]["cost"]
    size, time = ours["size"] / theirs["size"], ours["milliseconds"] / theirs["milliseconds"]
    yield f"As {ours['form']} it has {size:.0%} of the bundled network's size, and takes {time:.0%} of its time."
    stages = document["stages"]
    bears = [stages[name]["lfw"]["robustness"] for name in (document["door"]["best"], BUNDLED)]
    equal = [
        f"{kind} ({what})"
        for kind, steps in BEARS.items()
        for strength, what in steps
        if _bears_as_much(*(_step(one.get(kind, []), strength) for one in bears))
    ]
    yield (f"It bears as much in: {listing(equal)}." if equal else "In no row of the table above does it bear as much.")


def _bears_as_much(ours: Found | None, theirs: Found | None) -> bool:
    """Return whether no fewer of one person, and no more of two people, are accepted."""
    if ours is None or theirs is None:
        return False
    return bool(ours["accepted"] >= theirs["accepted"] and ours["false_accepts"] <= theirs["false_accepts"])


def _form(form: Found) -> tuple[str, str, str]:
    if "refused" in form:
        return form["form"], f"refused: {form['refused']}", "-"
    times = (f"{run['milliseconds']:.2f} ms" for run in form["runtimes"].values())
    return form["form"], f"{form['size'] / 1e6:.2f} MB", next(times, "-")


def _charts(document: Found) -> list[str]:
    return [f"![{CHARTS[name][1]}](results/{name})" for name in document["charts"]]


def _commands(document: Found) -> list[str]:
    searched = document["search"]["commands"] if document["search"] else []
    return [*searched, *(line for one in document["stages"].values() for line in one["commands"])]
