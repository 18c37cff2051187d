"""``facesecure demo``: run the whole pipeline on a generated clip, with nothing plugged in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json

if TYPE_CHECKING:
    from facesecure.domain import Sighting


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the videos and images.")] = Path(
        "demo-out"
    ),
    json: Json = False,
) -> None:
    """Run the whole pipeline on a generated clip.

    Enrols a person, watches the clip and announces visitors, without camera, speaker or network.
    Writes an annotated video and a contact sheet. Does not touch your configuration or state.
    """
    from facesecure.app.demo.demo import show
    from facesecure.domain.errors import UsageError

    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", "choose another: --out DIR")
    with output.progress(quiet=json) as progress:
        progress("starting", 0, 100)
        result = show(out, lambda what, done: progress(what, round(100 * done), 100))
    files = {"clip": result.clip, "film": result.video, "sheet": result.sheet}
    if json:
        output.emit_json({"sightings": [_document(sighting) for sighting in result.sightings], **files})
        return
    output.table(("seen", "for", "who", "why"), [_row(sighting) for sighting in result.sightings], right=("for",))
    output.say("\nfiles to view:")
    for what, path in (("clip", result.clip), ("video", result.video), ("sheet", result.sheet)):
        output.say(f"  {what:6} {path}")


def _document(sighting: Sighting) -> dict[str, Any]:
    times = {"first_seen": sighting.first_seen, "last_seen": sighting.last_seen}
    return {**serializers.verdict(sighting.verdict), **times}


def _row(sighting: Sighting) -> tuple[object, ...]:
    duration = f"{(sighting.last_seen - sighting.first_seen).total_seconds():.1f} s"
    return sighting.first_seen, duration, serializers.coloured_who(sighting.verdict), sighting.verdict.why
