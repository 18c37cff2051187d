"""``facesecure archive``: the faces kept of past visits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import open_store, settings_of
from facesecure.cli.sighting_filters import Since, Until, given_filters

if TYPE_CHECKING:
    from facesecure.domain import Verdict
    from facesecure.domain.records import StoredSighting
    from facesecure.services.rejudging import ChangedVerdict, Rejudgement

_SHOWN = 40
_EXAMPLES = (
    "facesecure archive rejudge",
    "facesecure archive rejudge --since 90d --workers 4",
    "facesecure archive rejudge --apply",
    "facesecure archive rejudge --cluster tls://10.0.0.5:8786 --cluster-tls certificates --json",
)

app = group("The faces kept of past visits: embed and judge them anew after a change of model.", *_EXAMPLES)


@app.callback()
def archive() -> None:
    """Look at the faces kept of past visits."""


@app.command("rejudge", epilog=examples(*_EXAMPLES))
def rejudge(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    apply: Annotated[bool, typer.Option("--apply", help="Keep the new embeddings of the faces.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Number of processes on this machine; above 1 needs the extra cluster.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Work on a Dask cluster: tls://HOST:8786, or tcp:// where all is trusted."
        ),
    ] = None,
    cluster_tls: Annotated[
        Path | None,
        typer.Option("--cluster-tls", metavar="DIR", help="Folder with ca.pem, client.pem and client.key for tls://."),
    ] = None,
    json: Json = False,
) -> None:
    """Embed the faces kept of past visits with the model of today, and say which visits would be told otherwise.

    What was told stays as it was. With --apply the new embeddings are kept, so that visitors and marked strangers of
    the time before a change of model are recognised again. Ctrl-C keeps what was done; the same command does the rest.
    """
    from facesecure.services.bulk.workforce import Workforce
    from facesecure.services.rejudging import rejudge as run
    from facesecure.util.paths import expanded

    config = settings_of(context).config()
    workforce = Workforce(workers, cluster, None if cluster_tls is None else expanded(cluster_tls))
    wanted = given_filters(since, until, None, None, False)
    try:
        with open_store(config) as store, workforce.pool() as pool, output.progress(quiet=json) as progress:
            if pool.described:
                output.note(pool.described)
            found = run(
                config, store, pool, apply=apply, since=wanted["since"], until=wanted["until"], progress=progress
            )
    except KeyboardInterrupt:
        if apply:
            output.note("what was embedded until now is kept; run the same command again to do the rest")
        raise
    if json:
        output.emit_json(_document(found, apply))
    else:
        _show(found, apply)


def _show(found: Rejudgement, applied: bool) -> None:
    output.say(
        f"{found.faces} faces of {found.visits} visits, judged by {found.model}; "
        f"{found.outdated} were embedded by another model"
    )
    if applied:
        output.say(f"kept: the new embeddings of {found.kept} faces, and of {found.marked} marked as a stranger's")
    for identifier in found.lost:
        output.note(f"event {identifier[:8]} could not be embedded: the processes that worked on it died")
    if not found.changes:
        output.say("every visit would be told as it was")
        return
    output.say(f"{len(found.changes)} visits would be told otherwise today:")
    rows = [_row(change) for change in found.changes[-_SHOWN:]]
    output.table(("event", "when", "camera", "told", "today", "why"), rows)
    if len(found.changes) > _SHOWN:
        output.say(f"and {len(found.changes) - _SHOWN} earlier ones; --json lists them all")
    if not applied and found.outdated:
        output.say("nothing is changed; --apply keeps the new embeddings")


def _row(change: ChangedVerdict) -> tuple[object, ...]:
    seen = change.sighting
    when = output.local(seen.first_seen)
    return seen.identifier[:8], when, seen.source, _words(seen), _words(change.now), change.now.why


def _words(verdict: Verdict | StoredSighting) -> str:
    return verdict.name or verdict.kind.value


def _document(found: Rejudgement, applied: bool) -> dict[str, object]:
    changes = [
        {
            "identifier": one.sighting.identifier,
            "first_seen": one.sighting.first_seen,
            "camera": one.sighting.source,
            "told": {"kind": one.sighting.kind.value, "name": one.sighting.name},
            "now": {"kind": one.now.kind.value, "name": one.now.name, "score": one.now.score, "why": one.now.why},
        }
        for one in found.changes
    ]
    figures = ("model", "visits", "faces", "outdated", "kept", "marked", "lost")
    return {**{name: getattr(found, name) for name in figures}, "applied": applied, "changes": changes}
