"""The results as Markdown: one row for each stage, what it bears, and the best one beside the bundled network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.siamese.plan import STAGES, USUAL
from benchmarks.steps import listed, percent

Found = dict[str, Any]
BEARS = {
    "brightness": ((0.35, "a third of the light"), (2.0, "twice the light")),
    "contrast": ((0.35, "a third of the contrast"), (2.0, "twice")),
    "size": ((0.3, "30 % of the size"), (0.2, "20 %")),
    "pose": ((30.0, "turned by 30 degrees"), (50.0, "50")),
    "alignment": ((0.05, "shifted by 5 % of the width"), (0.1, "10 %")),
    "blur": ((0.02, "blurred by 2 % of the width"), (0.05, "5 %")),
}
"""Of each claim of the article, two strengths that are named in the table; the charts have all."""
CHARTS = {
    f"siamese-{name}-{what}.png": (f"report/{name}/verification-{what}.png", f"{what} of the stage {name}")
    for name in USUAL
    for what in ("robustness", "roc")
}
"""Charts without faces: the photos may not be published."""


def table(found: Mapping[str, Found], ends: Found, summary: Found, searched: Found, data: Path) -> list[str]:
    """Return the results as lines of Markdown."""
    every = {**{STAGES[name].title: one for name, one in found.items()}, "bundled MobileFaceNet": ends["bundled"]}
    charts = (f"![{what}](results/{name})" for name, (_, what) in CHARTS.items() if name.split("-")[1] in found)
    trials = (
        f"- search: {searched['finished']} of {searched['trials']} trials finished; the best, of an area of "
        f"{searched['value']:.4f} on people of the validation: {searched['settings']}"
    )
    tables = (_people(summary), _stages(every), _bearing(every), _at_the_door(found, ends), list(charts))
    return [*(line for one in tables for line in (*one, "")), trials, *listed([searched, *_commands(found)], data)]


def _people(summary: Found) -> list[str]:
    rows = [
        f"| {part} | {one['people']} | {one['with two']} | {one['photos']} |" for part, one in summary["parts"].items()
    ]
    left = (
        f"Left out: {summary['in both']} photos that are in both sources, {summary['repeats']} that nearly repeat "
        f"another, {summary['people like one of the test']} people whom the bundled network takes for one of LFW's "
        f"test. Manifest: SHA-256 `{summary['sha256'][:16]}`."
    )
    return ["| part of CelebA | people | with two photos | photos |", "| --- | --- | --- | --- |", *rows, "", left]


def _stages(every: Mapping[str, Found]) -> list[str]:
    pairs = {one["said"]["pairs"] for found in every.values() for one in (found["lfw"], found["others"])}
    lfw, others = max(pairs), min(pairs)
    head = (
        f"| stage | {lfw} pairs of LFW, ten folds | threshold of other people | rule of 1 | area | "
        f"at 1 % of strangers | {others} pairs of other people of CelebA |"
    )
    return [head, "|" + " --- |" * 7, *(_row(name, one) for name, one in every.items())]


def _row(name: str, found: Found) -> str:
    lfw, others = found["lfw"]["said"], found["others"]["said"]
    cells = (
        f"{lfw['accuracy']:.1f} ± {lfw['sd']:.1f} %",
        percent(lfw["chosen"]["accuracy"]),
        percent(lfw["rule"]["accuracy"]) if "rule" in lfw else "-",
        f"{lfw['rates']['auc']:.4f}",
        percent(lfw["rates"]["accepted"][0]["tar"]),
        f"{others['accuracy']:.1f} ± {others['sd']:.1f} %",
    )
    return f"| {name} | " + " | ".join(cells) + " |"


def _bearing(every: Mapping[str, Found]) -> list[str]:
    """Return shares of one person's pairs that are accepted, and of two people's in brackets, as faces get worse."""
    lines = ["| accepted of one person (of two) | " + " | ".join(every) + " |", "|" + " --- |" * (len(every) + 1)]
    for kind, steps in BEARS.items():
        for strength, what in steps:
            cells = [_accepted(found["lfw"]["said"]["robustness"].get(kind, []), strength) for found in every.values()]
            lines.append(f"| {kind}: {what} | " + " | ".join(cells) + " |")
    return lines


def _accepted(steps: list[Found], strength: float) -> str:
    one = next((step for step in steps if abs(step["strength"] - strength) < 1e-6), None)
    return "-" if one is None else f"{one['accepted']:.0%} ({one['false_accepts']:.0%})"


def _at_the_door(found: Mapping[str, Found], ends: Found) -> list[str]:
    """Return size, time and open-set figures of the best stage and of the bundled network."""
    lines = [f"At the door, the best stage by validation ({ends['best']}) beside the bundled network:", ""]
    lines += ["| form | size | time a face, LiteRT, one thread |", "| --- | --- | --- |"]
    lines += [_form(form) for form in ends["forms"]["said"]["forms"]]
    lines += ["", "| strangers let in | " + " | ".join(ends["openset"]) + " |"]
    lines += ["|" + " --- |" * (len(ends["openset"]) + 1)]
    first = [next(iter(one["said"]["ways"].values())) for one in ends["openset"].values()]
    for points in zip(*first, strict=True):
        named = (f"{point['named']['value']:.1f} %" for point in points)
        lines.append(f"| {points[0]['asked']:g} | " + " | ".join(named) + " |")
    return lines


def _form(form: Found) -> str:
    if "refused" in form:
        return f"| {form['form']} | refused: {form['refused']} | - |"
    times = (f"{run['milliseconds']:.2f} ms" for run in form["runtimes"].values())
    return f"| {form['form']} | {form['size'] / 1e6:.2f} MB | {next(times, '-')} |"


def _commands(found: Mapping[str, Found]) -> Iterator[Found]:
    for one in found.values():
        yield from (*one["train"], one["export"], one["lfw"], one["others"])
