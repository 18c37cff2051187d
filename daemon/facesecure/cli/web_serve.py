"""``facesecure web serve``: run the page by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from facesecure.cli.settings import settings_of


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 is all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes one that is free.")] = 8080,
    certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate, PEM. Needs --key.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM, without a passphrase.")] = None,
    socket: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Socket of the daemon. Default: that of the running daemon.")
    ] = None,
    idle: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="End after so many minutes without a browser.")
    ] = None,
) -> None:
    """Serve the page to browsers, until Ctrl-C.

    The installed service does this by itself. Without a certificate only browsers on this machine should be served:
    passwords and pictures are readable on the way.
    """
    words = ["--host", host, "--port", str(port)]
    for name, value in (("certificate", certificate), ("key", key), ("socket", socket), ("idle", idle)):
        words += [] if value is None else [f"--{name}", str(value)]
    if socket is None:
        os.environ["FACESECURE_STATE_DIR"] = str(settings_of(context).state().absolute())
    # A process of its own: the packages of the command line would take half of the page's memory.
    isolated = ["-I"] if sys.flags.isolated else ["-P"]
    os.execv(sys.executable, [sys.executable, *isolated, "-m", "facesecure.web", *words])
