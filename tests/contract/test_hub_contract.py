"""The contract of the hub's store: the same on a real PostgreSQL, where each door has a role, and on a SQLite file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from facesecure.domain.errors import HubConflictError, HubError, HubRefusedError
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import HouseholdKey, Invitation, JoinRequest, NoticeState, RecordKind, Right
from facesecure.hub.store import HubStore
from facesecure.hub.store.last_read import LastRead
from support.hub import (
    SIGNATURE,
    Hub,
    a_door,
    a_key,
    a_person,
    a_record,
    a_sighting,
    door_of,
    new_id,
    postgres_hub,
    sqlite_hub,
)

pytest_plugins = ["support.postgres.fixtures"]


@dataclass
class House:
    """A hub, two doors of one household, and one of another."""

    hub: Hub
    front: HubStore
    back: HubStore
    other: HubStore


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if request.param == "sqlite":
        made = sqlite_hub(tmp_path_factory.mktemp("hub"))
    else:
        made = postgres_hub(request.getfixturevalue("postgres"))
    with made as hub:
        household = new_id()
        yield House(hub, hub.join(household, "front"), hub.join(household, "back"), hub.join(new_id(), "other"))


def known_at(author: HubStore, *others: HubStore) -> str:
    """A person of ``author`` whom the others may know too."""
    person = a_person(author)
    keys = [a_key(person.identifier, door_of(store), author) for store in (author, *others)]
    assert author.people.put(person, keys, 0) is not None
    return person.identifier


def test_a_door_that_joined_is_listed_with_what_its_certificate_says(house: House) -> None:
    own = house.front.doors.own()
    assert own is not None
    assert (own.name, own.household, own.rights) == ("front", house.front.people._member.household, frozenset(Right))
    assert own in house.other.doors.all()
    assert house.front.doors.estate() == house.hub.manager.doors.estate()


def test_an_invitation_is_used_up_by_the_door_that_joins(house: House) -> None:
    joined = house.hub.join(name="shed")
    used = {each.identifier: each.used_at for each in house.hub.manager.joining.invitations()}
    assert used[door_of(joined)] is not None
    assert house.hub.manager.joining.requests() == ()
    with pytest.raises(HubRefusedError, match="nobody asks"):
        house.hub.manager.joining.accept(a_door(new_id()), [])


def test_a_request_that_was_refused_may_be_made_again(house: House) -> None:
    door = a_door(new_id())
    until = datetime.now(UTC) + timedelta(hours=1)
    role = role_of(door.identifier)
    invitation = Invitation(door.identifier, role, "attic", door.household, frozenset(), until)
    house.hub.manager.joining.invite(invitation, "once")
    house.hub.passwords[door.identifier] = "once"
    invited = house.hub.store_of(door.identifier, door.household)
    for mac in (b"wrong" * 4, b"right" * 4):
        invited.joining.ask(JoinRequest(door.identifier, door.box_key, door.sign_key, mac))
        (request,) = house.hub.manager.joining.requests()
        assert request.mac == mac
        house.hub.manager.joining.refuse(door.identifier)
        assert house.hub.manager.joining.requests() == ()
    assert invited.doors.own() is None
    invited.database.close()
    house.hub.manager.joining.withdraw(door.identifier)
    assert door.identifier not in {each.identifier for each in house.hub.manager.joining.invitations()}


def test_another_certificate_takes_the_place_of_a_doors_and_is_seen_after_the_cursor(house: House) -> None:
    cursor = house.front.doors.head()
    own = house.back.doors.own()
    assert own is not None
    renamed = a_door(own.household, "back door")
    house.hub.manager.doors.replace(replace(renamed, identifier=own.identifier, certificate=b"another"))
    (seen,) = house.front.doors.after(cursor)
    assert (seen.identifier, seen.name, seen.certificate) == (own.identifier, "back door", b"another")


def test_a_door_that_is_shut_out_loses_its_keys_and_cannot_come_back(house: House) -> None:
    gone = house.hub.join(house.front.people._member.household, "gone")
    person = known_at(house.front, gone)
    assert gone.people.get(person) is not None
    house.hub.manager.doors.remove(door_of(gone))
    assert door_of(gone) not in house.front.people.doors_of(person)
    (row,) = [door for door in house.front.doors.all() if door.identifier == door_of(gone)]
    assert row.removed_at is not None
    if house.hub.server is not None:
        for _ in range(2):
            with pytest.raises(HubError):
                gone.people.get(person)
    with pytest.raises(HubError):
        house.hub.manager.doors.remove(door_of(gone))


def test_the_manager_cannot_shut_itself_out(house: House) -> None:
    with pytest.raises(HubError):
        house.hub.manager.doors.remove(door_of(house.hub.manager))


def test_a_sign_of_life_is_seen_by_the_household_and_the_manager_and_takes_no_revision(house: House) -> None:
    head = house.front.doors.head()
    house.front.doors.report(b"first")
    house.front.doors.report(b"second")
    (status,) = [each for each in house.back.doors.statuses() if each.door == door_of(house.front)]
    assert status.document == b"second"
    assert abs(house.back.doors.now() - status.seen_at) < timedelta(minutes=5)
    assert [each for each in house.hub.manager.doors.statuses() if each.door == door_of(house.front)]
    assert not [each for each in house.other.doors.statuses() if each.door == door_of(house.front)]
    assert house.front.doors.head() == head


def newest_key(store: HubStore) -> int:
    return max((key.version for key in store.household_keys.mine()), default=0)


def test_the_first_to_add_a_version_of_the_household_key_wins(house: House) -> None:
    household = house.front.people._member.household
    version, manager = newest_key(house.back) + 1, house.hub.manager
    keys = [HouseholdKey(household, version, door_of(house.back), b"first", door_of(manager), SIGNATURE)]
    manager.household_keys.put(keys)
    with pytest.raises(HubConflictError):
        manager.household_keys.put([replace(keys[0], wrapped=b"second")])
    assert house.back.household_keys.mine()[0].wrapped == b"first"
    assert newest_key(house.back) == version


def test_a_person_is_seen_by_the_doors_that_have_a_key_and_by_no_other(house: House) -> None:
    cursor = house.back.doors.head()
    person = known_at(house.front, house.back)
    (shared,) = house.back.people.after(cursor)
    assert (shared.person.identifier, shared.person.document, shared.key.wrapped) == (person, b"sealed", b"wrapped")
    assert house.other.people.get(person) is None
    assert house.front.people.doors_of(person) == {door_of(house.front), door_of(house.back)}


def test_the_manager_can_share_a_person_with_a_door_of_another_household_later(house: House) -> None:
    manager = house.hub.manager
    person = known_at(manager)
    cursor = house.other.doors.head()
    manager.people.share([a_key(person, door_of(house.other), manager)])
    assert [each.person.identifier for each in house.other.people.after(cursor)] == [person]


def test_a_change_of_a_person_reaches_every_door_that_knows_them(house: House) -> None:
    person = known_at(house.front, house.back)
    cursor = house.back.doors.head()
    changed = a_person(house.front, 2, b"changed", person)
    assert house.front.people.put(changed, [], 1) is not None
    (shared,) = house.back.people.after(cursor)
    assert (shared.person.version, shared.person.document) == (2, b"changed")
    assert house.back.people.after(shared.revision) == ()


def test_a_change_made_on_an_older_version_is_not_written(house: House) -> None:
    person = known_at(house.front, house.back)
    assert house.front.people.put(a_person(house.front, 2, b"mine", person), [], 1) is not None
    assert house.back.people.put(a_person(house.back, 2, b"late", person), [], 1) is None
    assert house.back.people.put(a_person(house.back, 1, b"new", person), [], 0) is None
    shared = house.back.people.get(person)
    assert shared is not None
    assert shared.person.document == b"mine"


def test_a_hub_that_was_put_back_contradicts_what_was_read_although_it_has_grown(house: House) -> None:
    back, last = house.back, LastRead()
    people = [known_at(house.front, back) for _ in range(3)]
    for shared in back.people.after(0):
        last.note(shared.person.identifier, shared.revision, shared.person.signature)
    cursor = back.doors.head()
    house.front.people.put(replace(a_person(house.front, 2, b"new", people[0]), signature=b"t" * 64), [], 1)
    house.front.people.withdraw(people[1], [door_of(back)], 2, SIGNATURE)
    assert not back.people.was_put_back(last, cursor, people)
    unread = LastRead({key: row for key, row in last.rows.items() if key != people[2]}, last.floor)
    assert back.people.was_put_back(unread, cursor, people)
    assert not back.people.was_put_back(unread, cursor, people)  # it was read by now
    other = LastRead({**last.rows, people[2]: (last.rows[people[2]][0], "another")}, last.floor)
    assert back.people.was_put_back(other, cursor, people)
    last.note(new_id(), cursor, SIGNATURE)
    assert not back.people.was_put_back(last, cursor, people)
    assert back.people.was_put_back(last, cursor, last.rows)


def test_records_visits_and_doors_of_a_hub_that_was_put_back_contradict_what_was_read(house: House) -> None:
    back, records, visits, doors = house.back, LastRead(), LastRead(), LastRead()
    assert house.front.records.put(a_record(house.front, part="read"), 0) is not None
    house.front.sightings.add([a_sighting()])
    for row in back.records.after(0):
        records.note(f"{row.kind}/{row.identifier}", row.revision, row.signature)
    for visit in back.sightings.after(0):
        visits.note(visit.identifier, visit.revision, visit.signature)
    for door in back.doors.after(0):
        doors.note(door.identifier, door.revision, door.certificate)
    cursor = back.doors.head()
    assert house.front.records.put(a_record(house.front, part="read", version=2), 1) is not None
    parts = (back.records, records), (back.sightings, visits), (back.doors, doors)
    assert [part.was_put_back(last, cursor) for part, last in parts] == [False, False, False]
    for _, last in parts:
        last.note(new_id(), cursor, SIGNATURE)
    assert [part.was_put_back(last, cursor) for part, last in parts] == [True, True, True]


def test_people_are_read_in_pieces_in_the_order_of_their_changes(house: House) -> None:
    cursor = house.back.doors.head()
    people = [known_at(house.front, house.back) for _ in range(5)]
    read: list[str] = []
    while found := house.back.people.after(cursor, 2):
        assert len(found) <= 2
        read += [each.person.identifier for each in found]
        cursor = found[-1].revision
    assert read == people


def test_large_people_are_read_few_at_a_time(house: House) -> None:
    cursor = house.back.doors.head()
    for _ in range(4):
        person = a_person(house.front, document=b"x" * (3 << 20))
        house.front.people.put(person, [a_key(person.identifier, door_of(house.back), house.front)], 0)
    pieces = []
    while found := house.back.people.after(cursor):
        pieces.append(len(found))
        cursor = found[-1].revision
    assert pieces == [3, 1]


def test_a_removed_person_leaves_an_order_for_each_door_until_it_confirms(house: House) -> None:
    manager = house.hub.manager
    person = known_at(manager, house.back, house.other)
    cursor = manager.doors.head()
    assert manager.people.remove(person, 2, b"t" * 64)
    for store in (manager, house.back, house.other):
        assert store.people.get(person) is None
        (order,) = [each for each in store.removals.mine() if each.person == person]
        assert (order.ordered_by, order.version, order.signature) == (door_of(manager), 2, b"t" * 64)
    house.other.removals.confirm(person)
    house.other.removals.confirm(person)
    assert person not in {each.person for each in house.other.removals.mine()}
    assert person in {each.person for each in house.other.removals.mine_confirmed()}
    missing = {each.door for each in manager.removals.open() if each.person == person}
    assert missing == {door_of(manager), door_of(house.back)}
    confirmed = {each.door for each in manager.removals.after(cursor) if each.confirmed_at is not None}
    assert confirmed == {door_of(house.other)}


def test_a_removed_person_can_neither_come_back_nor_be_shared_nor_be_removed_again(house: House) -> None:
    person = known_at(house.front, house.back)
    assert house.front.people.remove(person, 2, SIGNATURE)
    assert not house.front.people.remove(person, 3, SIGNATURE)
    with pytest.raises(HubConflictError):
        house.front.people.share([a_key(person, door_of(house.back), house.front)])
    assert house.front.people.put(a_person(house.front, 3, b"back", person), [], 0) is None


def test_a_person_who_is_shared_while_they_are_removed_is_wiped_there_too(house: House) -> None:
    third = house.hub.join(house.front.people._member.household, "third")

    def share(person: str) -> None:
        with suppress(HubConflictError):
            house.back.people.share([a_key(person, door_of(third), house.back)])

    for _ in range(10):
        person = known_at(house.front, house.back)
        thread = threading.Thread(target=share, args=(person,))
        thread.start()
        assert house.front.people.remove(person, 2, SIGNATURE)
        thread.join()
        assert third.people.get(person) is None
        assert house.front.people.doors_of(person) == frozenset()
    third.database.close()


def test_nobody_is_removed_who_does_not_exist(house: House) -> None:
    assert not house.front.people.remove(new_id(), 2, SIGNATURE)


def test_a_person_is_taken_from_one_door_and_may_come_back_to_it(house: House) -> None:
    person = known_at(house.front, house.back)
    house.front.people.withdraw(person, [door_of(house.back)], 2, SIGNATURE)
    assert house.back.people.get(person) is None
    assert person in {each.person for each in house.back.removals.mine()}
    assert house.front.people.get(person) is not None
    house.front.people.share([a_key(person, door_of(house.back), house.front)])
    assert house.back.people.get(person) is not None
    assert person not in {each.person for each in house.back.removals.mine()}


def test_a_record_is_shared_by_the_household_alone(house: House) -> None:
    cursor = house.back.doors.head()
    said = a_record(house.front, part="visitor-1")
    revision = house.front.records.put(said, 0)
    (record,) = house.back.records.after(cursor)
    assert (record.identifier, record.document, record.revision) == (said.identifier, b"sealed", revision)
    assert house.other.records.after(cursor) == ()
    assert house.other.records.get(RecordKind.VISITOR, said.identifier) is None


def test_of_two_changes_of_a_record_on_one_version_the_first_is_written(house: House) -> None:
    mode = a_record(house.front, RecordKind.MODE)
    assert house.front.records.put(mode, 0) is not None
    assert house.back.records.put(replace(mode, author=door_of(house.back)), 0) is None
    assert house.back.records.put(replace(mode, author=door_of(house.back), version=2), 1) is not None
    assert house.front.records.put(replace(mode, version=2, document=b"late"), 1) is None
    found = house.front.records.get(RecordKind.MODE, mode.identifier)
    assert found is not None
    assert (found.author, found.version) == (door_of(house.back), 2)


def test_a_version_does_not_go_back(house: House) -> None:
    record = a_record(house.front, part="growing", version=5)
    assert house.front.records.put(record, 0) is not None
    assert house.front.records.put(replace(record, version=4), 5) is None


def test_a_removed_record_is_seen_as_a_tombstone(house: House) -> None:
    record = a_record(house.front, part="forgotten")
    house.front.records.put(record, 0)
    cursor = house.back.doors.head()
    house.front.records.put(replace(record, version=2, document=None), 1)
    (found,) = house.back.records.after(cursor)
    assert found.document is None
    assert found.removed_at is not None


@pytest.mark.parametrize("kind", [RecordKind.VISITOR, RecordKind.MARKED, RecordKind.CALIBRATION])
def test_what_a_door_says_is_blanked_by_another_of_its_household_and_said_again(house: House, kind: RecordKind) -> None:
    record = a_record(house.front, kind, "0" * 32)
    assert house.front.records.put(record, 0) is not None
    cursor = house.front.doors.head()
    blank = replace(record, author=door_of(house.back), version=2, document=None)
    assert house.other.records.put(replace(blank, household=house.other.people._member.household), 1) is None
    assert house.back.records.put(blank, 1) is not None
    (found,) = house.front.records.after(cursor)
    assert (found.author, found.document) == (door_of(house.back), None)
    assert house.front.records.put(replace(record, version=3), 2) is not None
    (again,) = house.back.records.after(found.revision)
    assert (again.version, again.document, again.removed_at) == (3, b"sealed", None)


def test_sightings_are_handed_in_once_and_seen_by_the_household(house: House) -> None:
    cursor = house.back.doors.head()
    sightings = [a_sighting(), a_sighting()]
    house.front.sightings.add(sightings)
    house.front.sightings.add(sightings)
    found = house.back.sightings.after(cursor)
    assert {each.identifier for each in found} == {each.identifier for each in sightings}
    assert {each.author for each in found} == {door_of(house.front)}
    assert house.other.sightings.after(cursor) == ()
    assert house.front.sightings.expire() == 0


def test_a_sighting_is_replaced_by_its_door_alone_and_seen_again(house: House) -> None:
    first, second = a_sighting(), a_sighting()
    house.front.sightings.put([first, second])
    cursor = house.back.doors.head()
    house.front.sightings.put([])
    house.front.sightings.put([replace(first, document=b"changed"), a_sighting()])
    changed, _ = sorted(house.back.sightings.after(cursor), key=lambda each: each.identifier != first.identifier)
    assert (changed.identifier, changed.document, changed.author) == (
        first.identifier, b"changed", door_of(house.front)
    )  # fmt: skip
    assert house.back.sightings.get(first.identifier) == changed
    assert house.other.sightings.get(first.identifier) is None
    for thief in (house.back, house.other):
        with pytest.raises(HubRefusedError):
            thief.sightings.put([a_sighting(), replace(second, document=b"stolen")])
    found = {each.identifier: each.document for each in house.back.sightings.after(0)}
    assert found[second.identifier] == b"sealed"


def test_a_crop_is_handed_in_when_it_was_asked_for(house: House) -> None:
    sighting = a_sighting()
    house.front.sightings.add([sighting])
    with pytest.raises(HubError, match="nobody asks"):
        house.front.crops.put(sighting.identifier, b"crop")
    house.back.crops.request(sighting.identifier)
    house.back.crops.request(sighting.identifier)
    (asked,) = house.front.crops.requested()
    assert (asked.sighting, asked.door) == (sighting.identifier, door_of(house.back))
    cursor = house.back.doors.head()
    house.front.crops.put(sighting.identifier, b"crop")
    (changed,) = house.back.sightings.after(cursor)
    assert changed.has_crop
    assert house.back.crops.get(sighting.identifier) == b"crop"
    assert house.front.crops.requested() == ()


def test_a_crop_is_gone_when_nobody_asks_for_it_any_more(house: House) -> None:
    one, other = a_sighting(), a_sighting()
    house.front.sightings.add([one, other])
    house.back.crops.request(one.identifier)
    house.front.crops.put(one.identifier, b"crop")
    assert house.back.crops.is_asked(one.identifier)
    house.back.crops.withdraw(one.identifier)
    assert not house.back.crops.is_asked(one.identifier)
    assert house.back.crops.get(one.identifier) is None
    house.back.crops.request(other.identifier)
    house.front.crops.put(other.identifier, b"crop")
    house.front.crops.tidy(timedelta(hours=1))
    assert house.back.crops.get(other.identifier) == b"crop"
    house.front.crops.tidy(timedelta(0))
    assert house.back.crops.get(other.identifier) is None
    with pytest.raises(HubError, match="nobody asks"):
        house.front.crops.put(other.identifier, b"crop")


def test_a_request_for_a_crop_that_is_gone_is_denied(house: House) -> None:
    sighting = a_sighting()
    house.front.sightings.add([sighting])
    house.back.crops.request(sighting.identifier)
    house.front.crops.deny(sighting.identifier)
    assert house.front.crops.requested() == ()
    assert house.back.crops.get(sighting.identifier) is None


def decide(store: HubStore, log: list[bool]) -> str:
    """Notify about a stranger unless another door has seen somebody: everybody is the same stranger here."""
    sighting = a_sighting()
    with store.notices.turn(timedelta(seconds=20), timeout=20) as turn:
        turn.add(sighting)
        told = any(turn.is_told(other) for other in turn.recent)
        log.append(told)
        if not told:
            turn.claim(sighting.identifier)
    return sighting.identifier


def test_of_two_doors_that_see_a_stranger_at_once_one_notifies(house: House) -> None:
    household = new_id()
    doors = [house.hub.join(household, f"door {number}") for number in range(2)]
    for door in doors:
        door.doors.now()
    log: list[bool] = []
    threads = [threading.Thread(target=decide, args=(door, log)) for door in doors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(log) == [False, True]
    for door in doors:
        door.database.close()


def test_a_claim_is_confirmed_or_given_up(house: House) -> None:
    household = new_id()
    first, second = house.hub.join(household), house.hub.join(household)
    for store in (first, second):
        store.doors.now()
    log: list[bool] = []
    claimed = decide(first, log)
    assert not second.notices.confirm(claimed)
    first.notices.release(claimed)
    assert not first.notices.confirm(claimed)
    claimed = decide(second, log)
    assert second.notices.confirm(claimed)
    second.notices.release(claimed)
    notice = first.notices.get(claimed)
    assert notice is not None
    assert notice.state is NoticeState.CONFIRMED
    decide(first, log)
    assert log == [False, False, True]
    for store in (first, second):
        store.database.close()


def test_a_turn_that_fails_writes_nothing(house: House) -> None:
    sighting = a_sighting()
    house.front.doors.now()
    cursor = house.front.doors.head()
    with suppress(RuntimeError), house.front.notices.turn(timeout=30) as turn:
        turn.add(sighting)
        raise RuntimeError
    assert house.back.sightings.after(cursor) == ()


def test_a_door_is_woken_by_what_concerns_it_and_by_nothing_else(house: House) -> None:
    woken = house.back.database
    while woken.wait(0.2):
        pass
    assert not woken.wait(0.1)
    house.front.records.put(a_record(house.front, part=f"waking-{new_id()}"), 0)
    assert woken.wait(30)
    if house.hub.server is not None:
        while woken.wait(0.2):
            pass
        house.other.records.put(a_record(house.other, part=f"waking-{new_id()}"), 0)
        assert not woken.wait(0.5)


def test_what_waits_can_be_ended(house: House) -> None:
    while house.back.database.wait(0.2):
        pass
    threading.Timer(0.2, house.back.database.wake).start()
    assert not house.back.database.wait(60)


@contextmanager
def unguarded(house: House) -> Iterator[Callable[[str], object]]:
    """Yield what executes a statement without the database's checks, whichever those are."""
    if house.hub.server is None:
        with house.front.database.begin() as connection:
            yield lambda statement: connection.execute(text(statement))
        return
    with house.hub.server.connect(database=house.hub.database) as superuser:
        superuser.execute("SET search_path = facesecure; SET session_replication_role = replica")
        found = superuser.execute(CHECKS).fetchall()
        for table, name, _ in found:
            superuser.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
        yield lambda statement: superuser.execute(statement.encode())
        for table, name, definition in found:
            superuser.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition} NOT VALID'.encode())


