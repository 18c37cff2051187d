"""Parse TOML, and go on after a line that is none, so that the other lines can be checked too."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

_MOST = 20
"""Lines that are left out at most before the rest of the file counts as something else than TOML."""
_PLACED = re.compile(r"(?P<text>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)", re.DOTALL)
# A setting whose value ends on its own line: without it, the other lines mean what they meant before.
_ONE_LINE = re.compile(r"""[ \t]*[\w."'-]+[ \t]*=(?![ \t]*(?:[\[{]|\"{3}|'{3}))""")
_PLAIN = (
    (r"Invalid value", "there is no value that could be read; text needs quotes"),
    (
        r"Expected newline or end of document.*",
        "something follows the value; text needs quotes, a comment begins with #",
    ),
    (r"Expected '=' after a key.*", "a setting looks like key = value"),
    (r"Invalid statement", "this is no setting (key = value), section ([camera]) or comment (#)"),
    (r"Cannot overwrite a value", "this setting is there twice"),
    (r"Cannot declare .* twice", "this section is there twice"),
    (r"Unescaped '\\+' in a string", r"in double quotes write \\ for \, or use single quotes"),
    (r"Illegal character '\\n'", "the quotes are not closed on this line"),
    (r"Unterminated string", "the quotes are not closed"),
    (r"Unclosed array", "the list has no ] at its end"),
    (r"Expected ']' at the end of.*", "the name of a section ends with ]"),
)


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """A place in a file that is not TOML: its line, from 1, the place in words, and what is wrong with it."""

    line: int
    place: str
    text: str


def parse(text: str) -> tuple[dict[str, Any], str, tuple[SyntaxProblem, ...]]:
    """Return the tables in ``text``, ``text`` without the lines that are not TOML, and what is wrong with those.

    Lines keep their numbers. Where the fault may extend over several lines, the tables are empty.
    """
    problems: list[SyntaxProblem] = []
    while True:
        try:
            return tomllib.loads(text), text, tuple(problems)
        except tomllib.TOMLDecodeError as error:
            problems.append(_problem(str(error), text))
        except RecursionError:
            return {}, "", (*problems, SyntaxProblem(1, "line 1", "its lists and tables are nested too deeply"))
        except ValueError as error:  # a number of more than 4300 digits
            return {}, "", (*problems, SyntaxProblem(1, "line 1", f"a value cannot be read: {error}"))
        lines = text.split("\n")
        faulty = problems[-1].line - 1
        if len(problems) == _MOST or not _ONE_LINE.match(lines[faulty]):
            return {}, "", tuple(problems)
        lines[faulty] = ""
        text = "\n".join(lines)


def _problem(message: str, text: str) -> SyntaxProblem:
    found = _PLACED.fullmatch(message)
    if found is None:  # "(at end of document)"
        line = text.count("\n") + 1
        return SyntaxProblem(line, f"line {line}", _plainly(message.removesuffix(" (at end of document)")))
    line, text_of = int(found["line"]), found["text"]
    return SyntaxProblem(line, f"line {line}, column {found['column']}", _plainly(text_of))


def _plainly(message: str) -> str:
    """Return the parser's ``message`` in plain words, where they are known."""
    return next((plain for pattern, plain in _PLAIN if re.fullmatch(pattern, message, re.DOTALL)), message)
