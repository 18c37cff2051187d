"""What ``facesecure hub doors`` and ``status`` show of the hub: nothing of a row that is not genuine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facesecure.config.hub import HubConfig
from facesecure.domain.errors import StoreError
from facesecure.hub.access import opened
from facesecure.hub.documents import Documents, older_key
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate, Identity
from facesecure.hub.identity_file import member_identity
from facesecure.hub.rows import HouseholdKey, Removal
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import newest_seen
from facesecure.hub.sync.people_state import PeopleState
from facesecure.hub.sync.visits_state import VisitsState
from facesecure.hub.trust import TrustedDoors


@dataclass(frozen=True)
class ListedDoor:
    """A door as it is listed. ``household`` is None where only the manager knows the name."""

    id: str
    name: str
    household: str | None
    household_id: str
    rights: tuple[str, ...]
    manager: bool
    seen_at: datetime | None


@dataclass(frozen=True)
class ListedDoors:
    """The doors of the estate, and a sentence for each that is not trusted."""

    doors: tuple[ListedDoor, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """What a door sees of its hub.

    ``waiting`` are names of doors that have yet to wipe a removed person, ``unfinished`` sentences about doors whose
    removal is to be repeated, ``people`` about people whom this door calls otherwise than others do, or does not take
    in.
    """

    name: str
    id: str
    url: str
    manager: bool
    doors: int
    invitations: tuple[str, ...]
    waiting: tuple[str, ...]
    problems: tuple[str, ...]
    people: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The sentences after the first."""
        open_ones = [f"invited: {name}" for name in self.invitations]
        return [*open_ones, *(f"{name} has not confirmed that a removed person is wiped" for name in self.waiting),
                *self.people, *self.unfinished, *self.problems]  # fmt: skip


def listed(config: HubConfig, state_dir: Path) -> ListedDoors:
    """Return the doors of this door's hub. Raises HubError."""
    identity = member_identity(state_dir)
    with opened(identity, config, state_dir) as store:
        doors, problems, unfinished = _trusted(identity, store)
        manager = store.doors.estate().manager
        seen = {status.door: status.seen_at for status in store.doors.statuses()}
    names = _household_names(identity)
    shown = [
        ListedDoor(
            door.door, door.name, names.get(door.household), door.household, tuple(sorted(door.rights)),
            door.door == manager, seen.get(door.door),
        )
        for door in doors.present()
    ]  # fmt: skip
    return ListedDoors(tuple(sorted(shown, key=lambda one: one.name.casefold())), (*problems, *unfinished))


def overview(config: HubConfig, state_dir: Path) -> Overview:
    """Return how this door stands with its hub. Raises HubError."""
    identity = member_identity(state_dir)
    with opened(identity, config, state_dir) as store:
        doors, problems, unfinished = _trusted(identity, store)
        waiting, forged = _waiting(doors, store.removals.open())
        now = store.doors.now()
        invited = [one.name for one in store.joining.invitations() if one.used_at is None and now < one.expires_at]
        keys = store.household_keys.mine()
    return Overview(
        name=next((door.name for door in doors.present() if door.door == identity.door), identity.own().name),
        id=identity.door,
        url=config.database or identity.url,
        manager=identity.is_manager,
        doors=len(doors.present()),
        invitations=tuple(invited if identity.is_manager else ()),
        waiting=waiting,
        problems=(*problems, *forged, *_older_key(identity, doors, keys, state_dir), *_refused_visits(state_dir)),
        people=PeopleState.read(state_dir).notes(),
        unfinished=unfinished,
    )


def _older_key(
    identity: Identity, doors: TrustedDoors, keys: Iterable[HouseholdKey], state_dir: Path
) -> tuple[str, ...]:
    newest, least = Documents(identity, doors, keys).newest, newest_seen(state_dir, identity.own().household)
    return (older_key(newest, least),) if newest < least else ()


def _refused_visits(state_dir: Path) -> tuple[str, ...]:
    try:
        return tuple(VisitsState.read(state_dir).problems)
    except StoreError:  # the daemon reads it from the hub again
        return ()


def _trusted(identity: Identity, store: HubStore) -> tuple[TrustedDoors, tuple[str, ...], tuple[str, ...]]:
    """Return the doors, a sentence for each that is not trusted, and one for each whose removal is to be repeated."""
    doors, rows = TrustedDoors(identity), store.doors.all()
    problems = doors.learn(rows)
    unfinished = [
        f"{door.name} is shut out, but not quite removed: facesecure hub doors remove {door.name!r}"
        for door in doors.half_removed(rows)
    ]
    return doors, tuple(problems), tuple(unfinished)


def _waiting(doors: TrustedDoors, removals: Iterable[Removal]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names: dict[str, Certificate] = {door.door: door for door in doors.present()}
    waiting, forged = set[str](), list[str]()
    for removal in removals:
        if removal.door not in names or removal.confirmed_at is not None:
            continue
        try:
            doors.check_removal(removal)
            waiting.add(names[removal.door].name)
        except NotGenuineError as error:
            forged.append(f"an order to wipe a person is not genuine: {error}")
    return tuple(sorted(waiting)), tuple(forged)


def _household_names(identity: Identity) -> dict[str, str]:
    if identity.authority is None:
        return {}
    return {identity.authority.household(one.name): one.name for one in identity.households}
