"""``facesecure visitors``: who came and is not known."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import open_store, settings_of

app = group(
    "Strangers, grouped by who it was: list, show, name, forget.",
    "facesecure visitors list",
    "facesecure visitors name 3 Anna",
    "facesecure visitors forget 4",
)
Number = Annotated[int, typer.Argument(metavar="ID", help="The visitor's number; visitors list shows it.")]


@app.command("list", epilog=examples("facesecure visitors list", "facesecure visitors list --json"))
def list_visitors(context: typer.Context, json: Json = False) -> None:
    """List who came, how often and when, those seen last first."""
    with settings_of(context).store() as store:
        visitors = store.visitors.all()
    if json:
        output.emit_json({"visitors": [serializers.visitor(visitor) for visitor in visitors]})
    elif visitors:
        rows = [
            (v.identifier, serializers.visitor_name(v), v.visits, v.first_seen, v.last_seen, v.faces, v.snapshot)
            for v in visitors
        ]
        columns = ("id", "who", "visits", "first seen", "last seen", "faces", "best picture")
        output.table(columns, rows, right=("id", "visits", "faces"))
    else:
        output.note("no stranger was seen yet")


@app.command("show", epilog=examples("facesecure visitors show 3", "facesecure visitors show 3 --json"))
def show(context: typer.Context, identifier: Number, json: Json = False) -> None:
    """Show one visitor: every visit, and the faces kept of it."""
    with settings_of(context).store() as store:
        visitor, faces = store.visitors.find(identifier), store.visitors.faces(identifier)
        visits = [store.sighting(sighting) for sighting in store.visitors.visits(identifier)]
    if json:
        shown = [serializers.sighting(visit) for visit in visits]
        output.emit_json({**serializers.visitor(visitor), "events": shown, "seen": list(map(serializers.seen, faces))})
        return
    output.say(f"visitor {visitor.identifier}, {serializers.visitor_name(visitor)}, {_times(visitor.visits)}")
    rows = []
    for visit in visits:
        clarities = [face.seen.face.quality.clarity for face in faces if face.sighting == visit.identifier]
        who, best = serializers.coloured_who_now(visit), max(clarities, default=None)
        rows.append((visit.identifier[:8], visit.first_seen, who, len(clarities), best, visit.snapshot))
    output.table(("event", "seen", "who", "faces", "best quality", "picture"), rows, right=("faces", "best quality"))


@app.command("name", epilog=examples("facesecure visitors name 3 Anna", "facesecure visitors name 3 Anna --json"))
def name(
    context: typer.Context,
    identifier: Number,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is; may be somebody enrolled already.")],
    json: Json = False,
) -> None:
    """Enrol a visitor from the faces seen at the door.

    The rules are those of enrolment, and of each face it is said whether it was taken. Nothing is kept unless enough
    are good. Past visits are shown as that person's, named later. A running daemon knows the person within two seconds.
    """
    from facesecure.cli.enroll import teach
    from facesecure.domain.names import person_name

    config, name = settings_of(context).config(), person_name(name)
    with open_store(config) as store:
        visitor, faces = store.visitors.find(identifier), store.visitors.faces(identifier)
        told = teach(config, store, name, faces, lambda good: store.visitors.name(identifier, name, good), json)
    if json:
        output.emit_json({"visitor": identifier, **told})
        return
    output.say(
        f"visitor {identifier} is {told['name']}: {told['taken']} new faces, {told['faces']} in all; "
        f"{_times(visitor.visits)}, named later"
    )


@app.command("forget", epilog=examples("facesecure visitors forget 4", "facesecure visitors forget 4 --yes"))
def forget(
    context: typer.Context,
    identifier: Number,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget a visitor: every face and picture of theirs is wiped. That somebody came stays in events.

    A visitor who was named stays enrolled; for that: facesecure people remove.
    """
    with settings_of(context).store() as store:
        visitor = store.visitors.find(identifier)
        if not (yes or json) and sys.stdin.isatty() and sys.stderr.isatty():
            typer.confirm(f"Forget visitor {identifier}, {_times(visitor.visits)}?", abort=True, err=True)
        gone = store.visitors.forget(identifier)
    if json:
        output.emit_json({"forgotten": gone.identifier, "faces": gone.faces})
        return
    output.say(f"visitor {gone.identifier} is forgotten, with {gone.faces} face{'s' if gone.faces != 1 else ''}")
    if gone.name is not None:
        output.note(f"{gone.name} stays enrolled; to forget that too: facesecure people remove {gone.name!r}")


def _times(visits: int) -> str:
    return "seen once" if visits == 1 else f"seen {visits} times"
