"""Where a passphrase comes from: a file, FACESECURE_PASSPHRASE, or whoever sits at the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from facesecure.domain.errors import UsageError

VARIABLE = "FACESECURE_PASSPHRASE"
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help=f"Take the passphrase from this file's first line. Also {VARIABLE}; else asked."),
]


def new_passphrase(file: Path | None) -> str:
    """One to write a file with: asked for twice, and refused where it is too short. Raises UsageError."""
    from facesecure.storage.passphrase import require_good

    return require_good(_given(file) or _asked(twice=True))


def passphrase(file: Path | None) -> str:
    """One to open a file with. Raises UsageError where there is nobody to ask."""
    return _given(file) or _asked(twice=False)


def _given(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(VARIABLE)
    try:
        first = file.read_text("utf-8").partition("\n")[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the passphrase in {file}: {error}", "name a text file") from error
    if not first:
        raise UsageError(f"the first line of {file} is empty", "write the passphrase there")
    return first


def _asked(*, twice: bool) -> str:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "a passphrase is needed, and there is nobody to ask", f"give it with --passphrase-file FILE or {VARIABLE}"
        )
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))
