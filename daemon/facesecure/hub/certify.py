"""What the authority signs for doors: their certificates, and the keys of their households."""

from __future__ import annotations

from collections.abc import Iterable

from facesecure.hub.identity import Authority, Certificate, Identity
from facesecure.hub.invitations import Given
from facesecure.hub.rows import HouseholdKey, JoinRequest, NewDoor
from facesecure.hub.sealing import household_key_place, wrap
from facesecure.hub.signing import sign_wrapped


def issued(estate: str, given: Given, household: str, request: JoinRequest, serial: int) -> Certificate:
    """Return the certificate of the door that made ``request``: what was promised to it, and its own keys."""
    return Certificate(
        estate=estate,
        door=given.identifier,
        name=given.name,
        household=household,
        rights=given.rights,
        box_key=request.box_key,
        sign_key=request.sign_key,
        serial=serial,
    )


def certified(authority: Authority, certificate: Certificate) -> NewDoor:
    """Return the row of a door, with its signed certificate."""
    return NewDoor(
        identifier=certificate.door,
        name=certificate.name,
        household=certificate.household,
        rights=certificate.rights,
        box_key=certificate.box_key,
        sign_key=certificate.sign_key,
        certificate=authority.certify(certificate),
    )


def wrapped_keys(
    authority: Authority, author: Identity, doors: Iterable[Certificate], versions: Iterable[int]
) -> list[HouseholdKey]:
    """Return ``versions`` of the keys of the households of ``doors``, wrapped for each door and signed."""
    chosen = tuple(versions)
    return [_wrapped(authority, author, door, version) for door in doors for version in chosen]


def _wrapped(authority: Authority, author: Identity, door: Certificate, version: int) -> HouseholdKey:
    place = household_key_place(author.estate, door.household, version, door.door)
    wrapped = wrap(authority.household_key(door.household, version), door.box_key, place)
    signature = sign_wrapped(authority, place, author.door, wrapped)
    return HouseholdKey(door.household, version, door.door, wrapped, author.door, signature)
