"""How a door comes to the estate: invited by the manager, asking with its keys, accepted by the manager."""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import HouseholdKey, Invitation, JoinRequest, NewDoor
from facesecure.hub.store.member import Member


class Joining:
    """How a door comes to the estate: invited by the manager, asking with its keys, accepted by the manager."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def invite(self, invitation: Invitation, password: str) -> None:
        """Make a role that can sign in with ``password`` until ``invitation.expires_at``, and only ask to join.

        Manager only. The server gets a SCRAM verifier, never the password. ``invitation.role`` is what ``role_of`` makes of
        its identifier.
        """
        raise NotImplementedError

    def invitations(self) -> tuple[Invitation, ...]:
        """Return those that are open, used ones of the last day too: all to the manager, its own to who was invited."""
        raise NotImplementedError

    def withdraw(self, invitation: str) -> None:
        """Take back an invitation, used or not, and drop its role unless it has become a door. Manager only."""
        raise NotImplementedError

    def ask(self, request: JoinRequest) -> None:
        """Ask to join, as the invited; asking again replaces the request.

        Raises HubError if the invitation has expired.
        """
        raise NotImplementedError

    def requests(self) -> tuple[JoinRequest, ...]:
        """Return the open requests. Manager only. Check the MAC before anything else."""
        raise NotImplementedError

    def accept(self, door: NewDoor, keys: Sequence[HouseholdKey]) -> None:
        """Make a door of an invitation that was asked for, with the keys of its household, and use the invitation up.

        Manager only.
        """
        raise NotImplementedError

    def refuse(self, invitation: str) -> None:
        """Remove a request whose MAC is wrong; the invitation stays open for the real door. Manager only."""
        raise NotImplementedError

    def finish(self, password: str) -> None:
        """Change the password of this door to ``password``, as which it signs in from now on; it does not expire."""
        raise NotImplementedError