CHECKS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'c' AND connamespace = 'facesecure'::regnamespace AND conrelid <> 0"
)
DAMAGE = {
    "records": "UPDATE records SET author = 'Z' || substr(author, 2)",
    "sightings": "UPDATE sightings SET identifier = 'Z' || substr(identifier, 2)",
    "people": "UPDATE people SET author = 'Z' || substr(author, 2)",
    "removals": "UPDATE removals SET ordered_by = 'Z' || substr(ordered_by, 2)",
    "doors": "UPDATE doors SET name = ' '",
}


def read_on(store: HubStore, table: str, cursor: int) -> tuple[list[Any], int]:
    """Read two rows at a time until nothing is left. Return what was sound, and how often was asked."""
    found, looks = list[Any](), 0
    while rows := getattr(store, table).after(cursor, 2):
        assert rows.read_to > cursor
        found, cursor, looks = found + list(rows), rows.read_to, looks + 1
    return found, looks


def written(house: House, table: str) -> str:
    """Let the front door, or of doors the manager, write a row of ``table``; return what names it."""
    if table == "records":
        row = a_record(house.front, part=new_id())
        house.front.records.put(row, 0)
        return row.identifier
    if table == "sightings":
        house.front.sightings.add([new := a_sighting()])
        return new.identifier
    if table == "doors":
        return door_of(house.hub.join(new_id(), "spare"))
    person = known_at(house.front, house.back)
    if table == "removals":
        house.front.people.remove(person, 2, SIGNATURE)
    return person


@pytest.mark.parametrize("table", DAMAGE)
def test_rows_that_are_malformed_keep_nobody_from_those_after_them(house: House, table: str) -> None:
    reader = house.hub.manager if table == "removals" else house.back
    cursor = house.back.doors.head()
    bad = [written(house, table) for _ in range(2 if table == "doors" else 3)]
    column = "person" if table == "removals" else "identifier"
    with unguarded(house) as execute:
        execute(f"{DAMAGE[table]} WHERE {column} IN ({', '.join(map(repr, bad))})")
    good = written(house, table)
    found, looks = read_on(reader, table, cursor)
    assert looks > 1
    assert found
    assert all(good in repr(one) for one in found)
    assert read_on(reader, table, found[-1].revision) == ([], 0)
