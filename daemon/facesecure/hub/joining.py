"""Join an estate with a one-time code: ask with new keys, and check who answers.

The door believes nobody but the authority that its code names. The database may lose its request, or answer with a
certificate of its own making; the door does not accept that.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from ssl import DER_cert_to_PEM_cert

from facesecure.config.hub import HubConfig
from facesecure.domain.errors import HubError, HubRefusedError, HubUnreachableError
from facesecure.hub.access import opened
from facesecure.hub.codes import JoinCode
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate, DoorKeys, Identity, estate_of
from facesecure.hub.identity_file import find_identity, remove_identity, write_identity
from facesecure.hub.invitations import request_mac
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import HouseholdKey, JoinRequest
from facesecure.hub.store import HubStore
from facesecure.hub.trust import TrustedDoors
from facesecure.services.audit import audited

_PAUSE = 0.5
"""Seconds between two looks for the answer."""
_AGAIN = 5.0
"""Seconds after which a request without an answer is filed again."""
_NOT_ANSWERED = "start facesecure there, or run: facesecure hub invite --wait; then join again with the same code"
_UNKNOWN = "0" * 32
"""Stands for the household as long as the certificate has not come."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Joining:
    """What a door needs to join: its invitation, [hub], and how long it waits for the manager."""

    state_dir: Path
    code: JoinCode
    config: HubConfig
    patience: timedelta = timedelta(minutes=10)
    waiting: Callable[[], None] = lambda: None
    """Called once, when the request is filed."""


def join(joining: Joining) -> Certificate:
    """Join, and return this door's certificate. May be repeated with the same code after it was interrupted.

    Raises HubError if the code was used or has expired, the hub cannot be reached, or what answers is not the manager.
    """
    identity = _begun(joining)
    with audited(joining.state_dir, "hub-joined", joining.code.invitation):
        if not identity.certificate:
            identity = _admitted(joining, identity)
        _change_password(joining, identity)
        return identity.own()


def _begun(joining: Joining) -> Identity:
    """Return who this door wants to be: the one that began with this code before, or a new one."""
    code = joining.code
    before = find_identity(joining.state_dir)
    if before is not None and before.door != code.invitation:
        raise HubError("this door belongs to a hub already", "to give that up first: facesecure hub leave")
    if before is not None:
        return before
    identity = Identity(
        door=code.invitation,
        url=code.url,
        role=role_of(code.invitation),
        password=code.password,
        keys=DoorKeys.made(),
        authority_key=b"",
        certificate=b"",
        ca=DER_cert_to_PEM_cert(code.ca) if code.ca else "",
    )
    authority = _authority(joining, identity)
    if estate_of(authority) != code.estate:
        raise HubError("the hub's authority is not the one of the invitation", "somebody interferes; ask the manager")
    identity = replace(identity, authority_key=authority)
    remove_identity(joining.state_dir)  # what the daemon was writing, as this door left another hub
    write_identity(joining.state_dir, identity)
    return identity


def _authority(joining: Joining, identity: Identity) -> bytes:
    """Return what the hub says is the public key of its authority. Raises HubError."""
    try:
        with opened(identity, joining.config, joining.state_dir, _UNKNOWN) as store:
            return store.doors.estate().authority
    except HubError as error:
        if joining.config.database in (None, joining.code.url):
            raise
        hint = f"the code is for {joining.code.url}: correct [hub] database if it names another hub"
        raise HubError(error.message, hint) from error


def _admitted(joining: Joining, identity: Identity) -> Identity:
    """Ask to be let in, and return this door with its certificate and the password that only it will know."""
    with opened(identity, joining.config, joining.state_dir, _UNKNOWN) as store:
        encoded = _answer(joining, store, _request(joining.code, identity))
    admitted = replace(identity, certificate=encoded)
    _check(joining, admitted)
    admitted = replace(admitted, password=secrets.token_hex(32))
    write_identity(joining.state_dir, admitted)
    return admitted


def _request(code: JoinCode, identity: Identity) -> JoinRequest:
    request = JoinRequest(code.invitation, identity.keys.box_key, identity.keys.sign_key, bytes(32))
    return replace(request, mac=request_mac(code.mac_key, code.estate, request))


def _answer(joining: Joining, store: HubStore, request: JoinRequest) -> bytes:
    """Ask until the manager has answered: another who has the code may put a request in the place of this one.

    Where the connection is lost meanwhile, another is made.
    """
    certificate = _look(store, request, ask=True)
    if certificate is None:
        joining.waiting()
    began = asked = time.monotonic()
    while certificate is None:
        time.sleep(_PAUSE)
        now = time.monotonic()
        again, late = now - asked > _AGAIN, now - began > joining.patience.total_seconds()
        try:
            certificate = _look(store, request, ask=again)
            asked = now if again else asked
        except HubUnreachableError:
            if late:
                raise
        if certificate is None and late:
            raise HubError("the manager has not answered", _NOT_ANSWERED)
    return certificate


def _look(store: HubStore, request: JoinRequest, *, ask: bool) -> bytes | None:
    """Return the certificate with which the manager has answered; without one None, and if ``ask``, ask for it."""
    door = store.doors.own()
    if door is None and ask:
        store.joining.ask(request)
    return door.certificate if door else None


def _check(joining: Joining, identity: Identity) -> None:
    """Raise HubError unless the certificate is this door's, and a key of the household can be opened."""
    try:
        own = identity.own()
        keys = identity.keys
        if (own.door, own.box_key, own.sign_key) != (identity.door, keys.box_key, keys.sign_key):
            raise NotGenuineError("it is the certificate of another door")
        with opened(identity, joining.config, joining.state_dir) as store:
            rows = store.household_keys.mine()
        if not any(_opens(identity, row) for row in rows):
            raise NotGenuineError("the key of the household is missing")
    except NotGenuineError as error:
        raise HubError(
            f"what the hub answered is not the manager's: {error}", "somebody interferes; ask the manager"
        ) from None


def _opens(identity: Identity, row: HouseholdKey) -> bool:
    """Return whether ``row`` is a genuine key for this door: others do no harm, and do not keep it out."""
    try:
        TrustedDoors(identity).household_key(row)
    except NotGenuineError as error:
        _log.warning("a key of the household at the hub is left out: %s", error)
        return False
    return True


def _change_password(joining: Joining, identity: Identity) -> None:
    """Give the door its own password; it may be in force already."""
    invited = replace(identity, password=joining.code.password)
    try:
        with opened(invited, joining.config, joining.state_dir) as store:
            store.joining.finish(identity.password)
    except HubRefusedError:
        with opened(identity, joining.config, joining.state_dir) as store:
            store.doors.estate()  # raises if the new password is not in force either
