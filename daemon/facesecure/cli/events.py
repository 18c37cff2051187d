"""``facesecure events``: the sightings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import event_clips, event_doors, event_export, output, serializers
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import open_store, settings_of, state_of
from facesecure.cli.sighting_filters import (
    All,
    OfCamera,
    OfKind,
    OfName,
    Since,
    Until,
    given_filters,
    spellings,
    unknown_person,
)

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain.records import StoredSighting
    from facesecure.storage.store import Store

app = group(
    "Sightings: list, show, correct, export.",
    "facesecure events list --since yesterday --kind stranger",
    "facesecure events show 3f2a",
    "facesecure events correct 3f2a --not Anna",
    "facesecure events clip 3f2a --output visit.mp4",
    "facesecure events export --output sightings.csv",
)


Identifier = Annotated[str, typer.Argument(metavar="ID", help="The sighting's id, or its first characters.")]


@app.command(
    "list",
    epilog=examples(
        "facesecure events list",
        "facesecure events list --since 12h --kind stranger --camera gate",
        "facesecure events list --doors",
        "facesecure events list --json",
    ),
)
def list_events(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of sightings; the newest are shown.")] = 50,
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    name: OfName = None,
    camera: OfCamera = None,
    corrected: All = False,
    doors: Annotated[
        bool,
        typer.Option("--doors", help="Also those at the household's other doors, as the daemon last heard of them."),
    ] = False,
    json: Json = False,
) -> None:
    """List sightings, newest first."""
    filters, config = given_filters(since, until, kind, name, corrected), settings_of(context).config()
    with open_store(config) as store:
        found = store.sightings(limit, cameras=spellings(config, store, camera), **filters)
        unknown = unknown_person(store, name) if name and not found else ""
        elsewhere = event_doors.elsewhere(config, store, limit, camera, filters) if doors else []
    if doors and event_doors.show(found, elsewhere, limit, json=json):
        return
    if json:
        output.emit_json({"events": [serializers.sighting(sighting) for sighting in found]})
    elif found:
        _table(found)
    elif not unknown:
        filtered = since or until or kind or name or camera
        output.note("no sighting matches" if filtered else "no sighting yet")
    if unknown:
        output.note(unknown)


def _table(found: list[StoredSighting]) -> None:
    rows = [
        (
            s.identifier[:8],
            s.first_seen,
            _duration(s),
            serializers.coloured_who_now(s),
            s.verdict.score,
            s.source,
            s.verdict.why,
        )
        for s in found
    ]
    output.table(("id", "seen", "for", "who", "score", "source", "why"), rows, right=("for", "score"))


def _duration(sighting: StoredSighting) -> str:
    return f"{(sighting.last_seen - sighting.first_seen).total_seconds():.0f} s"


@app.command("show", epilog=examples("facesecure events show 3f2a91c0", "facesecure events show 3f2a --json"))
def show(
    context: typer.Context,
    identifier: Identifier,
    json: Json = False,
) -> None:
    """Show one sighting: who, when, why, the path of its snapshot, and its films."""
    with settings_of(context).store() as store:
        found = store.sighting(identifier)
        document = event_clips.with_films(serializers.sighting(found), store, found)
        document["route"] = store.route(found.identifier)
    if json:
        output.emit_json(document)
        return
    films = "; ".join(map(event_clips.words, document.pop("clips"))) or None
    route = serializers.route(document.pop("route"))
    rows = {**document, "clips": films, "route": route}
    output.table(("field", "value"), [(key, value) for key, value in rows.items() if value is not None])


@app.command(
    "correct",
    epilog=examples(
        "facesecure events correct 3f2a --not Anna",
        "facesecure events correct 3f2a --stranger",
        "facesecure events correct 3f2a --is Tom",
    ),
)
def correct(
    context: typer.Context,
    identifier: Identifier,
    no: Annotated[str | None, typer.Option("--not", metavar="NAME", help="It was not this person.")] = None,
    stranger: Annotated[bool, typer.Option("--stranger", help="It was no enrolled person.")] = False,
    name: Annotated[
        str | None, typer.Option("--is", metavar="NAME", help="It was this new or enrolled person.")
    ] = None,
    json: Json = False,
) -> None:
    """Correct the verdict of a sighting, and learn from it.

    --not and --stranger remove the faces enrolled from the sighting from the person, and keep them as a stranger's: a
    face that is more similar to them than to the person is not recognised as the person. --is enrols the faces, by the
    rules of enrolment. The original verdict stays in the history, beside the correction.
    """
    from facesecure.domain.errors import UsageError

    if (no is not None) + stranger + (name is not None) != 1:
        raise UsageError("give one of: --not NAME, --stranger, --is NAME", "see facesecure events correct --help")
    config = settings_of(context).config()
    with open_store(config) as store:
        if name is not None:
            document = _correct_to_person(config, store, identifier, name, json)
        else:
            document = _correct_to_stranger(config, store, identifier, no)
    if json:
        output.emit_json(document)
    else:
        output.say(str(document["said"]))


def _correct_to_stranger(config: FacesecureConfig, store: Store, identifier: str, name: str | None) -> dict[str, Any]:
    from facesecure.services.corrections import correct_to_stranger
    from facesecure.services.visitors import visitor_matcher

    result = correct_to_stranger(lambda: visitor_matcher(config, state_of(config)), store, identifier, name)
    who = f"not {name}" if name else "nobody we know"  # the words of the stored correction
    removed = f"; {_faces(result.removed)} enrolled from it removed" if result.removed else ""
    kept = f"{_faces(result.remembered)} remembered as visitor {result.visitor}{removed}"
    said = f"event {result.sighting.identifier[:8]} was {who}: {kept}"
    counts = {"remembered": result.remembered, "removed": result.removed}
    return {**serializers.sighting(result.sighting), "said": said, **counts}


def _correct_to_person(
    config: FacesecureConfig, store: Store, identifier: str, name: str, json: bool
) -> dict[str, Any]:
    from facesecure.cli.enroll import enrolment_document, model_loader, reported, show_faces
    from facesecure.services.corrections import correct_to_person

    with reported(json):
        result = correct_to_person(model_loader(config), store, identifier, name)
    enrolled = enrolment_document(result.enrolment)
    if not json:
        show_faces(result.enrolment)
    counts = f"{_faces(enrolled['taken'])} enrolled, {enrolled['faces']} in all"
    said = f"event {result.sighting.identifier[:8]} was {enrolled['name']}: {counts}"
    return {**serializers.sighting(result.sighting), "said": said, "enrolled": enrolled}


def _faces(count: int) -> str:
    return f"{count} face{'s' if count != 1 else ''}"


app.command(
    "clip",
    epilog=examples(
        "facesecure events clip 3f2a --output visit.mp4",
        "facesecure events clip 20310530T181502Z-1f3a9c04 --output visit.mp4",
    ),
)(event_clips.clip)


app.command(
    "export",
    epilog=examples(
        "facesecure events export > sightings.jsonl",
        "facesecure events export --format csv --output sightings.csv --since 30d",
        "facesecure events export --output sightings.jsonl --clips films",
    ),
)(event_export.export)
