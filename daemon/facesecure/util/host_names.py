"""The names that this machine is reached by."""

from __future__ import annotations

import os


def own_names() -> frozenset[str]:
    """Return the names that this machine answers to: localhost, its host name, and that with .local (mDNS)."""
    full = os.uname().nodename.lower()
    short = full.partition(".")[0]
    return frozenset({"localhost", full, short, f"{short}.local"})
