"""``facesecure hub doors``: the doors of the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output
from facesecure.cli.arguments import ListGroup
from facesecure.cli.output import Json, examples, group
from facesecure.cli.prompts import Yes, confirm
from facesecure.cli.settings import settings_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facesecure.config import FacesecureConfig
    from facesecure.hub.identity import Certificate
    from facesecure.hub.managing import Manager

from contextlib import contextmanager

app = group(
    "The doors of the hub: list, rename, remove. Only the manager renames and removes.",
    "facesecure hub doors",
    "facesecure hub doors rename garage 'side door'",
    "facesecure hub doors remove garage",
    cls=ListGroup,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The door: its name, or its id in facesecure hub doors.")]


@app.command("list", epilog=examples("facesecure hub doors", "facesecure hub doors list --json"))
def list_doors(context: typer.Context, json: Json = False) -> None:
    """List the doors, with what they may do and when the hub last heard of them."""
    config = config_for_hub(context)
    from facesecure.hub.overview import listed

    found = listed(config.hub, state_of(config))
    if json:
        output.emit_json({"doors": found.doors, "problems": found.problems})
    else:
        rows = [
            (one.name, one.household or one.household_id[:8], ", ".join(one.rights) or "-", one.seen_at, one.id)
            for one in found.doors
        ]
        output.table(("name", "household", "rights", "last heard of", "id"), rows)
    for problem in found.problems:
        output.note(f"warning: {problem}")


@app.command("rename", epilog=examples("facesecure hub doors rename garage 'side door'"))
def rename(
    context: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    json: Json = False,
) -> None:
    """Give a door another name."""
    from facesecure.domain.names import name_at_hub

    wanted = name_at_hub(new, "door")
    with _manager(context) as manager:
        door = _door(manager, name)
        manager.rename(door, wanted)
    if json:
        output.emit_json({"id": door.door, "name": wanted})
    else:
        output.say(f"{door.name} is called {wanted}")


@app.command(
    "remove", epilog=examples("facesecure hub doors remove garage", "facesecure hub doors remove garage --yes")
)
def remove(context: typer.Context, name: Name, yes: Yes = False, json: Json = False) -> None:
    """Shut a door out for good, as when it is stolen or replaced. It can only come back with another invitation.

    Its household gets another key. What the door has on its own disk stays there: if it was stolen, that is protected
    by its own key only.
    """
    with _manager(context) as manager:
        door = _door(manager, name, half_removed=True)
        confirm(f"Shut out {door.name} for good", yes)
        manager.remove(door)
    if json:
        output.emit_json({"id": door.door, "name": door.name, "removed": True})
    else:
        output.say(f"{door.name} is shut out")


def config_for_hub(context: typer.Context) -> FacesecureConfig:
    """Return the configuration. Raises HubError if the driver of the database is missing."""
    from facesecure.hub.driver import require_driver

    require_driver()
    return settings_of(context).config()


@contextmanager
def _manager(context: typer.Context) -> Iterator[Manager]:
    config = config_for_hub(context)
    from facesecure.hub.access import opened
    from facesecure.hub.identity_file import member_identity
    from facesecure.hub.managing import Manager

    with opened(member_identity(state_of(config)), config.hub, state_of(config)) as store:
        yield Manager(state_of(config), store)


def _door(manager: Manager, name: str, *, half_removed: bool = False) -> Certificate:
    from facesecure.hub.door_names import door_called

    return door_called(name, [*manager.doors(), *(manager.half_removed() if half_removed else ())])
