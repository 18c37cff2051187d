"""Walk through the command line: every command with its path, help, arguments, options and commands below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option: its names (``--out``; of an argument the word for it), the word for its value, and help.

    ``value`` is empty for a flag. ``choices`` are the values that it takes, if they are few.
    """

    names: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...] = ()
    is_option: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """A command; ``path`` begins with the program's name, ``below`` are the names of its own commands."""

    path: tuple[str, ...]
    short: str
    help: str
    examples: str
    parameters: tuple[Parameter, ...]
    below: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """The names of all its options."""
        return tuple(name for one in self.parameters if one.is_option for name in one.names)


def commands() -> list[Command]:
    """Return every command of ``facesecure``, each before those below it."""
    from facesecure.cli.app import command

    return list(_walk(command(), ("facesecure",), None))


def _walk(command: Any, path: tuple[str, ...], parent: Any) -> Iterator[Command]:
    context = command.context_class(command, info_name=path[-1], parent=parent)
    below = tuple(command.list_commands(context)) if hasattr(command, "list_commands") else ()
    parameters = [made for one in command.get_params(context) if (made := _parameter(one, context))]
    yield Command(
        path, command.get_short_help_str(80), command.help or "", command.epilog or "", tuple(parameters), below
    )
    for name in below:
        yield from _walk(command.get_command(context, name), (*path, name), context)


def _parameter(parameter: Any, context: Any) -> Parameter | None:
    """Return what ``--help`` lists of a parameter; None for what it does not list."""
    record = parameter.get_help_record(context)
    if record is None:
        return None
    choices = tuple(str(one) for one in getattr(getattr(parameter, "type", None), "choices", ()))
    flag = getattr(parameter, "is_flag", False) or getattr(parameter, "count", False)
    value = "" if flag else parameter.metavar or "|".join(choices) or parameter.name.upper()
    if parameter.param_type_name == "argument":
        return Parameter((parameter.metavar or parameter.name.upper(),), "", parameter.help or "", choices, False)
    names = (*parameter.opts, *parameter.secondary_opts)
    return Parameter(names, value, parameter.help or "", choices)
