"""``facesecure demo``: run the whole pipeline on a generated clip, with nothing plugged in."""

from __future__ import annotations

import sys
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
    web: Annotated[
        bool,
        typer.Option("--web", help="Then watch the clip again and again, and open the page on it, until Ctrl-C."),
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="With --web: where the page listens; 0.0.0.0 for phones at home too, over TLS with a certificate that "
            "they warn of.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="With --web: the port of the page.")] = 8080,
    json: Json = False,
) -> None:
    """Run the whole pipeline on a generated clip.

    Enrols a person, watches the clip and announces visitors, without camera, speaker or network.
    Writes an annotated video and a contact sheet. Does not touch your configuration or state. With --web the page is
    opened on what was seen, for a browser on this machine.
    """
    from facesecure.app.demo.demo import show
    from facesecure.domain.errors import UsageError

    if json and web:
        raise UsageError("--json and --web do not go together", "leave one out")
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
    if web:
        _open_page(out, result.state_dir, host, port)
    else:
        output.say(f"\nto look at it in a browser, as the household does: {_command()} demo --web")


def _command() -> str:
    """Return how this command was typed: ``make demo`` has it in a folder that is not searched."""
    return sys.argv[0] if Path(sys.argv[0]).name == "facesecure" else "facesecure"


def _open_page(out: Path, state_dir: Path, host: str, port: int) -> None:
    from facesecure.app.demo.page import PagePlace, open_page
    from facesecure.cli.qr import qr_code

    place = PagePlace(host, port)

    def opened(link: str) -> None:
        output.say("\nthe page is open; this link works once, within 15 minutes (Ctrl-C ends it):")
        output.say(link)
        if not place.private:
            output.note(qr_code(link))

    open_page(out, state_dir, place, opened)


def _document(sighting: Sighting) -> dict[str, Any]:
    times = {"first_seen": sighting.first_seen, "last_seen": sighting.last_seen}
    return {**serializers.verdict(sighting.verdict), **times}


def _row(sighting: Sighting) -> tuple[object, ...]:
    duration = f"{(sighting.last_seen - sighting.first_seen).total_seconds():.1f} s"
    return sighting.first_seen, duration, serializers.coloured_who(sighting.verdict), sighting.verdict.why
