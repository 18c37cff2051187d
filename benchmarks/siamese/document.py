"""The JSON of the siamese bench: each stage with what made it, so that one run can add to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.siamese.plan import STAGES
from benchmarks.siamese.stages import USUAL_FORM, WHOLE_NUMBERS
from benchmarks.steps import listed

Found = Mapping[str, Any]
Document = dict[str, Any]
BUNDLED = "bundled MobileFaceNet"
CHARTS = {
    f"siamese-{name}-{what}.png": (f"report/{stage.name}/verification-{what}.png", f"{what} of the stage {name}")
    for name, stage in STAGES.items()
    for what in ("robustness", "roc")
}
"""Charts without faces: the photos may not be published."""
_TITLES = (*(stage.title for stage in STAGES.values()), BUNDLED)
_KEPT = ("accuracy", "sd", "pairs", "chosen", "rule", "robustness")


def document_of(
    found: Found, ends: Found | None, summary: Found, searched: Found | None, data: Path, made: Found
) -> Document:
    """Return what the records say, without curves of thousands of thresholds.

    ``ends`` is None if an earlier run has what is better beside the bundled network, ``searched`` if no stage took over
    settings; ``made`` says how all was measured (``benchmarks.about``).
    """
    stages = {STAGES[name].title: one for name, one in found.items()}
    bundled = {} if ends is None else {BUNDLED: {"train": [], **ends["bundled"]}}
    return {
        "people": summary,
        "search": searched and _search(searched, data),
        "stages": {
            title: {
                **{part: _verified(one[part]["said"]) for part in ("lfw", "others")},
                "commands": listed(_commands(one), data),
                "about": made,
            }
            for title, one in {**stages, **bundled}.items()
        },
        "door": ends and _door(found, ends),
        "charts": [name for name in CHARTS if name.split("-")[1] in found],
    }


def added(before: Found | None, document: Document) -> Document:
    """Return ``document`` with the stages of an earlier run that it has not, if both are of the same people.

    At the door stands the network that is better on people of the validation.
    """
    if before is None or not same_people(before, document["people"]):
        return document
    stages = {**before["stages"], **document["stages"]}
    return {
        "people": document["people"],
        "search": document["search"] or before["search"],
        "stages": {title: stages[title] for title in _TITLES if title in stages},
        "door": max(filter(None, (document["door"], before["door"])), key=lambda door: door["validated"]),
        "charts": [name for name in CHARTS if name in (*document["charts"], *before["charts"])],
    }


def same_people(before: Found, people: Found) -> bool:
    """Return whether an earlier run's document is of the same ``people``."""
    return bool(before["people"]["sha256"] == people["sha256"])


def _search(searched: Found, data: Path) -> Document:
    kept = {key: searched[key] for key in ("settings", "value", "finished", "trials")}
    return {**kept, "commands": searched.get("commands") or listed([dict(searched)], data)}


def _door(found: Found, ends: Found) -> Document:
    """Return the best stage beside the bundled network, at the cost of the fastest form whose pairs were judged."""
    best, bundled, forms = found[ends["best"]], ends["bundled form"], ends["forms"]["said"]["forms"]
    measured = {USUAL_FORM: best["lfw"], WHOLE_NUMBERS: ends["whole numbers"], bundled["form"]: ends["bundled"]["lfw"]}
    judged = {form: _accuracy(one) for form, one in measured.items() if one is not None}
    fastest = min((one for one in forms if one["form"] in judged), key=_milliseconds)
    return {
        "best": STAGES[ends["best"]].title,
        "validated": ends["validated"],
        "forms": [*forms, bundled],
        "cost": [_cost(fastest), _cost(bundled)],
        "openset": {name: next(iter(one["said"]["ways"].values())) for name, one in ends["openset"].items()},
        "accuracy": judged,
    }


def _accuracy(record: Found) -> dict[str, float]:
    return {name: record["said"][name] for name in ("accuracy", "sd")}


def _cost(form: Found) -> Document:
    """Return the name, the bytes and the milliseconds a face of one form."""
    return {"form": form["form"], "size": form["size"], "milliseconds": _milliseconds(form)}


def _milliseconds(form: Found) -> float:
    return float(next(iter(form["runtimes"].values()))["milliseconds"])


def _verified(said: Found) -> Document:
    rates = said["rates"]
    kept = {name: said[name] for name in _KEPT if name in said}
    return {**kept, "area": rates["auc"], "at_one_percent": rates["accepted"][0]["tar"]}


def _commands(one: Found) -> Iterator[dict[str, Any]]:
    yield from one["train"]
    yield from (one[part] for part in ("export", "lfw", "others") if part in one)
