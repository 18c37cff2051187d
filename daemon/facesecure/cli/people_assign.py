"""``facesecure people assign``: which doors of the hub know a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.prompts import Yes, confirm
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.hub.sync.assigning import Assigned


def assign(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person; upper and lower case are the same.")],
    door: Annotated[
        list[str] | None, typer.Option("--door", metavar="DOOR", help="A door that shall know them; may be repeated.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All doors of the household, later ones too.")] = False,
    none: Annotated[bool, typer.Option("--none", help="No other door.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Say which doors of the hub know a person besides this one.

    The others wipe the person: faces, name and snapshots. The command names those that know the person, and asks first.
    The running daemon sees to it within seconds.
    """
    from facesecure.domain.errors import UsageError
    from facesecure.hub.driver import require_driver
    from facesecure.services.audit import audited
    from facesecure.services.people import show_person

    require_driver()
    if sum((bool(door), every, none)) != 1:
        raise UsageError("say which doors: --door DOOR, --all or --none", "facesecure hub doors lists them")
    config = settings_of(context).config()
    with open_store(config) as store:
        person = show_person(store, name).person
    from facesecure.hub.sync.assigning import assign as assign_doors

    wanted = None if every else (door or [])
    if losing := _losing(state_of(config), person.uid, wanted):
        confirm(f"Forget {person.name} at {', '.join(losing)}: faces, name and snapshots", yes)
    with audited(state_of(config), "person-assigned", person.name):
        doors = assign_doors(state_of(config), person.uid, wanted)
    if json:
        output.emit_json({"name": person.name, "doors": doors})
    else:
        output.say(f"{person.name} is to be known at: {doors.words}")


def _losing(state_dir: Path, uid: str, wanted: Sequence[str] | None) -> list[str]:
    """Return the names of the doors that know a person, or are to, and are not among those ``wanted``.

    None where ``assign`` will refuse them, which it shall before anybody is asked. Raises HubError, StoreError.
    """
    from facesecure.domain.errors import UsageError
    from facesecure.hub.sync.assigning import HubAssigner, assigned, doors_called

    if assigned(state_dir, uid) is None:  # no other door has heard of the person yet
        return []
    found = HubAssigner(state_dir).doors_of(uid)
    try:
        kept = None if wanted is None else doors_called(state_dir, wanted)
    except UsageError:
        return []
    if found.fixed:
        return []
    return [one.name for one in found.doors if one.knows and not (one.ours if kept is None else one.identifier in kept)]


def known_at(config: FacesecureConfig, uid: str) -> Assigned | None:
    """Return which doors know a person, None where there is no hub, or they are not shared."""
    if not config.hub.enabled:
        return None
    from facesecure.domain.errors import HubError
    from facesecure.hub.driver import require_driver

    try:
        require_driver()
        from facesecure.hub.sync.assigning import assigned

        return assigned(state_of(config), uid)
    except HubError:  # no driver, or it has not joined: facesecure doctor says so
        return None
