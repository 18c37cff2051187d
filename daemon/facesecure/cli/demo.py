"""``facesecure demo``: the whole journey, with nothing plugged in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facesecure.cli import documents, output
from facesecure.cli.help import Json


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
    from facesecure.demo.show import show
    from facesecure.errors import UsageError

    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", "choose another: --out DIR")
    with output.progress(quiet=json) as progress:
        task = progress.add_task("starting", total=100)
        result = show(out, lambda what, done: progress.update(task, description=what, completed=round(100 * done)))
    left = {"clip": result.clip, "film": result.film, "sheet": result.sheet}
    if json:
        seen = [
            {**documents.verdict(s.verdict), "first_seen": s.first_seen, "last_seen": s.last_seen}
            for s in result.sightings
        ]
        output.emit_json({"sightings": seen, **left})
        return
    rows = [
        (
            s.first_seen,
            f"{(s.last_seen - s.first_seen).total_seconds():.1f} s",
            documents.coloured_who(s.verdict),
            s.verdict.why,
        )
        for s in result.sightings
    ]
    output.table(("seen", "for", "who", "why"), rows, right=("for",))
    output.say("\nto look at:")
    for what, path in left.items():
        output.say(f"  {what:6} {path}")
