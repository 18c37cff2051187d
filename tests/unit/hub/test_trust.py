"""Rows of a hub whose administrator lies: nothing is believed that a door with the right to it did not write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facesecure.hub.certify import wrapped_keys
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate, Identity, checked_certificate
from facesecure.hub.rows import HouseholdKey, Person, PersonKey, Record, RecordKind, Removal, Right, Sighting
from facesecure.hub.sealing import PERSON, SIGHTING, DataKey, Place, person_key_place, seal, wrap
from facesecure.hub.signing import sign_document, sign_wrapped
from facesecure.hub.trust import TrustedDoors
from support.estate import NOW, Estate, row_of

ANNA = "a" * 32
KEY = DataKey.made()


class House:
    """Two doors of one household, one of another, and one that may do nothing."""

    def __init__(self) -> None:
        self.estate = Estate()
        self.front, self.back = self.estate.door("front", manager=True), self.estate.door("back")
        self.other = self.estate.door("other", "flat 3")
        self.guest = self.estate.door("guest", rights=frozenset())
        self.trusted = TrustedDoors(self.back)
        assert self.trusted.learn(self.estate.rows) == []

    @property
    def home(self) -> str:
        return self.front.own().household

    def person(self, author: Identity, version: int = 1, *, removed: bool = False) -> Person:
        place = Place(self.estate.identifier, PERSON, ANNA, version)
        document = None if removed else seal(KEY, b"Anna", place)
        signature = sign_document(author.keys, place, self.home, author.door, document)
        return Person(ANNA, self.home, author.door, version, document, signature)

    def record(self, author: Identity, kind: RecordKind, version: int = 1, **changes: Any) -> Record:
        place = Place(self.estate.identifier, kind, self.home, version)
        document = seal(KEY, b"away", place)
        signature = sign_document(author.keys, place, self.home, author.door, document)
        return replace(Record(kind, self.home, self.home, author.door, version, document, signature), **changes)

    def key_for(self, door: Identity, author: Identity) -> PersonKey:
        place = person_key_place(self.estate.identifier, ANNA, door.door)
        wrapped = wrap(KEY, door.keys.box_key, place)
        return PersonKey(ANNA, door.door, wrapped, author.door, sign_wrapped(author.keys, place, author.door, wrapped))

    def household_key(self, door: Identity, version: int = 1) -> HouseholdKey:
        (row,) = wrapped_keys(self.estate.authority, self.front, [door.own()], [version])
        return row


@pytest.fixture
def house() -> House:
    return House()


def test_what_a_door_of_the_household_wrote_is_believed(house: House) -> None:
    assert house.trusted.check_person(house.person(house.front)).name == "front"
    assert house.trusted.check_record(house.record(house.guest, RecordKind.VISITOR)).name == "guest"
    assert house.trusted.check_record(house.record(house.front, RecordKind.MODE)).name == "front"
    assert house.trusted.person_key(house.key_for(house.back, house.front)) == KEY
    assert house.trusted.household_key(house.household_key(house.back)).version == 1


def test_a_door_that_the_administrator_added_is_not_trusted(house: House) -> None:
    forged = Estate()
    intruder = forged.door("front")
    row = replace(forged.rows[0], household=house.home)
    assert "not trusted" in house.trusted.learn([row])[0]
    with pytest.raises(NotGenuineError, match="not trusted"):
        house.trusted.check_person(house.person(intruder))


def test_a_certificate_in_the_row_of_another_door_is_refused(house: House) -> None:
    row = replace(house.estate.rows[0], identifier=house.guest.door)
    assert "another door's" in house.trusted.learn([row])[0]


def test_keys_that_were_swapped_in_the_row_change_nothing(house: House) -> None:
    rows = [
        replace(row, sign_key=house.guest.keys.sign_key, box_key=house.guest.keys.box_key) for row in house.estate.rows
    ]
    house.trusted.learn(rows)
    assert house.trusted.door(house.front.door).box_key == house.front.keys.box_key


def test_rights_in_the_row_change_nothing(house: House) -> None:
    house.trusted.learn([replace(row, rights=frozenset(Right)) for row in house.estate.rows])
    with pytest.raises(NotGenuineError, match="right to enrol"):
        house.trusted.check_person(house.person(house.guest))


@pytest.mark.parametrize("kind", [RecordKind.MODE, RecordKind.ARMING])
def test_a_door_without_the_right_does_not_disarm(house: House, kind: RecordKind) -> None:
    with pytest.raises(NotGenuineError, match="right to arm"):
        house.trusted.check_record(house.record(house.guest, kind))


def test_a_door_of_another_household_writes_nothing_here(house: House) -> None:
    with pytest.raises(NotGenuineError, match="another household"):
        house.trusted.check_person(house.person(house.other))
    with pytest.raises(NotGenuineError, match="another household"):
        house.trusted.check_record(house.record(house.other, RecordKind.VISITOR))


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "b" * 32},
        {"version": 7},
        {"document": None},
        {"document": bytes(1024)},
        {"signature": bytes(64)},
    ],
)
def test_a_person_that_was_changed_is_refused(house: House, changes: dict[str, Any]) -> None:
    with pytest.raises(NotGenuineError):
        house.trusted.check_person(replace(house.person(house.front), **changes))


def test_a_row_in_the_name_of_another_door_is_refused(house: House) -> None:
    with pytest.raises(NotGenuineError):
        house.trusted.check_person(replace(house.person(house.front), author=house.back.door))


def test_a_record_is_not_another_kind(house: House) -> None:
    row = house.record(house.front, RecordKind.VISITOR)
    others: list[dict[str, Any]] = [{"kind": RecordKind.MARKED}, {"kind": RecordKind.MODE}, {"identifier": "other"}]
    for changes in others:
        with pytest.raises(NotGenuineError):
            house.trusted.check_record(replace(row, **changes))


def test_an_older_version_that_was_put_back_is_refused(house: House) -> None:
    assert house.trusted.check_person(house.person(house.front, 4), newest=4).name == "front"
    with pytest.raises(NotGenuineError, match="older"):
        house.trusted.check_person(house.person(house.front, 3), newest=4)
    with pytest.raises(NotGenuineError, match="older"):
        house.trusted.check_record(house.record(house.front, RecordKind.MODE, 3), newest=4)


def test_an_order_to_wipe_needs_the_signed_tombstone(house: House) -> None:
    tombstone = house.person(house.front, 5, removed=True)
    order = Removal(ANNA, house.back.door, house.home, 5, house.front.door, tombstone.signature, NOW)
    assert house.trusted.check_removal(order, newest=4).name == "front"
    living = house.person(house.front, 5)
    for wrong in (
        replace(order, signature=living.signature),
        replace(order, person="b" * 32),
        replace(order, version=6),
        replace(order, ordered_by=house.guest.door),
    ):
        with pytest.raises(NotGenuineError):
            house.trusted.check_removal(wrong)
    with pytest.raises(NotGenuineError, match="older"):
        house.trusted.check_removal(order, newest=6)


def test_a_wrapped_key_cannot_be_moved_or_replaced(house: House) -> None:
    mine, others = house.key_for(house.back, house.front), house.key_for(house.front, house.front)
    place = person_key_place(house.estate.identifier, ANNA, house.back.door)
    planted = wrap(DataKey.made(), house.back.keys.box_key, place)
    for wrong in (
        replace(mine, person="b" * 32),
        replace(mine, wrapped=others.wrapped),
        replace(mine, wrapped=planted),
        replace(others, door=house.back.door),
        others,
        house.key_for(house.back, house.guest),
        replace(mine, author=house.guest.door),
    ):
        with pytest.raises(NotGenuineError):
            house.trusted.person_key(wrong)


def test_only_the_authority_gives_the_key_of_a_household(house: House) -> None:
    row = house.household_key(house.back, 2)
    signed = sign_wrapped(
        house.guest.keys, Place(house.estate.identifier, "household key", f"{house.home} {house.back.door}", 2),
        row.author, row.wrapped,
    )  # fmt: skip
    for wrong in (
        replace(row, signature=signed),
        replace(row, version=1),
        replace(row, household=house.other.own().household),
        house.household_key(house.other),
        replace(house.household_key(house.front), door=house.back.door),
    ):
        with pytest.raises(NotGenuineError):
            house.trusted.household_key(wrong)


def test_a_sighting_belongs_to_a_door_of_the_household(house: House) -> None:
    place = Place(house.estate.identifier, SIGHTING, "5" * 32)
    document = seal(KEY, b"somebody", place)

    def row(author: Identity) -> Sighting:
        signature = sign_document(author.keys, place, house.home, author.door, document)
        return Sighting("5" * 32, house.home, author.door, document, signature, NOW)

    assert house.trusted.check_sighting(row(house.guest)).name == "guest"
    for wrong in (
        row(house.other),
        replace(row(house.front), identifier="6" * 32),
        replace(row(house.front), document=bytes(1024)),
    ):
        with pytest.raises(NotGenuineError):
            house.trusted.check_sighting(wrong)


def certificate_of(house: House, **changes: Any) -> tuple[Certificate, bytes]:
    certificate = replace(house.guest.own(), **changes)
    return certificate, house.estate.authority.certify(certificate)


def test_an_older_certificate_does_not_give_rights_back(house: House) -> None:
    house.trusted.learn([row_of(*certificate_of(house, serial=9, name="visitor"))])
    assert "older" in house.trusted.learn([row_of(*certificate_of(house, serial=8, rights=frozenset(Right)))])[0]
    assert house.trusted.door(house.guest.door).name == "visitor"


def test_a_removed_door_stays_removed(house: House) -> None:
    before = house.estate.rows[-1]
    assert house.trusted.learn([row_of(*certificate_of(house, serial=9, removed=True))]) == []
    for row in (before, row_of(*certificate_of(house, serial=10))):
        house.trusted.learn([row])
        with pytest.raises(NotGenuineError, match="removed"):
            house.trusted.door(house.guest.door)
    again = TrustedDoors(house.back, house.trusted.encoded())
    assert house.guest.door not in {door.door for door in again.present()}
    assert len(again.present()) == 3


def test_two_certificates_with_one_number_are_refused(house: House) -> None:
    assert house.trusted.learn([row_of(*certificate_of(house, name="other name"))]) != []
    assert house.trusted.door(house.guest.door).name == "guest"


def test_certificates_that_were_kept_are_checked_again(house: House) -> None:
    forged = Estate()
    forged.door("front")
    with pytest.raises(NotGenuineError):
        TrustedDoors(house.back, {"d": forged.rows[0].certificate})
    assert checked_certificate(house.estate.rows[0].certificate, house.estate.authority.public, house.estate.identifier)
