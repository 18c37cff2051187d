"""The tables of docs/reliability.md: a row for each fault and each attack that a test tries, with what that test saw.

A test in tests/faults is decorated with ``@fault("disk full", how="...")``, one in tests/attacks with
``@attack("lock is a link", how="...")``. Both call the fixture ``saw("... {n} alerts ...")`` with what they measured
(``support.faults.recording``). ``make faults`` runs them all and writes the rows to out/faults.md, out/attacks.md, the
same as .json, and docs/reliability.md. ``pytest tests/attacks/test_MINE.py --table`` adds the rows of one file.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried in a test, and how; ``kind`` is the name of its decorator."""

    kind: str
    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Row:
    """What was tried and what was seen."""

    name: str
    how: str
    seen: str

    @property
    def markdown(self) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in (self.name, self.how, self.seen)) + " |"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page: where its tests are, and its head; ``first`` are the files that come first in it."""

    kind: str
    head: tuple[str, str, str]
    first: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.kind}s"

    @property
    def folder(self) -> Path:
        return ROOT / "tests" / self.name

    @property
    def begin(self) -> str:
        return f"<!-- {self.name} -->"

    @property
    def end(self) -> str:
        return f"<!-- /{self.name} -->"

    def declared(self) -> list[Trial]:
        """Every trial of the tests in ``folder``, in the table's order."""
        paths = sorted(self.folder.glob("test_*.py"), key=lambda path: (self._place(path), path.name))
        return [one for path in paths for one in _declared_in(path, self.kind)]

    def text(self, rows: Iterable[Row]) -> str:
        """Markdown; the rows in the order of ``declared``."""
        order = {one.name: number for number, one in enumerate(self.declared())}
        lines = [row.markdown for row in sorted(rows, key=lambda row: order[row.name])]
        return "\n".join((f"| {' | '.join(self.head)} |", "|---|---|---|", *lines)) + "\n"

    def named_in(self, page: str) -> list[str]:
        """The trials in this table of the page; none where it has no such table."""
        _, _, rest = page.partition(self.begin)
        inside, _, _ = rest.partition(self.end)
        rows = [line.split("|")[1].strip() for line in inside.splitlines() if line.startswith("| ")]
        return rows[1:]

    def put(self, page: str, made: str) -> str:
        """``page`` with ``made`` between this table's marks. Raises ValueError where it has none."""
        before, begin, rest = page.partition(self.begin)
        _, end, after = rest.partition(self.end)
        if not begin or not end:
            raise ValueError(f"docs/reliability.md has no {self.begin} ... {self.end}")
        return f"{before}{self.begin}\n{made}{self.end}{after}"

    def keep(self, rows: list[Row], out: Path = ROOT / "out", page: Path = PAGE) -> str:
        """Write ``rows`` to ``out``, beside those of earlier runs, and all to ``page`` if none is missing.

        Returns what was done, in words.
        """
        out.mkdir(exist_ok=True)
        rows = self._together(out / f"{self.name}.json", rows)
        made = self.text(rows)
        (out / f"{self.name}.md").write_text(made)
        (out / f"{self.name}.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
        done = f"{len(rows)} {self.name} in {out / self.name}.md"
        missing = [one.name for one in self.declared() if one.name not in {row.name for row in rows}]
        if missing:
            return f"{done}; docs/reliability.md is left as it is, for want of: {', '.join(missing)}"
        page.write_text(self.put(page.read_text(), made))
        return f"{done} and {page}"

    def _together(self, earlier: Path, rows: Iterable[Row]) -> list[Row]:
        """``rows``, and those of the file ``earlier`` that were not made again and are still declared as they were."""
        known = {(one.name, one.how) for one in self.declared()}
        found = [Row(**row) for row in json.loads(earlier.read_text())] if earlier.exists() else []
        kept = {row.name: row for row in (*found, *rows) if (row.name, row.how) in known}
        return list(kept.values())

    def _place(self, path: Path) -> int:
        name = path.stem.removeprefix("test_")
        return self.first.index(name) if name in self.first else len(self.first)


FAULTS = Table(
    "fault", ("fault", "injected by", "seen"),
    ("killed", "killed_while_alerting", "entry_delay", "broker", "storage", "films", "clock", "model", "accelerator",
     "plugin", "crowd", "camera", "network", "hub_database", "receiver", "service", "eight_hours"),
)  # fmt: skip
ATTACKS = Table("attack", ("attack", "tried", "seen"))
TABLES = {table.kind: table for table in (FAULTS, ATTACKS)}


def fault(name: str, how: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the fault that a test injects; both must be literals, for ``declared`` reads them from the source."""
    return _marker(Trial("fault", name, how))


def attack(name: str, how: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the attack that a test tries; ``how`` says with which inputs. Both must be literals."""
    return _marker(Trial("attack", name, how))


def _marker(trial: Trial) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def mark(test: Callable[..., Any]) -> Callable[..., Any]:
        test.trial = trial  # type: ignore[attr-defined]
        return test

    return mark


def _declared_in(module: Path, kind: str) -> list[Trial]:
    found = []
    for node in ast.parse(module.read_text()).body:
        for call in getattr(node, "decorator_list", []):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == kind:
                (name, *rest), how = [*call.args], [keyword.value for keyword in call.keywords]
                found.append(Trial(kind, ast.literal_eval(name), ast.literal_eval((*rest, *how)[0])))
    return found
