"""The roles of the database, and how an administrator makes the hub in it: the one place where rights are given."""

from __future__ import annotations

from facesecure.hub.database import HubAddress
from facesecure.hub.rows import Estate, HouseholdKey, NewDoor


def role_of(door: str) -> str:
    """Return the PostgreSQL role of the door with the identifier ``door``."""
    return f"facesecure_door_{door}"


def make_hub(
    administrator: HubAddress, estate: Estate, manager: NewDoor, password: str, keys: list[HouseholdKey]
) -> None:
    """Make the schema, its roles and rules, the estate, and the manager's door, which signs in with ``password``.

    ``administrator`` signs in as a role that may create roles, in an empty database; it is not needed again until an
    upgrade (``upgrade_hub``). ``keys`` are the first of the manager's household. ``estate.created_at`` is the hub's.
    All or nothing. Raises HubError if there is a hub already, or rights are missing.
    """
    raise NotImplementedError


def upgrade_hub(administrator: HubAddress) -> str:
    """Migrate the schema to this version's. Return its revision. Raises HubError if a newer facesecure made it."""
    raise NotImplementedError
