"""Commands that plugins contribute, by entry points of the group ``facesecure.commands``.

An entry point named ``alerts.devices`` adds ``facesecure alerts devices``; it refers to a ``typer.Typer`` with this one
command. It is imported only when the command runs or the help of its group is shown, so it does not slow down others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from facesecure.util.containment import describe

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "facesecure.commands"


class PluginCommandGroup(TyperGroup):
    """A group of commands that plugins may extend.

    Commands and contexts are click's, or those of the copy of click in newer versions of typer; hence ``Any``.

    Example::

        app = group("Alert plugins.", "facesecure alerts list", cls=PluginCommandGroup)
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """List the built-in commands first, then those of plugins by name."""
        own = super().list_commands(ctx)
        return [*own, *sorted(self._contributed().keys() - set(own))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command ``cmd_name``, the built-in one first, or None.

        A plugin's command that does not load raises PluginError when it is run; the help lists it with the reason.
        """
        return super().get_command(ctx, cmd_name) or self._load(self._contributed().get(cmd_name), cmd_name)

    def _contributed(self) -> dict[str, EntryPoint]:
        from importlib.metadata import entry_points

        prefix = f"{self.name}."
        found = entry_points(group=ENTRY_POINT_GROUP)
        return {entry.name.removeprefix(prefix): entry for entry in found if entry.name.startswith(prefix)}

    def _load(self, entry: EntryPoint | None, name: str) -> Any:
        if entry is None:
            return None
        from facesecure.config.entry_points import load_entry_point

        try:
            command = typer.main.get_command(load_entry_point(entry))
        except Exception as error:  # noqa: BLE001 - a plugin may fail in any way
            command = _unloadable(entry, name, error)
        command.name = name
        return command


def _unloadable(entry: EntryPoint, name: str, error: BaseException) -> Any:
    """Return a command that raises PluginError whatever its arguments, ``--help`` included."""
    problem = f"does not load: {describe(error)}"
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

    @app.command(name, help=problem, context_settings=settings)
    def fail() -> None:
        from facesecure.domain.errors import PluginError

        origin = entry.dist.name if entry.dist else entry.value
        hint = "reinstall the package that provides it"
        raise PluginError(f"the command {name!r} of {origin} {problem}", hint) from error

    return typer.main.get_command(app)
