"""What the hub keeps for a time only is removed when a door asks, on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from facesecure.hub.row_values import role_of
from facesecure.hub.rows import Invitation
from support.hub import SIGNATURE, a_door, a_key, a_person, a_sighting, door_of, new_id, postgres_hub
from support.postgres.server import Server

pytest_plugins = ["support.postgres.fixtures"]
pytestmark = pytest.mark.slow

AGED = """
SET session_replication_role = replica;
UPDATE facesecure.people SET removed_at = now() - interval '91 days';
UPDATE facesecure.removals SET confirmed_at = now() - interval '91 days' WHERE confirmed_at IS NOT NULL
"""
"""Triggers would give the hub's time."""


def test_old_visits_invitations_and_confirmed_removals_are_removed_and_nothing_else(postgres: Server) -> None:
    with postgres_hub(postgres) as hub:
        front, back = hub.join(), hub.join()
        old, new = a_sighting(), a_sighting()
        front.sightings.add([old, new])
        guest = a_door(new_id())
        until = datetime.now(UTC) + timedelta(hours=1)
        role = role_of(guest.identifier)
        hub.manager.joining.invite(Invitation(guest.identifier, role, "g", guest.household, frozenset(), until), "x")
        gone, wiped = a_person(front), a_person(front)
        for person in (gone, wiped):
            front.people.put(person, [a_key(person.identifier, door_of(back), front)], 0)
            front.people.remove(person.identifier, 2, SIGNATURE)
        back.removals.confirm(wiped.identifier)
        for change in (
            f"UPDATE facesecure.sightings SET at = now() - interval '15 days' WHERE identifier = '{old.identifier}'",
            f"UPDATE facesecure.invitations SET expires_at = now() - interval '2 days' WHERE role = '{role}'",
        ):
            postgres.administer(change, hub.database)
        postgres.administer(AGED, hub.database)
        assert back.sightings.expire() == 1
        assert [each.identifier for each in back.sightings.after(0)] == [new.identifier]
        assert postgres.administer(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'") == []
        kept = postgres.administer("SELECT identifier FROM facesecure.people", hub.database)
        assert kept == [(gone.identifier,)]
        assert [each.person for each in back.removals.mine()] == [gone.identifier]
        assert back.doors.own() is not None
