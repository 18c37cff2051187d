"""``facesecure key``: the key that encrypts the faces on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.prompts import Yes, confirm
from facesecure.cli.settings import settings_of

app = group(
    "The key that encrypts the faces: show, make, rotate. docs/threat-model.md explains what it protects.",
    "facesecure key show",
    "facesecure key make /etc/facesecure/key",
    "facesecure key rotate",
)


@app.command("show", epilog=examples("facesecure key show", "facesecure key show --json"))
def show(context: typer.Context, json: Json = False) -> None:
    """Show the path and identifier of the key, not the key itself. Keep a copy of the file elsewhere."""
    from facesecure.storage.keys import find_key, places

    state = settings_of(context).state()
    key = find_key(state)
    if json:
        output.emit_json(
            {"path": key and key.path, "identifier": key and key.identifier, "given": bool(key and key.from_systemd)}
        )
    elif key:
        output.say(f"{key.path}, {key.identifier}" + (", provided by systemd" if key.from_systemd else ""))
    else:
        output.note(f"there is no key yet; it is made when the first person is enrolled (searched: {places(state)})")


@app.command("make", epilog=examples("facesecure key make /etc/facesecure/key"))
def make(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it. An existing file is never replaced.")
    ],
    json: Json = False,
) -> None:
    """Make a key file, readable by its owner only (0600). An existing key is checked and kept."""
    from facesecure.storage.keys import make_key, read_key

    there = file.exists()
    key = read_key(file) if there else make_key(file)
    if json:
        output.emit_json({"path": key.path, "identifier": key.identifier, "made": not there})
    else:
        output.say(f"{key.path} {'exists already' if there else 'is made'}: {key.identifier}")


@app.command("rotate", epilog=examples("facesecure key rotate", "facesecure key rotate --yes"))
def rotate(context: typer.Context, yes: Yes = False, json: Json = False) -> None:
    """Replace the key with a new one.

    Encrypts everything again, and makes new backups. Use it if another person may have read the key. A copy of the
    faces that they made before can still be read.
    """
    from facesecure.services.audit import audited

    with settings_of(context).store() as store:
        confirm("Replace the key; copies and backups made elsewhere need the old one", yes)
        with audited(store.state_dir, "key-rotated"):
            key = store.rotate_key()
    if json:
        output.emit_json({"path": key.path, "identifier": key.identifier})
        return
    output.say(f"{key.path} is new: {key.identifier}")
    output.note("if the service gets its key from systemd, restart it: sudo systemctl restart facesecure")
