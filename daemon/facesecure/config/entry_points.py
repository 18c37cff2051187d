"""Import what installed packages offer by entry points, without being held up or ended by it."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

from facesecure.domain.errors import FacesecureError
from facesecure.util.containment import contained_in_time

START_SECONDS = 10.0
"""Seconds in which a plugin has to be imported, and again to be constructed. Ours take less than one here."""


def load_entry_point(entry: EntryPoint) -> Any:
    """Return what ``entry`` refers to.

    Raises TimeoutError after START_SECONDS, and as ``util.containment.contained`` does, whatever the import raises.
    """
    return contained_in_time(entry.load, START_SECONDS, passed=FacesecureError, name=f"load-{entry.name}")
