"""Commands that plugins add to ours, by entry points of the group ``facesecure.commands``.

An entry point named ``alerts.devices`` adds ``facesecure alerts devices``; it refers to a ``typer.Typer`` that holds
this one command. It is imported when that command is run, or listed by the help of its group, and never before: no
other command pays for it.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

ENTRY_POINT_GROUP = "facesecure.commands"


class PluginCommandGroup(TyperGroup):
    """A group of commands that plugins may extend: ``group(..., cls=PluginCommandGroup)``.

    Commands and contexts are of click's classes, or of the copy of click that newer versions of typer carry.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Our own commands first, then those of plugins by name."""
        own = super().list_commands(ctx)
        return [*own, *sorted(self._contributed().keys() - set(own))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command ``cmd_name``; our own where both have one. Raises PluginError where a plugin's does not load."""
        return super().get_command(ctx, cmd_name) or self._load(self._contributed().get(cmd_name), cmd_name)

    def _contributed(self) -> dict[str, EntryPoint]:
        prefix = f"{self.name}."
        found = entry_points(group=ENTRY_POINT_GROUP)
        return {entry.name.removeprefix(prefix): entry for entry in found if entry.name.startswith(prefix)}

    def _load(self, entry: EntryPoint | None, name: str) -> Any:
        from facesecure.domain.errors import PluginError

        if entry is None:
            return None
        try:
            command = typer.main.get_command(entry.load())
        except Exception as error:
            origin = entry.dist.name if entry.dist else entry.value
            raise PluginError(
                f"the command {name!r} of {origin} does not load: {type(error).__name__}: {error}",
                "reinstall the package that brings it",
            ) from error
        command.name = name
        return command
