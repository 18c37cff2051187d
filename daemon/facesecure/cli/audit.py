"""``facesecure audit``: who did what and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.arguments import ListGroup
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import settings_of

if TYPE_CHECKING:
    from facesecure.storage.audit_check import Verification
    from facesecure.storage.audit_entries import Entry

app = group(
    "The audit log: who did what and when. List it, or verify that nobody has changed it.",
    "facesecure audit",
    "facesecure audit --since 7d --action armed",
    "facesecure audit verify",
    cls=ListGroup,
)


@app.command(
    "list",
    epilog=examples(
        "facesecure audit", "facesecure audit --since 7d --action armed", "facesecure audit list --subject Anna --json"
    ),
)
def show(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of entries; the newest are shown.")] = 50,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Then or later: a date or time, 11:00, today, 90m, 12h, 7d."),
    ] = None,
    action: Annotated[
        str | None, typer.Option(metavar="ACTION", help="Only this action: armed, person-enrolled, key-rotated ...")
    ] = None,
    actor: Annotated[str | None, typer.Option(metavar="USER", help="Only what this user did.")] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only what concerns this person, visitor, camera ...")
    ] = None,
    json: Json = False,
) -> None:
    """List the audit log, newest last: time, user, action, what it is about, origin and outcome.

    What `facesecure audit` does without a command. The name of a person who was forgotten is erased here too.
    """
    from facesecure.services.audit import Wanted, select, verify

    found = verify(settings_of(context).state())
    entries = select(found.entries, Wanted(_moment(since), action, actor, subject))[-limit:]
    if json:
        output.emit_json({"entries": [_document(entry) for entry in entries], "intact": not found.breaks})
    elif entries:
        columns = ("number", "at", "user", "action", "about", "origin", "outcome")
        output.table(columns, [_row(entry) for entry in entries], right=("number",))
    else:
        output.note("no entry" + (" matches" if found.entries else " yet"))
    if found.breaks:
        output.note("warning: the log is not as facesecure wrote it; see: facesecure audit verify")


@app.command(
    "verify",
    epilog=examples(
        "facesecure audit verify", "facesecure audit verify --expect 57:3f2a9c04d1e8", "facesecure audit verify --json"
    ),
)
def verify_log(
    context: typer.Context,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBER:HASH",
            help="An entry that the log has to contain, as the journal or a note of yours has it. Repeatable.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Verify the audit log: say where an entry was changed, removed, moved or added, or the end cut off.

    Prints the number and hash of the last entry: keep them elsewhere, and --expect finds an older copy that was put
    back with everything else. Exits with 1 if the log is not as facesecure wrote it.
    """
    from facesecure.services.audit import verify

    found = verify(settings_of(context).state(), expect or ())
    output.emit_json(_verified(found)) if json else _say(found)
    if found.breaks:
        raise typer.Exit(1)


def _moment(since: str | None) -> Any:
    from facesecure.cli.alert_history import moment

    return moment(since) if since else None


def _row(entry: Entry) -> Sequence[object]:
    about = ", ".join(_shown(entry)) or None
    return entry.number, entry.at, entry.actor.name, entry.action, about, entry.actor.origin, entry.outcome


def _shown(entry: Entry) -> list[str]:
    from facesecure.domain.names import FORGOTTEN

    return [FORGOTTEN if subject.shown is None else subject.shown for subject in entry.subjects]


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": entry.actor.name,
        "origin": entry.actor.origin,
        "action": entry.action,
        "subjects": [subject.shown for subject in entry.subjects],
        "outcome": entry.outcome,
        "hash": entry.hash,
    }


def _verified(found: Verification) -> dict[str, Any]:
    return {
        "ok": not found.breaks,
        "entries": len(found.entries),
        "end": f"{found.end.number}:{found.end.hash}",
        "breaks": [{"number": one.number, "message": one.sentence} for one in found.breaks],
        "notes": [*found.notes, *found.lost],
    }


def _say(found: Verification) -> None:
    for one in found.breaks:
        output.say(one.sentence)
    for note in (*found.notes, *found.lost):
        output.note(note)
    if not found.breaks:
        output.say(f"{found.summary}; it ends at")
        output.say(f"{found.end.number}:{found.end.hash}")
