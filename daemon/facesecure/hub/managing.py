"""What only the manager does: make the hub, invite doors, answer their requests to join, rename and remove them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facesecure.domain.errors import HubConflictError, HubError, HubRefusedError, UsageError
from facesecure.domain.names import same_name
from facesecure.hub.certify import certified, issued, wrapped_keys
from facesecure.hub.codes import JoinCode
from facesecure.hub.documents import Documents
from facesecure.hub.door_names import free_name
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate, Household
from facesecure.hub.identity_file import read_identity, write_identity
from facesecure.hub.invitations import Given, GivenInvitations
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import Invitation, JoinRequest, Right
from facesecure.hub.store import HubStore
from facesecure.services.audit import audited, record

VALID = timedelta(hours=1)
"""How long an invitation may be used."""
_MOST_TRIES = 100
"""How many versions of a household's key are tried in turn."""
_UNKNOWN = (
    "put STATE_DIR/hub back from a newer backup, or name the household: facesecure hub invite NAME --household"
    " HOUSEHOLD; then repeat this"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Joined:
    """A door that the manager has answered: it belongs to the estate."""

    door: str
    name: str


class Manager:
    """The manager's door. Its commands and its daemon may use it at the same time.

    Example::

        manager = Manager(state_dir, store)
        code = manager.invite("garage", "home", frozenset(Right), b"")
        joined = manager.answer()  # again and again
    """

    def __init__(self, state_dir: Path, store: HubStore) -> None:
        """Act as the manager that ``state_dir`` belongs to. Raises HubError if it is not one."""
        identity = read_identity(state_dir)
        if identity.authority is None:
            raise HubError("this door is not the manager of the hub", "do this on the door where the hub was made")
        self._state_dir, self._store = state_dir, store
        self._identity, self._authority = identity, identity.authority
        self._given = GivenInvitations(state_dir)

    def invite(self, name: str, household: str | None, rights: frozenset[Right], ca: bytes) -> JoinCode:
        """Invite a door, which may join within an hour, and return its code. Raises HubError, UsageError.

        ``household`` is a name; None is the manager's own. ``ca`` is the authority of the hub's TLS certificate (DER).
        A name that a door has, or that another was invited by within the hour, is refused.
        """
        self._require_new(name)
        self._forget_expired()
        known = self._known(household or self._identity.households[0].name)
        code = JoinCode.made(self._identity.estate, self._identity.url, ca)
        given = Given(code.invitation, code.mac_key, name, known.name, rights, datetime.now(UTC) + VALID)
        with audited(self._state_dir, "hub-invited", name):
            self._give(given, code.password)
        return code

    def answer(self) -> list[Joined]:
        """Answer the requests to join that are open, and return the doors that were let in. Raises HubError.

        A request without a valid MAC is refused, and the invitation stays open for the door that has the code. A door
        whose name another has got meanwhile is let in with a number after it.
        """
        self._identity = read_identity(self._state_dir)  # a command may have added a household
        joined = []
        for request in self._store.joining.requests():
            try:
                joined.append(self._accept(request))
            except NotGenuineError as error:
                if self._store.joining.refuse(request.invitation):  # otherwise another command has answered it
                    _log.warning("a request to join the hub is refused: %s", error)
                    record(self._state_dir, "hub-join-refused", request.invitation)
            except HubRefusedError as error:
                _log.warning("a request to join the hub was replaced or taken back meanwhile: %s", error.message)
        return joined

    def rename(self, door: Certificate, name: str) -> None:
        """Give ``door`` another name, or the same written otherwise. Raises HubError, UsageError."""
        self._require_new(name, door.door)
        with audited(self._state_dir, "hub-door-renamed", door.name, name):
            self._store.doors.replace(certified(self._authority, replace(door, name=name, serial=_after(door.serial))))

    def remove(self, door: Certificate) -> None:
        """Shut ``door`` out for good, and give its household another key. May be repeated after an error.

        Raises HubError.
        """
        if door.door == self._identity.door:
            raise UsageError("this is the manager, which cannot be removed", "facesecure hub leave gives up the hub")
        with audited(self._state_dir, "hub-door-removed", door.name):
            self._store.doors.shut_out(door.door)  # first: it could hold locks that all else waits for
            gone = replace(door, rights=frozenset(), removed=True, serial=_after(door.serial))
            signed = certified(self._authority, gone)
            self._store.doors.replace(signed)
            KnownDoors(self._state_dir).believe(signed)  # no older database makes it a member again
            self._renew_key(door.household, self._members(door.household, without=door.door))
            self._store.doors.remove(door.door)

    def doors(self) -> list[Certificate]:
        """Return the certificates of the doors of the estate that are genuine, by name. Raises HubError."""
        trusted, rows = KnownDoors(self._state_dir).trusted, self._store.doors.all()
        for problem in trusted.learn(rows):
            _log.warning("%s", problem)
        there = {row.identifier for row in rows}
        return sorted((one for one in trusted.present() if one.door in there), key=lambda one: one.name.casefold())

    def half_removed(self) -> list[Certificate]:
        """Return the doors that ``remove`` did not finish with: it is to be repeated. Raises HubError."""
        trusted, rows = KnownDoors(self._state_dir).trusted, self._store.doors.all()
        trusted.learn(rows)
        return trusted.half_removed(rows)

    def household_name(self, identifier: str) -> str | None:
        """Return the name of a household, None if this manager does not know it."""
        return next((one.name for one in self._identity.households if self._identifier(one) == identifier), None)

    def _give(self, given: Given, password: str) -> None:
        identifier, until = self._authority.household(given.household), self._store.doors.now() + VALID
        role = role_of(given.identifier)
        self._given.put(given)
        try:
            self._store.joining.invite(
                Invitation(given.identifier, role, given.name, identifier, given.rights, until), password
            )
        except BaseException:  # nobody is told the code, which must not keep the name for an hour
            self._given.remove(given.identifier)
            raise

    def _accept(self, request: JoinRequest) -> Joined:
        given = self._given.get(request.invitation)
        if given is None:
            raise NotGenuineError("no such door was invited, or it has joined already")
        if any(door.door == request.invitation for door in self.doors()):
            raise NotGenuineError("the door has joined already")
        used = given.check(request, self._identity.estate, datetime.now(UTC))
        self._given.put(used)  # from now on the code is of no use to anybody else
        household = self._authority.household(given.household)
        named = replace(used, name=self._free_name(used))
        certificate = issued(self._identity.estate, named, household, request, _after(0))
        versions = range(1, self._up_to_date(self._known(given.household)).version + 1)
        keys = wrapped_keys(self._authority, self._identity, [certificate], versions)
        with audited(self._state_dir, "hub-door-joined", certificate.name):
            self._store.joining.accept(certified(self._authority, certificate), keys)
        self._given.remove(given.identifier)
        return Joined(certificate.door, certificate.name)

    def _require_new(self, name: str, door: str = "") -> None:
        """Raise UsageError if another than ``door`` has the name, or was invited by it and may join yet."""
        doors = self.doors()
        if any(same_name(name, one.name) for one in doors if one.door != door):
            raise UsageError(
                f"there is a door {name!r} already", "choose another name; facesecure hub doors lists them"
            )
        for given in self._open(doors):
            if same_name(name, given.name):
                raise UsageError(
                    f"a door {given.name!r} is invited already, and has not joined yet",
                    "let it join with the code that was printed, choose another name, or wait until that code expires:"
                    f" at {given.expires_at.astimezone():%H:%M}",
                )

    def _free_name(self, given: Given) -> str:
        """Return the name that was promised, with a number if another door has it by now."""
        name = free_name(given.name, [one.name for one in self.doors()])
        if name != given.name:
            _log.warning(
                "there is a door %r already: the one that joins is called %r; facesecure hub doors rename changes that",
                given.name,
                name,
            )
        return name

    def _open(self, doors: Iterable[Certificate]) -> list[Given]:
        """Return the invitations by which none of ``doors`` has joined, and one may yet."""
        now, joined = datetime.now(UTC), {door.door for door in doors}
        return [one for one in self._given.all() if now <= one.expires_at and one.identifier not in joined]

    def _forget_expired(self) -> None:
        now = datetime.now(UTC)
        for given in self._given.all():
            if now > given.expires_at and not given.keys:
                self._store.joining.withdraw(given.identifier)
                self._given.remove(given.identifier)

    def _members(self, household: str, without: str) -> list[Certificate]:
        return [door for door in self.doors() if door.household == household and door.door != without]

    def _renew_key(self, household: str, members: Iterable[Certificate]) -> None:
        """Make another version of a household's key, for ``members`` only.

        A version that one of them has was made by a command at the same time, or before STATE_DIR was put back: who is
        shut out now may have it too.
        """
        known = next((one for one in self._households() if self._identifier(one) == household), None)
        if known is None:
            raise HubError("the manager does not know the door's household", _UNKNOWN)
        doors = list(members)
        for version in range(known.version + 1, known.version + _MOST_TRIES):
            self._keep(replace(known, version=version))
            try:
                self._store.household_keys.put(wrapped_keys(self._authority, self._identity, doors, [version]))
            except HubConflictError:
                _log.info("version %d of the household's key is there already; the next is made", version)
            else:
                return
        raise HubError("the hub has many newer keys of the household", "somebody interferes: look at its database")

    def _known(self, name: str) -> Household:
        """Return the household ``name``, which is new if there is none; names are compared as ``same_name`` does."""
        found = next((one for one in self._households() if same_name(one.name, name)), None)
        return found or self._keep(Household(name))

    def _up_to_date(self, household: Household) -> Household:
        """Return ``household``, if it is ours with the newest key at the hub: STATE_DIR may be an older one, put back.

        Who was shut out since has the keys before that.
        """
        if self._identifier(household) != self._identity.own().household:
            return household
        trusted, rows = KnownDoors(self._state_dir).trusted, self._store.household_keys.mine()
        newest = Documents(self._identity, trusted, rows).newest
        return household if newest <= household.version else self._keep(replace(household, version=newest))

    def _identifier(self, household: Household) -> str:
        return self._authority.household(household.name)

    def _households(self) -> tuple[Household, ...]:
        """Return the households, read anew: another command, or the daemon, may have added one or renewed its key."""
        self._identity = read_identity(self._state_dir)
        return self._identity.households

    def _keep(self, household: Household) -> Household:
        kept = {one.name: one for one in self._households()} | {household.name: household}
        self._identity = replace(self._identity, households=tuple(kept.values()))
        write_identity(self._state_dir, self._identity)
        return household


def _after(serial: int) -> int:
    """Return a serial number above ``serial``, and above all that were given before."""
    return max(serial + 1, time.time_ns() // 1_000_000)
