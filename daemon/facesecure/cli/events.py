"""``facesecure events``: what was seen."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import open_store, settings_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain.records import StoredSighting
    from facesecure.storage.store import Store

app = group(
    "What was seen: list, show, correct, export.",
    "facesecure events list --since yesterday --kind stranger",
    "facesecure events show 3f2a",
    "facesecure events correct 3f2a --not Anna",
    "facesecure events export --output sightings.csv",
)


class Kind(StrEnum):
    known = "known"
    stranger = "stranger"
    unidentified = "unidentified"


class Format(StrEnum):
    jsonl = "jsonl"
    csv = "csv"


_WHEN = "a date or time (2031-05-30, 2031-05-30T18:00), today, yesterday, or how long ago (90m, 12h, 7d)"
Since = Annotated[str | None, typer.Option(metavar="WHEN", help=f"Begun then or later: {_WHEN}.")]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help="Begun before then.")]
OfKind = Annotated[Kind | None, typer.Option(help="Only this verdict.")]
OfName = Annotated[str | None, typer.Option("--name", help="Only this person.")]
All = Annotated[bool, typer.Option("--all", help="Also those that a later verdict on the same visit corrected.")]


@app.command(
    "list",
    epilog=examples(
        "facesecure events list", "facesecure events list --since 12h --kind stranger", "facesecure events list --json"
    ),
)
def list_events(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest.")] = 50,
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    name: OfName = None,
    corrected: All = False,
    json: Json = False,
) -> None:
    """List sightings, newest first."""
    chosen = _chosen(since, until, kind, name, corrected)
    with settings_of(context).store() as store:
        found = store.sightings(limit, **chosen)
    if json:
        output.emit_json({"events": [serializers.sighting(sighting) for sighting in found]})
    elif found:
        _table(found)
    else:
        asked = since or until or kind or name
        output.note("nothing was seen" + (" that fits" if asked else " yet"))


def _table(found: list[StoredSighting]) -> None:
    rows = [
        (
            s.identifier[:8],
            s.first_seen,
            _lasted(s),
            serializers.coloured_who_now(s),
            s.verdict.score,
            s.source,
            s.verdict.why,
        )
        for s in found
    ]
    output.table(("id", "seen", "for", "who", "score", "source", "why"), rows, right=("for", "score"))


def _lasted(sighting: StoredSighting) -> str:
    return f"{(sighting.last_seen - sighting.first_seen).total_seconds():.0f} s"


@app.command("show", epilog=examples("facesecure events show 3f2a91c0", "facesecure events show 3f2a --json"))
def show(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The sighting's id, or how it begins.")],
    json: Json = False,
) -> None:
    """Show one sighting: who, when, why, and where its picture is."""
    with settings_of(context).store() as store:
        document = serializers.sighting(store.sighting(identifier))
    if json:
        output.emit_json(document)
        return
    output.table(("what", "is"), [(key, value) for key, value in document.items() if value is not None])


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
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The sighting's id, or how it begins.")],
    no: Annotated[str | None, typer.Option("--not", metavar="NAME", help="It was not this person.")] = None,
    stranger: Annotated[bool, typer.Option("--stranger", help="It was nobody we know.")] = False,
    name: Annotated[str | None, typer.Option("--is", metavar="NAME", help="It was this person, new or not.")] = None,
    json: Json = False,
) -> None:
    """Say that a sighting was told wrongly, and have it remembered.

    --not and --stranger take what was learnt from it away from the person, and remember its faces as a stranger's: who
    looks more like them than like the person is not the person. --is enrols from its faces, by the rules of enrolment.
    How it was told stays in the history, with the correction beside it.
    """
    from facesecure.domain.errors import UsageError

    if (no is not None) + stranger + (name is not None) != 1:
        raise UsageError("say one of: --not NAME, --stranger, --is NAME", "see facesecure events correct --help")
    config = settings_of(context).config()
    with open_store(config) as store:
        sighting = store.sighting(identifier)
        if name is not None:
            said = _it_was(config, store, sighting, name, json)
        else:
            said = _it_was_not(config, store, sighting, no)
        shown = serializers.sighting(store.sighting(sighting.identifier))
    if json:
        output.emit_json({**shown, **said})
        return
    output.say(str(said["said"]))


def _it_was_not(config: FacesecureConfig, store: Store, sighting: StoredSighting, name: str | None) -> dict[str, Any]:
    from facesecure.cli.enroll import chooser

    visitor, removed = store.corrections.not_known(sighting.identifier, name, chooser(config))
    faces = len(store.faces_seen(sighting.identifier))
    who = f"not {name}" if name else "nobody we know"
    taken = f"; {_faces(removed)} enrolled from it removed" if removed else ""
    said = f"event {sighting.identifier[:8]} was {who}: {_faces(faces)} remembered as visitor {visitor}{taken}"
    return {"said": said, "remembered": faces, "removed": removed}


def _it_was(config: FacesecureConfig, store: Store, sighting: StoredSighting, name: str, json: bool) -> dict[str, Any]:
    from facesecure.cli.enroll import teach
    from facesecure.domain.names import person_name

    identifier, name = sighting.identifier, person_name(name)
    faces = store.corrections.faces(identifier)
    told = teach(config, store, name, faces, lambda good: store.corrections.known(identifier, name, good), json)
    said = f"event {identifier[:8]} was {told['name']}: {_faces(told['taken'])} enrolled, {told['faces']} in all"
    return {"said": said, "enrolled": told}


def _faces(count: int) -> str:
    return f"{count} face{'s' if count != 1 else ''}"


@app.command(
    "export",
    epilog=examples(
        "facesecure events export > sightings.jsonl",
        "facesecure events export --format csv --output sightings.csv --since 30d",
    ),
)
def export(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: stdout.")] = None,
    format: Annotated[
        Format | None,
        typer.Option(help="jsonl: one JSON object a line; csv: a table. Default: by FILE's ending, else jsonl."),
    ] = None,
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    name: OfName = None,
    corrected: All = False,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Write sightings, oldest first, one object a line (or as CSV)."""
    wanted = Format.jsonl if json else format or (Format.csv if to and to.suffix == ".csv" else Format.jsonl)
    write = _write_csv if wanted is Format.csv else _write_lines
    with settings_of(context).store() as store, _opened(to) as file:
        sightings = store.each_sighting(**_chosen(since, until, kind, name, corrected))
        count = write(map(serializers.sighting, sightings), file)
    if to is not None:
        output.note(f"{count} sighting{'s' if count != 1 else ''} written to {to}")


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    from facesecure.cli.files import replacing

    with replacing(path) as file:
        yield file


def _write_lines(sightings: Iterable[dict[str, Any]], file: IO[str]) -> int:
    import json

    count = 0
    for sighting in sightings:
        file.write(json.dumps(output.plain(sighting), allow_nan=False) + "\n")
        count += 1
    return count


def _write_csv(sightings: Iterable[dict[str, Any]], file: IO[str]) -> int:
    import csv

    count, writer = 0, None
    for sighting in sightings:
        if writer is None:
            writer = csv.DictWriter(file, sighting, lineterminator="\n")
            writer.writeheader()
        writer.writerow(output.plain(sighting))
        count += 1
    return count


def _chosen(
    since: str | None, until: str | None, kind: Kind | None, name: str | None, corrected: bool
) -> dict[str, Any]:
    from facesecure.cli.alert_history import moment
    from facesecure.domain import VerdictKind

    return {
        "since": moment(since) if since else None,
        "until": moment(until) if until else None,
        "kind": VerdictKind(kind.value) if kind else None,
        "name": name,
        "latest_only": not corrected,
    }
