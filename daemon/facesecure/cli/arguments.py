"""Rewrites the command line where the parser is too strict.

Global options are accepted anywhere, ``--images`` takes all paths that follow it (so that a shell's ``*.jpg`` works),
and ``--camera`` may have no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

GLOBAL_VALUES = ("--config", "--state-dir")
GLOBAL_FLAGS = ("--verbose", "-v")


def globals_first(arguments: Sequence[str]) -> list[str]:
    """Return ``arguments`` with the global options moved before the command; words after ``--`` are unchanged."""
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
    """Rewrite ``option A B C`` as ``option A option B option C``, up to the next word that starts with a dash."""
    result: list[str] = []
    repeating = first = False
    for index, word in enumerate(arguments):
        if word == "--":
            return result + list(arguments[index:])
        if word == option:
            repeating = first = True
            result.append(word)
        elif repeating and not _is_option(word):
            result += [word] if first else [option, word]
            first = False
        else:
            repeating = False
            result.append(word)
    return result


def optional_value(option: str, arguments: Sequence[str], valued: Sequence[str] = ()) -> list[str]:
    """Give ``option`` an empty value where the word after it is not one.

    It is one if it is an address (scheme:location), or if another word is there to be the command's argument. The
    options of ``valued`` always have a value.
    """
    result: list[str] = []
    free = _free_words(option, arguments, valued)
    for index, word in enumerate(arguments):
        if word == "--":
            return result + list(arguments[index:])
        following = arguments[index + 1] if index + 1 < len(arguments) else "--"
        bare = word == option and (_is_option(following) or not (":" in following or free))
        result.append(f"{option}=" if bare else word)
    return result


def _free_words(option: str, arguments: Sequence[str], valued: Sequence[str]) -> int:
    """Return how many words can only be arguments: they are no option, and follow none that may take them."""
    count, before = 0, ""
    for index, word in enumerate(arguments):
        if word == "--":
            return count + len(arguments) - index - 1
        count += not _is_option(word) and before not in (option, *valued)
        before = word
    return count


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


class EnrollCommand(TyperCommand):
    """The ``enroll`` command, which accepts ``--images A B C`` and ``--camera [NAME|URI]``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse ``args`` after rewriting both options."""
        spread = repeat_option("--images", args)
        return super().parse_args(ctx, optional_value("--camera", spread, ("--images", "--video", "--face")))


class ListGroup(TyperGroup):
    """A group whose command ``list`` runs where none is named: ``facesecure audit --limit 5``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert ``list`` unless a command or help is asked for."""
        named = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])
