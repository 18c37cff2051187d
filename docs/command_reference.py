"""The reference of all commands and options of a program, from the program itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from docs.markdown_text import escaped, one_line, prose, table


def commands(program: str, app: typer.Typer) -> str:
    """Return the reference of all commands of ``app``, which is started as ``program``."""
    return "\n".join(_command(typer.main.get_command(app), program, None))


def _command(command: Any, path: str, parent: Any) -> Iterator[str]:
    """Yield what there is to say of ``command``, then of the commands below it.

    Commands and contexts are click's classes, or those of the copy of click that newer versions of typer carry.
    """
    context = command.context_class(command, info_name=path.split()[-1], parent=parent)
    yield f"{'#' * min(4, len(path.split()) + 1)} `{path}`\n"
    yield from prose(command.help or "")
    if rows := [row for parameter in command.get_params(context) if (row := _parameter(parameter, context))]:
        yield table(("argument or option", "default", "meaning"), rows)
    yield from prose(command.epilog or "")
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _command(command.get_command(context, name), f"{path} {name}", context)


def _parameter(parameter: Any, context: Any) -> tuple[str, str, str] | None:
    """Return a row for an argument or option; None for ``--help`` and for what ``--help`` does not list."""
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return None
    default = re.search(r"\s*\[([^][]*)\]$", record[1])
    extras = _extras(default[1] if default else "")
    return f"`{_usage(parameter, record[0])}`", extras, escaped(one_line(parameter.help or ""))


def _usage(parameter: Any, left: str) -> str:
    """Return an option with the word for its value. ``left`` is how ``--help`` has it, which depends on the version."""
    words = re.search(r"[\w.-]+(\|[\w.-]+)+", left)
    value = words[0] if words else parameter.metavar or _placeholder(left)
    if parameter.param_type_name == "argument":
        return value if words else (parameter.metavar or parameter.name.upper())
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if getattr(parameter, "is_flag", False) or getattr(parameter, "count", False) else f"{names} {value}"


_PLACEHOLDERS = {"STR": "TEXT", "INT": "INTEGER", "DIR": "PATH", "DIRECTORY": "PATH", "FILE": "PATH"}


def _placeholder(left: str) -> str:
    """Return the words for the values of an option: TEXT, INTEGER, FLOAT, PATH; the same with all versions of typer."""
    words = re.sub(r"-[\w-]+,?|[<>[\].]|\blist\b|\brange\b", "", left, flags=re.IGNORECASE).upper()
    return " ".join(_PLACEHOLDERS.get(word, word) for word in re.split(r"[\s,]+", words.strip()))


def _extras(text: str) -> str:
    """Return what ``--help`` adds in brackets: the default and the limits, in words."""
    return escaped(", ".join(_extra(part.strip()) for part in text.split(";") if part.strip()))


def _extra(part: str) -> str:
    if part.startswith("default: "):
        return part.removeprefix("default: ").strip("()")
    if limit := re.fullmatch(r"(?:(\S+)<=)?x(?:>=(\S+))?(?:<=(\S+))?", part):
        low, high = limit[1] or limit[2], limit[3]
        return f"from {low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
    return part
