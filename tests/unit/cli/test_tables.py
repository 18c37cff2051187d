"""A table fits a terminal of 80 columns, and cuts no word that need not be cut."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from facesecure.cli import output

WHEN = datetime(2031, 5, 30, 18, 0, tzinfo=UTC)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 80 columns that keeps what is written on it, without colours."""
    written = io.StringIO()
    console = Console(file=written, width=80, force_terminal=True, color_system=None, highlight=False)
    monkeypatch.setattr(output, "out", lambda: console)
    monkeypatch.setenv("NO_COLOR", "1")
    return written


def test_no_word_is_cut_in_the_table_of_events(terminal: io.StringIO) -> None:
    why = "3 usable faces, 0.31 like Maximiliane: too little for a name and too much for a stranger"
    row = ("3f2a91c0", WHEN, "12 s", "unidentified", 0.31, "front door", why)
    output.table(("id", "seen", "for", "who", "score", "source", "why"), [row], right=("for", "score"))
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    words = terminal.getvalue().split()
    assert {"3f2a91c0", "unidentified", "score", "0.31", "Maximiliane:", "stranger"} <= set(words)


def test_a_long_path_is_cut_and_the_other_words_are_not(terminal: io.StringIO) -> None:
    output.table(("field", "value"), [("snapshot", "/" + "x" * 200), ("unidentified", "yes")])
    assert max(map(len, terminal.getvalue().splitlines())) <= 80
    assert {"snapshot", "unidentified"} <= set(terminal.getvalue().split())
