"""Small liberties with the command line that the parser does not take by itself.

Global options may stand anywhere, ``--images`` takes as many paths as follow it (so that a shell's ``*.jpg``
works), and ``--camera`` may stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from typer.core import TyperCommand

GLOBAL_VALUES = ("--config", "--state-dir")
GLOBAL_FLAGS = ("--verbose", "-v")


def globals_first(arguments: Sequence[str]) -> list[str]:
    """``arguments`` with the global options moved before the command; what follows ``--`` stays as it is."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*front, *rest, word, *words]
        if word in GLOBAL_VALUES:
            front += [word, *_next(words)]
        elif word in GLOBAL_FLAGS or word.startswith(tuple(f"{name}=" for name in GLOBAL_VALUES)):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def _next(words: Iterable[str]) -> list[str]:
    return next(([word] for word in words), [])


def repeat_option(option: str, arguments: Sequence[str]) -> list[str]:
    """``option A B C`` written out as ``option A option B option C``, up to the next word that begins with a dash."""
    result: list[str] = []
    spreading = fresh = False
    for index, word in enumerate(arguments):
        if word == "--":
            return result + list(arguments[index:])
        if word == option:
            spreading = fresh = True
            result.append(word)
        elif spreading and not _is_option(word):
            result += [word] if fresh else [option, word]
            fresh = False
        else:
            spreading = False
            result.append(word)
    return result


def optional_value(option: str, arguments: Sequence[str]) -> list[str]:
    """``option`` given an empty value where the word after it is not a URI (scheme:address)."""
    result: list[str] = []
    for index, word in enumerate(arguments):
        if word == "--":
            return result + list(arguments[index:])
        following = arguments[index + 1] if index + 1 < len(arguments) else ""
        bare = word == option and (_is_option(following) or ":" not in following)
        result.append(f"{option}=" if bare else word)
    return result


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


class EnrollCommand(TyperCommand):
    """``enroll``, which takes ``--images A B C`` and ``--camera [URI]``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, optional_value("--camera", repeat_option("--images", args)))
