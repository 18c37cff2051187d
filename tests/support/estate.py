"""An estate of doors that are only keys and certificates: no database, no disk."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from facesecure.hub.identity import Authority, Certificate, DoorKeys, Household, Identity, estate_of
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import Door, Right

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERY_RIGHT = frozenset(Right)


@dataclass
class Estate:
    """An authority, and doors that it has certified.

    Example::

        estate = Estate()
        front, back = estate.door("front"), estate.door("back")
    """

    authority: Authority = field(default_factory=Authority.made)
    rows: list[Door] = field(default_factory=list)

    @property
    def identifier(self) -> str:
        """The estate's identifier."""
        return estate_of(self.authority.public)

    def door(
        self, name: str, household: str = "home", rights: frozenset[Right] = EVERY_RIGHT, *, manager: bool = False
    ) -> Identity:
        """Add a door, and return who it is."""
        keys, door = DoorKeys.made(), secrets.token_hex(16)
        certificate = Certificate(
            self.identifier, door, name, self.authority.household(household), rights, keys.box_key, keys.sign_key
        )
        encoded = self.authority.certify(certificate)
        self.rows.append(row_of(certificate, encoded))
        return Identity(
            door=door,
            url="postgresql+psycopg://hub.lan/facesecure",
            role=role_of(door),
            password="secret",
            keys=keys,
            authority_key=self.authority.public,
            certificate=encoded,
            authority=self.authority if manager else None,
            households=(Household("home"),) if manager else (),
        )


def row_of(certificate: Certificate, encoded: bytes) -> Door:
    """Return the row of a door in the database."""
    return Door(
        certificate.door,
        certificate.name,
        certificate.household,
        role_of(certificate.door),
        certificate.box_key,
        certificate.sign_key,
        certificate.rights,
        encoded,
        NOW,
    )
