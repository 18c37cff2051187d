"""Every command line that a page shows exists, with its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from facesecure.cli.app import app
from facesecure_training.cli.main import app as training_app

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "plugins" / "README.md"]
    if not path.name.endswith("commands.md")
)
EXAMPLES = {"marquee"}
"""Commands of packages that the pages make up."""
PROGRAMS = {"facesecure": app, "facesecure-train": training_app}
LINE = re.compile(r"(?<![\w./-])(?<!-u )(?:\.venv/bin/|sudo )*(facesecure(?:-train)?) ((?:[^`\n#|]|\\\|)+)")


def command_lines(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield program and words of the command lines in code blocks and in backquotes."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for code in [*blocks, *re.findall(r"`([^`]+)`", outside)]:
        for program, words in LINE.findall(code):
            yield program, words.split()


def complaint(program: str, words: list[str]) -> str | None:
    """Return what is wrong with a command line: an unknown command, or an option that it does not take."""
    command: Any = typer.main.get_command(PROGRAMS[program])
    known = options(command, None)
    for word in words:
        if word.startswith("-"):
            if re.sub(r"^-(\w)\1+$", r"-\1", word.split("=")[0]) not in known:  # -vv is -v, twice
                return f"{word} is no option of {command.name}"
        elif hasattr(command, "get_command"):
            command = command.get_command(command.context_class(command, info_name=command.name), word)
            if command is None:
                return None if word in EXAMPLES else f"there is no command {word}"
            known |= options(command, None)
    return None


def options(command: Any, parent: Any) -> set[str]:
    context = command.context_class(command, info_name=command.name, parent=parent)
    return {name for parameter in command.get_params(context) for name in parameter.opts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_shown_as_they_are(page: Path) -> None:
    wrong = [
        f"{program} {' '.join(words)}: {found}"
        for program, words in command_lines(page)
        if (found := complaint(program, words))
    ]
    assert wrong == []


def test_a_wrong_command_line_would_be_found() -> None:
    assert complaint("facesecure", ["people", "list"]) is None
    assert complaint("facesecure", ["people", "lost"])
    assert complaint("facesecure", ["arm", "away", "--jason"])
