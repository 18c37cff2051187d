"""``facesecure demo``: the whole journey, with nothing plugged in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json

if TYPE_CHECKING:
    from facesecure.domain import Sighting


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to leave the pictures of the run.")] = Path(
        "demo-out"
    ),
    json: Json = False,
) -> None:
    """Show the whole journey on a clip made here.

    Enrols, watches and tells, without camera, speaker or network.
    Leaves an annotated video and a contact sheet to look at. Touches nothing of yours.
    """
    from facesecure.app.demo.demo import show
    from facesecure.domain.errors import UsageError

    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", "choose another: --out DIR")
    with output.progress(quiet=json) as progress:
        task = progress.add_task("starting", total=100)
        result = show(out, lambda what, done: progress.update(task, description=what, completed=round(100 * done)))
    left = {"clip": result.clip, "film": result.film, "sheet": result.sheet}
    if json:
        output.emit_json({"sightings": [_document(sighting) for sighting in result.sightings], **left})
        return
    output.table(("seen", "for", "who", "why"), [_row(sighting) for sighting in result.sightings], right=("for",))
    output.say("\nto look at:")
    for what, path in left.items():
        output.say(f"  {what:6} {path}")


def _document(seen: Sighting) -> dict[str, Any]:
    return {**serializers.verdict(seen.verdict), "first_seen": seen.first_seen, "last_seen": seen.last_seen}


def _row(seen: Sighting) -> tuple[object, ...]:
    lasted = f"{(seen.last_seen - seen.first_seen).total_seconds():.1f} s"
    return seen.first_seen, lasted, serializers.coloured_who(seen.verdict), seen.verdict.why
