"""Asks for passphrases and confirmation at the terminal; a passphrase may also come from a file or the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from facesecure.domain.errors import UsageError
from facesecure.util.paths import expanded, read_text

VARIABLE = "FACESECURE_PASSPHRASE"
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help=f"Read the passphrase from the first line of FILE. Default: {VARIABLE}, or a prompt."
    ),
]


def new_passphrase(file: Path | None) -> str:
    """Return a passphrase to encrypt with; the prompt asks twice. Raises UsageError if it is too short."""
    from facesecure.storage.passphrase import require_good

    return require_good(_given(file) or _prompted(twice=True))


def passphrase(file: Path | None) -> str:
    """Return a passphrase to decrypt with. Raises UsageError if none is given and there is no terminal."""
    return _given(file) or _prompted(twice=False)


def ask_secret(question: str, variable: str) -> str | None:
    """Return a secret that is typed unseen; None where ``variable`` is set, or there is no terminal."""
    if variable in os.environ or not _interactive():
        return None
    return str(typer.prompt(question, default="", show_default=False, hide_input=True, err=True)) or None


def _given(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(VARIABLE)
    try:
        first = read_text(expanded(file)).partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the passphrase in {file}: {error}", "give a text file") from error
    if not first:
        raise UsageError(f"the first line of {file} is empty", "write the passphrase there")
    return first


def _prompted(*, twice: bool) -> str:
    if not _interactive():
        raise UsageError(
            "a passphrase is needed, and there is no terminal to ask",
            f"give it with --passphrase-file FILE or {VARIABLE}",
        )
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))


Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask for confirmation; required where there is no terminal.")
]


def confirm(question: str, agreed: bool) -> None:
    """Ask ``question`` unless it is ``agreed``; end the command if the answer is no.

    Every command that destroys what cannot be restored calls it first. Raises UsageError if there is no terminal to
    ask, so that a script destroys only what it says it will.
    """
    if agreed:
        return
    if not _interactive():
        raise UsageError(
            f"this cannot be undone, and there is no terminal to confirm it: {question}?", "to do it, add --yes"
        )
    typer.confirm(f"{question}?", abort=True, err=True)


def _interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
