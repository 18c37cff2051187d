"""``facesecure key``: what the faces on the disk are encrypted with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import settings_of

app = group(
    "The key that faces are encrypted with: show, make, rotate. docs/threat-model.md says what it protects.",
    "facesecure key show",
    "facesecure key make /etc/facesecure/key",
    "facesecure key rotate",
)


@app.command("show", epilog=examples("facesecure key show", "facesecure key show --json"))
def show(context: typer.Context, json: Json = False) -> None:
    """Show where the key is, and its identifier, never the key itself. Keep a copy of the file elsewhere."""
    from facesecure.storage.keys import find_key, places

    state = settings_of(context).state()
    key = find_key(state)
    if json:
        output.emit_json(
            {"path": key and key.path, "identifier": key and key.identifier, "given": bool(key and key.given)}
        )
    elif key:
        output.say(f"{key.path}, {key.identifier}" + (", lent by systemd" if key.given else ""))
    else:
        output.note(f"there is no key yet; the first person enrolled makes one (looked for: {places(state)})")


@app.command("make", epilog=examples("facesecure key make /etc/facesecure/key"))
def make(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to put it. Nothing is ever replaced.")],
    json: Json = False,
) -> None:
    """Make a key, for its owner only (0600), where there is none; one that is there is checked and stays."""
    from facesecure.storage.keys import make_key, read_key

    there = file.exists()
    key = read_key(file) if there else make_key(file)
    if json:
        output.emit_json({"path": key.path, "identifier": key.identifier, "made": not there})
    else:
        output.say(f"{key.path} {'is there already' if there else 'is made'}: {key.identifier}")


@app.command("rotate", epilog=examples("facesecure key rotate"))
def rotate(context: typer.Context, json: Json = False) -> None:
    """Encrypt everything with a new key, which takes the old one's place; backups are made anew.

    For when somebody may have read the key. Whoever copied the faces as well can still read that copy.
    """
    with settings_of(context).store() as store:
        key = store.rotate_key()
    if json:
        output.emit_json({"path": key.path, "identifier": key.identifier})
        return
    output.say(f"{key.path} is new: {key.identifier}")
    output.note("a service that gets its key from systemd needs a restart: sudo systemctl restart facesecure")
