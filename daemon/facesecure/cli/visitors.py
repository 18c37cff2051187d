"""``facesecure visitors``: people who came and are not enrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json, examples, group
from facesecure.cli.prompts import Yes, confirm
from facesecure.cli.settings import open_store, settings_of

if TYPE_CHECKING:
    from facesecure.domain.records import Visitor
    from facesecure.services.visitors import VisitorDetails

app = group(
    "Strangers, grouped into visitors: list, show, name, merge, forget.",
    "facesecure visitors list",
    "facesecure visitors name 3 Anna",
    "facesecure visitors merge 3 5",
    "facesecure visitors forget 4",
)
Number = Annotated[int, typer.Argument(metavar="ID", help="The visitor's number; see `facesecure visitors list`.")]


@app.command("list", epilog=examples("facesecure visitors list", "facesecure visitors list --json"))
def list_visitors(context: typer.Context, json: Json = False) -> None:
    """List visitors and their visits, last seen first."""
    with settings_of(context).store() as store:
        visitors = store.visitors.all()
    if json:
        output.emit_json({"visitors": [serializers.visitor(visitor) for visitor in visitors]})
    elif visitors:
        _table(visitors)
    else:
        output.note("no stranger was seen yet")


def _table(visitors: list[Visitor]) -> None:
    """Print the visitors; with where they were last, if there are several cameras."""
    doors = any(visitor.elsewhere for visitor in visitors)
    several = len({camera for visitor in visitors for camera in visitor.route}) > 1
    rows = [
        (
            visitor.identifier,
            serializers.visitor_name(visitor),
            visitor.visits,
            *((_elsewhere(visitor),) if doors else ()),
            visitor.first_seen,
            visitor.last_seen,
            *((", then ".join(visitor.route),) if several else ()),
            visitor.faces,
            visitor.snapshot,
        )
        for visitor in visitors
    ]
    where = ("last seen at",) if several else ()
    others = ("at other doors",) if doors else ()
    columns = ("id", "who", "visits", *others, "first seen", "last seen", *where, "faces", "best snapshot")
    output.table(columns, rows, right=("id", "visits", "faces"))


@app.command("show", epilog=examples("facesecure visitors show 3", "facesecure visitors show 3 --json"))
def show(context: typer.Context, identifier: Number, json: Json = False) -> None:
    """Show one visitor: every visit, and the faces kept of it."""
    from facesecure.services.visitors import show_visitor

    with settings_of(context).store() as store:
        details = show_visitor(store, identifier)
    if json:
        events = [serializers.sighting(visit) for visit in details.visits]
        faces = [serializers.seen(face) for face in details.faces]
        output.emit_json({**serializers.visitor(details.visitor), "events": events, "seen": faces})
    else:
        _show(details)


def _show(details: VisitorDetails) -> None:
    visitor, way = details.visitor, serializers.route(details.visitor.route)
    about = [f"visitor {visitor.identifier}", serializers.visitor_name(visitor), _times(visitor.visits)]
    output.say(", ".join([*about, *([f"last at: {way}"] if way else [])]))
    if visitor.elsewhere:
        output.say(f"at other doors: {_elsewhere(visitor)}")
    rows = []
    for visit in details.visits:
        clarities = [face.seen.face.quality.clarity for face in details.faces_of(visit)]
        who, best = serializers.coloured_who_now(visit), max(clarities, default=None)
        rows.append((visit.identifier[:8], visit.first_seen, visit.source, who, len(clarities), best, visit.snapshot))
    columns = ("event", "seen", "camera", "who", "faces", "best quality", "snapshot")
    output.table(columns, rows, right=("faces", "best quality"))


@app.command("name", epilog=examples("facesecure visitors name 3 Anna", "facesecure visitors name 3 Anna --json"))
def name(
    context: typer.Context,
    identifier: Number,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of a new or an enrolled person.")],
    json: Json = False,
) -> None:
    """Enrol a visitor from the faces seen at the door.

    The rules of enrolment apply, and each face is reported. Nothing is stored unless enough faces are good. Past visits
    are shown as that person's, named later. A running daemon recognises the person within two seconds.
    """
    from facesecure.cli.enroll import enrolment_document, model_loader, reported, show_faces
    from facesecure.domain.names import person_name
    from facesecure.services.visitors import name_visitor

    config, name = settings_of(context).config(), person_name(name)
    with open_store(config) as store, reported(json):
        named = name_visitor(model_loader(config), store, identifier, name)
    document = enrolment_document(named.enrolment)
    if json:
        output.emit_json({"visitor": identifier, **document})
        return
    show_faces(named.enrolment)
    output.say(
        f"visitor {identifier} is {document['name']}: {document['taken']} new faces, {document['faces']} in all; "
        f"{_times(named.visitor.visits)}, named later"
    )


@app.command("merge", epilog=examples("facesecure visitors merge 3 5", "facesecure visitors merge 3 5 --json"))
def merge(
    context: typer.Context,
    identifier: Annotated[int, typer.Argument(metavar="ID", help="The visitor who stays.")],
    other: Annotated[int, typer.Argument(metavar="OTHER", help="The visitor whose visits become those of ID.")],
    json: Json = False,
) -> None:
    """Merge two visitors who are the same person.

    The visits and faces of the second become those of the first; the second's number is not used again. A visitor who
    was named cannot be merged: give the other the same name.
    """
    from facesecure.services.visitors import merge_visitors

    with settings_of(context).store() as store:
        visitor = merge_visitors(store, identifier, other)
    if json:
        output.emit_json({**serializers.visitor(visitor), "merged": other})
    else:
        output.say(f"visitor {other} is visitor {identifier} now, {_times(visitor.visits)}")


@app.command("forget", epilog=examples("facesecure visitors forget 4", "facesecure visitors forget 4 --yes"))
def forget(
    context: typer.Context,
    identifier: Number,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Forget a visitor: remove all their faces and snapshots. The sightings stay in events.

    A visitor who was named stays enrolled; to forget a person: facesecure people remove.
    """
    from facesecure.services.visitors import forget_visitor

    with settings_of(context).store() as store:
        visitor = store.visitors.find(identifier)
        confirm(f"Forget visitor {identifier}, {_times(visitor.visits)}", yes)
        gone = forget_visitor(store, identifier)
    if json:
        output.emit_json({"forgotten": gone.identifier, "faces": gone.faces})
        return
    output.say(f"visitor {gone.identifier} is forgotten, with {gone.faces} face{'s' if gone.faces != 1 else ''}")
    if gone.name is not None:
        output.note(f"{gone.name} stays enrolled; to forget them too: facesecure people remove {gone.name!r}")


def _elsewhere(visitor: Visitor) -> str:
    """Return at which other doors a visitor was seen, and how often."""
    return ", ".join(f"{one.place} {one.visits}" for one in visitor.elsewhere)


def _times(visits: int) -> str:
    if not visits:
        return "not seen here"
    return "seen once" if visits == 1 else f"seen {visits} times"
