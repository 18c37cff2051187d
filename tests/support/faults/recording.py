"""The pytest plugin that collects what tests of faults and attacks saw; ``--table`` writes it all down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.faults.table import TABLES, Row, Trial

_SEEN = "seen"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--table", action="store_true", help="write what was seen of faults and attacks to out/ and docs/reliability.md"
    )


@pytest.fixture
def saw(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], None]:
    """Say what was seen of what the test tries; more than once makes one row. Kept if the test passes."""
    trial: Trial = request.function.trial

    def record(text: str) -> None:
        request.node.user_properties.append(
            (_SEEN, (trial.kind, trial.name, trial.how, text.replace(str(tmp_path), "")))
        )

    return record


@pytest.fixture
def damaging(pytestconfig: pytest.Config) -> float:
    """Seconds that random damage lasts: a minute for the table, a quarter of it where the tests only have to pass."""
    return 60.0 if pytestconfig.getoption("--table") else 15.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for kind, rows in rows_of(terminalreporter.getreports("passed")).items():
        for row in rows:
            terminalreporter.write_line(f"{row.name}: {row.seen}")
        if config.getoption("--table"):
            terminalreporter.write_line(TABLES[kind].keep(rows))


def rows_of(reports: list[pytest.TestReport]) -> dict[str, list[Row]]:
    """Return the rows of each kind of trial, from the reports of tests that passed."""
    words: dict[tuple[str, str, str], list[str]] = {}
    for report in reports:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == _SEEN:
                kind, trial, how, text = value
                words.setdefault((kind, trial, how), []).append(text)
    found: dict[str, list[Row]] = {}
    for (kind, trial, how), texts in words.items():
        found.setdefault(kind, []).append(Row(trial, how, "; ".join(dict.fromkeys(texts))))
    return found
