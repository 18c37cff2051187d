"""Make a hub in a PostgreSQL database: the estate, its authority, and the first door, which is its manager."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from facesecure.config.hub import SCHEME, HubConfig, hub_address
from facesecure.domain.errors import HubError, UsageError
from facesecure.hub.certify import certified, wrapped_keys
from facesecure.hub.database import HubAddress
from facesecure.hub.identity import Authority, Certificate, DoorKeys, Household, Identity, estate_of
from facesecure.hub.identity_file import (
    address_of,
    find_identity,
    remove_identity,
    with_user,
    without_user,
    write_identity,
)
from facesecure.hub.roles import make_hub, was_committed
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import Estate, Right
from facesecure.services.audit import audited


def make(state_dir: Path, administrator: HubAddress, name: str, household: str, ca: str) -> Identity:
    """Make a hub in the database that ``administrator`` signs in to, with this door as its manager; return who it is.

    ``ca`` is the authority of the database's TLS certificate (PEM), empty for those of the system. Raises HubError if
    this door belongs to a hub already, or the database cannot be used; then nothing is left behind. What comes too late
    to stop it, as Ctrl-C at the end, is no error. Where nobody answers whether the hub was made, the door keeps its
    identity, and the HubError says so.
    """
    require_none(state_dir)
    identity, certificate = _manager(without_user(administrator.url), name, household, ca)
    estate = Estate(identity.estate, identity.authority_key, identity.door, datetime.now(UTC))
    authority = identity.authority or Authority.made()
    keys = wrapped_keys(authority, identity, [certificate], [1])
    transaction: list[str] = []
    with audited(state_dir, "hub-made", name):
        remove_identity(state_dir)  # what the daemon was writing, as this door left another hub
        write_identity(state_dir, identity)  # first: a hub without its authority would be of no use
        try:
            administrator = replace(administrator, root=address_of(identity, HubConfig(), state_dir).root)
            manager = certified(authority, certificate)
            make_hub(administrator, estate, manager, identity.password, keys, transaction.append)
        except BaseException as error:  # noqa: BLE001 - raised again, unless the hub was made all the same
            _settle(state_dir, administrator, transaction, error)
    return identity


def _settle(state_dir: Path, administrator: HubAddress, transaction: Sequence[str], error: BaseException) -> None:
    """Return if the hub was made in spite of ``error``. Otherwise raise it, and forget who this door was to be.

    Not before that is sure: the only authority of a hub that exists must not be lost.
    """
    made = was_committed(administrator, transaction[0]) if transaction else False
    if made is None:
        raise HubError(
            f"nobody answers whether the hub at {administrator.where} was made; this door keeps what it needs as its"
            " manager",
            "facesecure hub status says later whether there is a hub; only if there is none: facesecure hub leave",
        ) from error
    if not made:
        remove_identity(state_dir)
        raise error


def require_none(state_dir: Path) -> None:
    """Raise HubError if this door belongs to a hub."""
    if find_identity(state_dir) is not None:
        raise HubError("this door belongs to a hub already", "to give that up first: facesecure hub leave")


def administrator_at(text: str, own: HubAddress, password: Callable[[], str | None]) -> HubAddress:
    """Return how an administrator signs in at the URL ``text``, with the files for TLS of ``own``.

    ``password`` is called for a URL without one. Raises UsageError if it is not an address of PostgreSQL.
    """
    url = _our_form(text)
    found = urlsplit(url).password
    name = urlsplit(url).username
    address = with_user(url, name) if name else without_user(url)
    return replace(own, url=address, password=password() if found is None else unquote(found))


def _our_form(text: str) -> str:
    # without its @, which would make a secret of what stands before it
    hint = "write postgresql://HOST/DATABASE, with the administrator's name before the host as docs/hub.md shows"
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", SCHEME):
        raise UsageError("this is not the address of a PostgreSQL database", hint)
    url = f"{SCHEME}://{rest}"
    try:
        plain = without_user(url)
    except ValueError:  # brackets that are not closed
        raise UsageError("this is not the address of a PostgreSQL database", hint) from None
    try:
        hub_address(plain)
    except ValueError as error:
        raise UsageError(f"the address of the database {error}", hint) from None
    return url


def _manager(url: str, name: str, household: str, ca: str) -> tuple[Identity, Certificate]:
    authority, keys, door = Authority.made(), DoorKeys.made(), secrets.token_hex(16)
    certificate = Certificate(
        estate=estate_of(authority.public),
        door=door,
        name=name,
        household=authority.household(household),
        rights=frozenset(Right),
        box_key=keys.box_key,
        sign_key=keys.sign_key,
    )
    identity = Identity(
        door=door,
        url=url,
        role=role_of(door),
        password=secrets.token_hex(32),
        keys=keys,
        authority_key=authority.public,
        certificate=b"",
        ca=ca,
        authority=authority,
        households=(Household(household),),
    )
    return replace(identity, certificate=authority.certify(certificate)), certificate
