"""People that doors share, with what comes between: changes while faces are judged, old backups, doors shut out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hub_people import SharingDoor, SharingEstate, eileen, grace, settle


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[SharingEstate]:
    made = SharingEstate(tmp_path)
    yield made
    made.close()


@pytest.fixture
def front(estate: SharingEstate) -> SharingDoor:
    return estate.add("front")


@pytest.fixture
def garage(estate: SharingEstate, front: SharingDoor) -> SharingDoor:
    return estate.add("garage")


@pytest.mark.parametrize("change", ["remove", "rename"])
def test_who_is_removed_or_renamed_while_faces_from_another_door_are_judged_stays_so(front, garage, change):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    front.store.add_person("Anna", grace()[2:3])
    judged = garage.local._judged

    def meanwhile(*arguments):
        garage.local._judged = judged
        found = judged(*arguments)  # takes seconds where the models have to be loaded
        garage.forget("Anna") if change == "remove" else garage.rename("Anna", "Annie")
        return found

    front.sync()
    garage.local._judged = meanwhile
    settle(garage, front)
    assert front.names() == garage.names() == ({} if change == "remove" else {"Annie": 3})
    assert len(garage.state.people) == len(front.state.people) == (0 if change == "remove" else 1)


def test_who_is_enrolled_while_somebody_of_that_name_arrives_is_another_person(front, garage):
    front.store.add_person("Anna", grace())
    front.sync()
    judged = garage.local._judged

    def meanwhile(*arguments):
        garage.local._judged = judged
        found = judged(*arguments)
        garage.store.add_person("Anna", eileen())
        return found

    garage.local._judged = meanwhile
    settle(garage, front)
    assert garage.names() == {"Anna": 1, "Anna (front)": 4}
