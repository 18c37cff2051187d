"""Write the changelog of the package in Debian's format: it points to the project's own.

.venv/bin/python -m deb.changelog VERSION SECONDS
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from email.utils import format_datetime


def entry(version: str, seconds: int) -> str:
    """Return the entry of ``version``, dated ``seconds`` after 1970."""
    when = format_datetime(datetime.fromtimestamp(seconds, UTC))
    return (
        f"facesecure ({version}) stable; urgency=medium\n\n"
        "  * What is new stands in CHANGELOG.md of the source.\n\n"
        f" -- The facesecure authors <facesecure@localhost>  {when}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(entry(sys.argv[1], int(sys.argv[2])))
