"""How a door comes to the estate: invited by the manager, asking with its keys, accepted by the manager."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select, text, update

from facesecure.domain.errors import HubRefusedError
from facesecure.hub.passwords import scram_verifier
from facesecure.hub.row_values import door_values, invitation_from, rights_text, role_of, without_revision
from facesecure.hub.rows import HouseholdKey, Invitation, JoinRequest, NewDoor
from facesecure.hub.store.doors import time_of
from facesecure.hub.store.member import Part, now_of
from facesecure.hub.tables import doors, household_keys, invitations, join_requests

_SHOWN = timedelta(days=1)


class Joining(Part):
    """How a door comes to the estate: invited by the manager, asking with its keys, accepted by the manager."""

    def invite(self, invitation: Invitation, password: str) -> None:
        """Make a role that can sign in with ``password`` until ``invitation.expires_at``, and only ask to join.

        Manager only. The server gets a SCRAM verifier, never the password. ``invitation.role`` is what ``role_of``
        (``hub.row_values``) makes of its identifier.
        """
        if invitation.role != role_of(invitation.identifier):
            raise ValueError("the role is not the invitation's")
        values = {**vars(invitation), "rights": rights_text(invitation.rights)}
        with self._database.begin() as connection:
            if self._database.is_postgres:
                verifier = scram_verifier(connection, invitation.role, password)
                call = "SELECT invite(:identifier, :name, :household, :rights, :expires_at, :verifier)"
                connection.execute(text(call), {**values, "verifier": verifier})
            else:
                connection.execute(insert(invitations).values(**values))

    def invitations(self) -> tuple[Invitation, ...]:
        """Return those that expired a day ago at most, used ones too: all to the manager, its own to the invited."""
        with self._database.begin() as connection:
            since = time_of(connection) - _SHOWN
        query = select(invitations).where(invitations.c.expires_at > since).order_by(invitations.c.expires_at)
        return self._all(query, invitation_from)

    def withdraw(self, invitation: str) -> None:
        """Take back an invitation, used or not, and drop its role unless it has become a door. Manager only."""
        with self._database.begin() as connection:
            if self._database.is_postgres:
                connection.execute(text("SELECT withdraw_invitation(:invitation)"), {"invitation": invitation})
            else:
                connection.execute(delete(invitations).where(invitations.c.identifier == invitation))

    def ask(self, request: JoinRequest) -> None:
        """Ask to join, as the invited; asking again replaces the request.

        Raises HubRefusedError if the invitation has expired or was used.
        """
        with self._database.begin() as connection:
            _drop_request(connection, request.invitation)
            values = {**vars(request), "at": now_of(connection)}
            connection.execute(insert(join_requests).values(**values))

    def requests(self) -> tuple[JoinRequest, ...]:
        """Return the open requests. Manager only. Check the MAC before anything else."""
        return self._all(select(join_requests).order_by(join_requests.c.at), JoinRequest)

    def accept(self, door: NewDoor, keys: Sequence[HouseholdKey]) -> None:
        """Make a door of an invitation that was asked for, with the keys of its household, and use the invitation up.

        Manager only. Raises HubRefusedError if the invitation was used or taken back.
        """
        with self._database.begin() as connection:
            _use_up(connection, door.identifier)
            connection.execute(insert(doors).values(**door_values(door), joined_at=now_of(connection)))
            for key in keys:
                connection.execute(insert(household_keys).values(**without_revision(key)))

    def refuse(self, invitation: str) -> bool:
        """Remove a request whose MAC is wrong; the invitation stays open for the real door. Manager only.

        Return whether it was still there.
        """
        with self._database.begin() as connection:
            return _drop_request(connection, invitation)

    def finish(self, password: str) -> None:
        """Change the password of this door to ``password``, as which it signs in from now on; it does not expire."""
        with self._database.begin() as connection:
            if self._database.is_postgres:
                verifier = scram_verifier(connection, role_of(self._member.door), password)
                connection.execute(text("SELECT finish_join(:verifier)"), {"verifier": verifier})


def _use_up(connection: Connection, identifier: str) -> None:
    asked = _drop_request(connection, identifier)
    used = update(invitations).where(invitations.c.identifier == identifier, invitations.c.used_at.is_(None))
    if not connection.execute(used.values(used_at=now_of(connection))).rowcount or not asked:
        raise HubRefusedError("nobody asks to join by this invitation", "invite the door anew: facesecure hub invite")


def _drop_request(connection: Connection, invitation: str) -> bool:
    """Forget a request. Return whether there was one."""
    if connection.dialect.name == "postgresql":
        return bool(connection.execute(text("SELECT drop_request(:wanted)"), {"wanted": invitation}).scalar())
    return bool(connection.execute(delete(join_requests).where(join_requests.c.invitation == invitation)).rowcount)
