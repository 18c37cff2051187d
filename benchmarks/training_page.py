"""Write training/RESULTS.md from the results beside it: no figure on that page is typed by hand.

    python -m benchmarks.training_page            # write the page
    python -m benchmarks.training_page --check    # exit with 1 if it is not as the results have it

Each benchmark writes its figures as JSON, and its charts, into training/results; the section is then a function of that
JSON. A section without results is kept as an older benchmark wrote it, or left out. The end of the page names it with
the command that makes it.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "training" / "results"
PAGE = RESULTS.parent / "RESULTS.md"

_AGAIN = "--out build/report --results training/results"
SECTIONS = {
    "report": ("benchmarks.report_2020", f"python -m benchmarks.report_2020 {_AGAIN}"),
    "siamese": (
        "benchmarks.siamese.table",
        "python -m benchmarks.siamese --out build/siamese --results training/results",
    ),
    "training_speed": (
        "benchmarks.training_speed",
        "python -m benchmarks.training_speed build/siamese/people/train --results training/results",
    ),
    "lookalikes": ("benchmarks.lookalikes", f"python -m benchmarks.lookalikes {_AGAIN}"),
    "groups": ("benchmarks.groups", f"python -m benchmarks.groups {_AGAIN}"),
}
"""Name of the JSON: the module whose ``page`` turns it into lines of Markdown, and the command that makes it."""

INTRODUCTION = """# What training gave, figure by figure

Written by `python -m benchmarks.training_page` from the JSON in [results](results), which the benchmarks write: no
figure is typed by hand, and every comparison is computed from the intervals. Each section names its command, seed,
commit, date and machine; those "in an earlier run" are older than this rule. Compare ratios, not minutes. The photos
(Labelled Faces in the Wild, CelebA) are for research; none of them, and no network trained on them, is part of
facesecure.
"""
CARRIED = ("report", "speed")
"""Sections that stand on the page between marks, of earlier benchmarks: each is kept until it has results as JSON."""


def main() -> None:
    text = page(RESULTS, PAGE.read_text(encoding="utf-8") if PAGE.exists() else "")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == text else f"{PAGE.name} is not current: {__doc__}")
    PAGE.write_text(text, encoding="utf-8")


def page(results: Path, before: str = "") -> str:
    """Return the page for the JSON in ``results``; ``before`` is the page as it is."""
    parts, missing = [INTRODUCTION], []
    for name, (module, command) in SECTIONS.items():
        document = read(results / f"{name}.json")
        if document is not None:
            parts.append("\n".join(importlib.import_module(module).page(document)) + "\n")
        if document is None or document.get("one_person") == 0:  # a part of it was left out
            parts += _carried(before, name)
            missing.append(f"- {name}: `{command}`")
    for name in CARRIED:
        if name not in SECTIONS:
            parts += _carried(before, name)
    if missing:
        parts.append("\n".join(["## Not measured yet, or not anew", "", *missing]) + "\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def write(name: str, document: dict[str, Any], results: Path) -> None:
    """Write the results ``name`` into the folder ``results``, and the page beside it anew."""
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(document, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    beside = results.parent / "RESULTS.md"
    beside.write_text(page(results, beside.read_text(encoding="utf-8") if beside.exists() else ""), encoding="utf-8")


def read(path: Path) -> dict[str, Any] | None:
    """Return the results in ``path``; None if there are none."""
    if not path.exists():
        return None
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _carried(page: str, name: str) -> list[str]:
    """Return the section between the marks of ``name`` with its heading; nothing if there is none."""
    found = re.search(rf"^## [^\n]*\n+<!-- {name} -->\n.*?<!-- /{name} -->\n", page, re.DOTALL | re.MULTILINE)
    return [found[0]] if found and name in CARRIED else []


if __name__ == "__main__":
    main()
