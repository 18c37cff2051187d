"""The table of faults: a row for each fault that a test injects, with what that test saw.

A test is decorated with ``fault("disk full", how="...")`` and calls the fixture ``saw("... {n} alerts ...")`` with what
it measured. ``make faults`` runs them all and writes the rows to out/faults.md, out/faults.json and
docs/reliability.md.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
FAULTS = ROOT / "tests" / "faults"
BEGIN, END = "<!-- faults -->", "<!-- /faults -->"
MODULES = (
    "killed", "killed_while_alerting", "storage", "clock", "model", "plugin", "crowd", "camera", "network", "receiver",
    "service", "eight_hours",
)  # fmt: skip
"""The tests' files, in the table's order."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken on purpose, and how."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and what was seen."""

    fault: str
    how: str
    seen: str

    @property
    def markdown(self) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in (self.fault, self.how, self.seen)) + " |"


def fault(name: str, how: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Says which row a test makes; both must be literals, for ``declared`` reads them from the source."""

    def mark(test: Callable[..., Any]) -> Callable[..., Any]:
        test.fault = Fault(name, how)  # type: ignore[attr-defined]
        return test

    return mark


def declared(folder: Path = FAULTS) -> list[Fault]:
    """Every fault that a test of ``folder`` injects, in the table's order."""
    return [one for module in MODULES for one in _declared_in(folder / f"test_{module}.py")]


def table(rows: Iterable[Row]) -> str:
    """Markdown; the rows in the order of ``declared``."""
    order = {one.name: number for number, one in enumerate(declared())}
    lines = [row.markdown for row in sorted(rows, key=lambda row: order[row.fault])]
    return "\n".join(("| fault | injected by | seen |", "|---|---|---|", *lines)) + "\n"


def named_in(text: str) -> list[str]:
    """The faults in the table of the page ``text``; none where it has no such table."""
    _, _, rest = text.partition(BEGIN)
    inside, _, _ = rest.partition(END)
    rows = [line.split("|")[1].strip() for line in inside.splitlines() if line.startswith("| ")]
    return rows[1:]


def with_table(page: str, made: str) -> str:
    """``page`` with ``made`` between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/reliability.md has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{made}{END}{after}"


def keep(rows: list[Row], out: Path = ROOT / "out", page: Path = ROOT / "docs" / "reliability.md") -> str:
    """Write ``rows`` to ``out``, beside those of earlier runs, and all to ``page`` if none is missing.

    Returns what was done, in words.
    """
    out.mkdir(exist_ok=True)
    rows = together(out / "faults.json", rows)
    made = table(rows)
    (out / "faults.md").write_text(made)
    (out / "faults.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    done = f"{len(rows)} faults in {out / 'faults.md'}"
    missing = [one.name for one in declared() if one.name not in {row.fault for row in rows}]
    if missing:
        return f"{done}; docs/reliability.md is left as it is, for want of: {', '.join(missing)}"
    if BEGIN not in (text := page.read_text()):
        return f"{done}; docs/reliability.md has no {BEGIN}"
    page.write_text(with_table(text, made))
    return f"{done} and {page}"


def together(earlier: Path, rows: Iterable[Row]) -> list[Row]:
    """``rows``, and those of the file ``earlier`` that were not made again and are still declared as they were."""
    known = {(one.name, one.how) for one in declared()}
    found = [Row(**row) for row in json.loads(earlier.read_text())] if earlier.exists() else []
    kept = {row.fault: row for row in (*found, *rows) if (row.fault, row.how) in known}
    return list(kept.values())


def _declared_in(module: Path) -> list[Fault]:
    found = []
    for node in ast.parse(module.read_text()).body:
        for call in getattr(node, "decorator_list", []):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "fault":
                (name, *rest), how = [*call.args], [keyword.value for keyword in call.keywords]
                found.append(Fault(ast.literal_eval(name), ast.literal_eval((*rest, *how)[0])))
    return found
