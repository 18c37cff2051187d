"""A table fits a terminal of 80 columns, and cuts no word that need not be cut."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
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


@pytest.mark.parametrize("name", ["日本語のとても長い名前", "Zoë", "👍" * 20, "x" * 70, "/a" * 60])
@pytest.mark.parametrize("columns", [2, 4, 6, 8])
def test_no_character_of_a_table_is_lost_at_the_edge_of_the_terminal(
    terminal: io.StringIO, name: str, columns: int
) -> None:
    row = [name, "2031-05-30 18:00:00", "unidentified", "which cannot be read here", "1.00", "-", "42 px", "to do it"]
    shown = [cell * (1 + (columns < 8)) for cell in row[:columns]]
    output.table([""] * columns, [shown])
    written = terminal.getvalue()
    assert max(map(cell_len, written.splitlines())) <= 80
    assert Counter("".join(written.split())) == Counter("".join("".join(shown).split()))
