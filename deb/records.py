"""Keep in the lists of what wheels installed only what is there: not what was left out, and no path of the builder's.

.venv/bin/python -m deb.records SITE-PACKAGES
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path


def tidy(site: Path) -> None:
    """Rewrite every ``*.dist-info/RECORD`` in ``site``."""
    for record in sorted(site.glob("*.dist-info/RECORD")):
        record.write_text(kept(record.read_text(encoding="utf-8"), site), encoding="utf-8")


def kept(text: str, site: Path) -> str:
    """Return the lines of ``text``, a RECORD, whose files exist within ``site``."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerows(row for row in csv.reader(io.StringIO(text)) if row and _is_inside(row[0], site))
    return out.getvalue()


def _is_inside(name: str, site: Path) -> bool:
    return not name.startswith(("/", "..")) and (site / name).is_file()


if __name__ == "__main__":
    tidy(Path(sys.argv[1]))
