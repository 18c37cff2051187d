"""``facesecure presence``: say who is at home, and see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.control_client import ask_daemon
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of
from facesecure.domain.presence import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = {Whereabouts.HOME.value: "at home", Whereabouts.AWAY.value: "away"}


def presence(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Somebody of [presence] people.", show_default=False)] = None,
    where: Annotated[str | None, typer.Argument(help="home or away.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Say that somebody is at home or away; without arguments, show who is.

    What follows is set in [presence]: it may arm when everybody has left, and disarm when the first one comes home.
    Needs root or membership of the group facesecure.
    """
    from facesecure.domain.errors import UsageError

    if name is not None and where not in _WORDS:
        raise UsageError("say whether it is home or away", f"facesecure presence {name} home")
    settings = settings_of(context)
    if name is None:
        found = ask_daemon(settings, "status")
    else:
        found = ask_daemon(settings, "presence", {"name": name, "where": where})
    shown = {"mode": found["mode"], "presence": found["presence"], "arms_in": found["arms_in"]}
    if json:
        output.emit_json(shown)
    elif not shown["presence"]:
        output.say("nobody's presence is followed: name the people in [presence]")
    else:
        output.table(("", ""), presence_rows(shown))


def presence_rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a row for everybody, and one for what follows if everybody has left."""
    rows = [(one["name"], _WORDS.get(one["where"], "unknown")) for one in found["presence"]]
    if found["arms_in"] is not None:
        rows.append(("everybody is away", f"armed in {found['arms_in']:.0f} s"))
    return rows
