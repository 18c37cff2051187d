"""Run the page as a process of its own, without the command line's packages: ``python -I -m facesecure.web``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from facesecure.domain.errors import FacesecureError
from facesecure.util.standard_streams import open_closed_streams
from facesecure.web.serve import ServeOptions, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page, and return the exit code."""
    open_closed_streams()
    parser = argparse.ArgumentParser(prog="facesecure web serve", allow_abbrev=False)
    parser.add_argument("--host", default=ServeOptions.host)
    parser.add_argument("--port", type=int, default=ServeOptions.port)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--idle", type=float, dest="idle_minutes")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        serve(ServeOptions(**vars(parser.parse_args(arguments))))
    except FacesecureError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
