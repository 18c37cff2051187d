"""Whether the driver of PostgreSQL is installed: it is an extra, which a door without a hub does not need."""

from __future__ import annotations

from importlib.util import find_spec

from facesecure.domain.errors import HubError


def require_driver() -> None:
    """Raise HubError, with how to install it, if psycopg is missing. Call it before the rest of the hub is imported."""
    if find_spec("psycopg") is None:
        raise HubError(
            "the hub needs psycopg, which is not installed",
            "install it: sudo make install EXTRAS=hub; the Debian package has it",
        )
