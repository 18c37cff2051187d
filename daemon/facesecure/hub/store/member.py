"""Who asks the hub."""

from __future__ import annotations

from dataclasses import dataclass

from facesecure.hub.rows import require_identifiers

BATCH = 200
"""How many rows are read at a time unless told."""


@dataclass(frozen=True)
class Member:
    """The door that a store acts for, and its household. The database itself knows it by its role."""

    door: str
    household: str

    def __post_init__(self) -> None:
        require_identifiers(self.door, self.household)
