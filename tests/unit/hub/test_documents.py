"""What one door seals another opens, if it is meant for it, and nobody in between changes it."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from facesecure.hub.certify import wrapped_keys
from facesecure.hub.documents import Documents
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Identity
from facesecure.hub.rows import NewSighting, RecordKind, Right, SharedPerson, Sighting, Status
from facesecure.hub.sealing import DataKey
from facesecure.hub.trust import TrustedDoors
from support.estate import NOW, Estate

ANNA = "a" * 32


class Doors:
    """Three doors of a household, of which one may nothing, and one of another."""

    def __init__(self) -> None:
        self.estate = Estate()
        self.identities = {
            "front": self.estate.door("front", manager=True),
            "back": self.estate.door("back"),
            "guest": self.estate.door("guest", rights=frozenset({Right.VIEW})),
            "other": self.estate.door("other", "flat 3", frozenset({Right.ENROL, Right.ARM, Right.VIEW})),
            "entrance": self.estate.door("entrance", "flat 3", frozenset({Right.ENROL, Right.SHARE})),
        }
        self.documents = {name: self.of(identity) for name, identity in self.identities.items()}

    def of(self, identity: Identity, *versions: int) -> Documents:
        trusted = TrustedDoors(identity)
        assert trusted.learn(self.estate.rows) == []
        keys = wrapped_keys(self.estate.authority, self.identities["front"], [identity.own()], versions or (1,))
        return Documents(identity, trusted, keys)

    def shared(self, version: int = 1, by: str = "front", to: str = "back", key: DataKey | None = None) -> SharedPerson:
        key = key or DataKey.made()
        made = self.documents[by]
        (wrapped,) = made.keys_for(ANNA, key, [self.identities[to].own()])
        return SharedPerson(made.person(ANNA, version, b"Anna", key), wrapped, 1)


@pytest.fixture(scope="module")
def doors() -> Doors:
    return Doors()


def sighting_of(identity: Identity, new: NewSighting) -> Sighting:
    return Sighting(new.identifier, identity.own().household, identity.door, new.document, new.signature, NOW)


def test_a_person_is_opened_by_the_door_that_may_know_them(doors: Doors) -> None:
    key = DataKey.made()
    assert doors.documents["back"].open_person(doors.shared(key=key)) == (b"Anna", key)
    for wrong in ("front", "guest"):
        with pytest.raises(NotGenuineError):
            doors.documents[wrong].open_person(doors.shared())


def test_a_person_by_a_door_that_may_not_enrol_or_of_another_household_is_refused(doors: Doors) -> None:
    for by in ("guest", "other"):
        with pytest.raises(NotGenuineError):
            doors.documents["back"].open_person(doors.shared(by=by))


def test_a_door_that_may_share_lets_another_household_know_a_person(doors: Doors) -> None:
    assert doors.documents["back"].open_person(doors.shared(by="entrance"))[0] == b"Anna"


def test_an_older_person_and_the_key_of_another_are_refused(doors: Doors) -> None:
    shared = doors.shared(version=3)
    with pytest.raises(NotGenuineError, match="older"):
        doors.documents["back"].open_person(shared, newest=4)
    (other,) = doors.documents["front"].keys_for("b" * 32, DataKey.made(), [doors.identities["back"].own()])
    for key in (other, doors.shared().key, replace(shared.key, person="b" * 32)):
        with pytest.raises(NotGenuineError):
            doors.documents["back"].open_person(replace(shared, key=key))


def test_a_tombstone_opens_as_nothing(doors: Doors) -> None:
    shared = doors.shared(version=2)
    gone = replace(shared.person, document=None, version=3, signature=doors.documents["front"].tombstone(ANNA, 3))
    opened, _ = doors.documents["back"].open_person(replace(shared, person=gone))
    assert opened is None
    with pytest.raises(NotGenuineError):
        doors.documents["back"].open_person(replace(shared, person=replace(gone, version=4)))


def test_a_record_is_opened_by_the_household_only(doors: Doors) -> None:
    row = doors.documents["front"].record(RecordKind.MODE, "house", 2, b"away")
    assert doors.documents["guest"].open_record(row) == b"away"
    for wrong in (replace(row, identifier="flat"), replace(row, version=3), replace(row, kind=RecordKind.VISITOR)):
        with pytest.raises(NotGenuineError):
            doors.documents["guest"].open_record(wrong)
    with pytest.raises(NotGenuineError):
        doors.documents["other"].open_record(row)
    with pytest.raises(NotGenuineError, match="older"):
        doors.documents["guest"].open_record(row, newest=3)
    assert (
        doors.documents["guest"].open_record(doors.documents["front"].record(RecordKind.MODE, "house", 3, None)) is None
    )


def test_what_is_sealed_with_a_newer_key_needs_that_key(doors: Doors) -> None:
    newer = doors.of(doors.identities["front"], 1, 2)
    row = newer.record(RecordKind.MODE, "house", 1, b"away")
    with pytest.raises(NotGenuineError, match="does not have"):
        doors.documents["back"].open_record(row)
    assert doors.of(doors.identities["back"], 2, 1).open_record(row) == b"away"
    assert newer.open_record(doors.documents["back"].record(RecordKind.MODE, "house", 1, b"home")) == b"home"


def test_a_forged_key_of_the_household_is_not_learnt(doors: Doors) -> None:
    forged = Estate()
    back = doors.identities["back"].own()
    (row,) = wrapped_keys(forged.authority, doors.identities["front"], [back], [9])
    documents = doors.of(doors.identities["back"])
    assert "not genuine" in documents.learn([row])[0]
    assert documents.open_record(doors.documents["front"].record(RecordKind.MODE, "house", 1, b"away")) == b"away"


def test_sightings_and_their_crops_are_opened_by_the_household(doors: Doors) -> None:
    front, identifier = doors.identities["front"], secrets.token_hex(16)
    row = sighting_of(front, doors.documents["front"].sighting(identifier, b"a stranger"))
    crop = doors.documents["front"].crop(identifier, b"\x89PNG")
    assert doors.documents["back"].open_sighting(row) == b"a stranger"
    assert doors.documents["back"].open_crop(row, crop) == b"\x89PNG"
    with pytest.raises(NotGenuineError):
        doors.documents["back"].open_crop(row, doors.documents["guest"].crop(identifier, b"another face"))
    with pytest.raises(NotGenuineError):
        doors.documents["back"].open_crop(replace(row, identifier="0" * 32), crop)
    with pytest.raises(NotGenuineError):
        doors.documents["back"].open_sighting(replace(row, document=crop))


def test_a_status_is_its_own_doors(doors: Doors) -> None:
    guest = doors.identities["guest"]
    row = Status(guest.door, guest.own().household, NOW, doors.documents["guest"].status(b"armed"))
    assert doors.documents["front"].open_status(row) == b"armed"
    assert doors.documents["front"].open_status(replace(row, document=None)) is None
    for wrong in (
        replace(row, door=doors.identities["back"].door),
        replace(row, document=doors.documents["back"].status(b"armed")),
        replace(row, household="0" * 32),
    ):
        with pytest.raises(NotGenuineError):
            doors.documents["front"].open_status(wrong)
    with pytest.raises(NotGenuineError):
        doors.documents["other"].open_status(row)


def test_a_door_without_a_key_of_its_household_seals_nothing(doors: Doors) -> None:
    back = doors.identities["back"]
    bare = Documents(back, TrustedDoors(back), [])
    with pytest.raises(NotGenuineError, match="no key"):
        bare.status(b"armed")
