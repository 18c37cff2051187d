"""Which doors shall know a person: what the household wishes, and what is so. In STATE_DIR/hub/assigned.secret."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from facesecure.domain.doors import PersonDoor, PersonDoors
from facesecure.domain.errors import HubError, StoreError, UsageError
from facesecure.hub.door_names import door_called
from facesecure.hub.identity import Certificate
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.rows import Right, require_identifiers
from facesecure.hub.sync.people_state import PeopleState, Shared
from facesecure.storage.secret_files import SecretFiles

NAME = "assigned"
NO_RIGHT = "this door may not change who is known where"
ANOTHERS = "the person belongs to another household"

Doors = Sequence[str] | frozenset[str] | None
"""Identifiers of doors; None: all of the household."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The doors that shall know a person, and this one; None: all of the household. ``number`` is random."""

    doors: tuple[str, ...] | None
    number: str

    def __post_init__(self) -> None:
        require_identifiers(*(self.doors or ()), self.number)


@dataclass(frozen=True, slots=True)
class Assigned:
    """The names of the doors that may know a person besides this one; ``all``: every door of the household."""

    all: bool
    doors: tuple[str, ...]

    @property
    def words(self) -> str:
        """The doors as they are shown."""
        names = ", ".join(["this door", *self.doors])
        return f"all doors of the household ({names})" if self.all else names


def assign(state_dir: Path, uid: str, doors: Sequence[str] | None) -> Assigned:
    """Wish that the doors called ``doors`` know a person (None: all of the household), and no other but this one.

    The daemon does it. Raises HubError if this door may not, UsageError for a door that there is not, or whose name
    another has too.
    """
    identity, known = member_identity(state_dir), KnownDoors(state_dir)
    own = identity.own()
    if not own.may(Right.ENROL):
        raise HubError(NO_RIGHT, "it needs the right enrol: facesecure hub doors")
    entry = PeopleState.read(state_dir).of_uid(uid)
    if entry is not None and entry[1].household != own.household:
        raise HubError(ANOTHERS, "assign them at a door of that household")
    present = known.trusted.present()
    chosen = None if doors is None else _called(doors, present, own)
    _write_wish(state_dir, uid, Wish(chosen, secrets.token_hex(16)))
    return _named(chosen, present, own)


def doors_called(state_dir: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the identifiers of the doors called ``names``, or with these identifiers, and of this one.

    Raises HubError, StoreError, UsageError for a door that ``assign`` does not take.
    """
    return _called(names, KnownDoors(state_dir).trusted.present(), member_identity(state_dir).own())


def _write_wish(state_dir: Path, uid: str, wish: Wish) -> None:
    """Write a wish beside the others; the page and a command may do so at once."""
    files = SecretFiles(state_dir)
    with files.locked(NAME):
        wishes = {**read_wishes(state_dir), uid: wish}
        files.write(NAME, json.dumps({one: asdict(wish) for one, wish in wishes.items()}).encode())


def assigned(state_dir: Path, uid: str) -> Assigned | None:
    """Return which doors may know a person, None if they are not shared yet. Raises HubError, StoreError."""
    found = PeopleState.read(state_dir).of_uid(uid)
    if found is None and uid not in read_wishes(state_dir):
        return None
    doors = _wished(state_dir, uid, found)
    own = member_identity(state_dir).own()
    return _named(doors, KnownDoors(state_dir).trusted.present(), own)


class HubAssigner:
    """An ``Assigner`` (``domain.doors``) for the people of ``state_dir``.

    Example::

        HubAssigner(state_dir, link.wake).assign(uid, None)
    """

    def __init__(self, state_dir: Path, wake: Callable[[], object] = lambda: None) -> None:
        """``wake`` is called after a change, so that it is soon done."""
        self._state_dir, self._wake, self._lock = state_dir, wake, threading.Lock()

    def doors_of(self, uid: str) -> PersonDoors:
        """Return the doors that know a person, or are to. Raises HubError, StoreError."""
        own, present = member_identity(self._state_dir).own(), KnownDoors(self._state_dir).trusted.present()
        entry = PeopleState.read(self._state_dir).of_uid(uid)
        wished = _wished(self._state_dir, uid, entry)
        near = [one for one in present if one.household == own.household or own.may(Right.SHARE)]
        known = _chosen(wished, near, own)
        doors = [
            PersonDoor(one.door, one.name, one.household == own.household, one in known)
            for one in sorted(near, key=lambda one: (one.household != own.household, one.name.casefold()))
            if one.door != own.door
        ]
        fixed = "" if own.may(Right.ENROL) else NO_RIGHT
        if entry is not None and entry[1].household != own.household:
            fixed = ANOTHERS
        return PersonDoors(wished is None, tuple(doors), fixed)

    def assign(self, uid: str, doors: Sequence[str] | None) -> None:
        """Write the wish, as ``assign`` does."""
        with self._lock:
            assign(self._state_dir, uid, doors)
        self._wake()


def read_wishes(state_dir: Path) -> dict[str, Wish]:
    """Return the wishes by ``uid``. Raises StoreError."""
    try:
        found = json.loads(SecretFiles(state_dir).read(NAME))
        return {
            str(uid): Wish(None if one["doors"] is None else tuple(one["doors"]), one["number"])
            for uid, one in found.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError("who shall be known where cannot be understood", "remove hub/assigned.secret") from error


def _wished(state_dir: Path, uid: str, entry: tuple[str, Shared] | None) -> Doors:
    """Return the doors that shall know a person: those of the last wish, or as it is."""
    wish = read_wishes(state_dir).get(uid)
    if wish is not None and (entry is None or entry[1].wish != wish.number):
        return wish.doors
    return entry[1].doors if entry else None


def _named(doors: Doors, present: Sequence[Certificate], own: Certificate) -> Assigned:
    return Assigned(doors is None, tuple(sorted(one.name for one in _chosen(doors, present, own))))


def _chosen(doors: Doors, present: Sequence[Certificate], own: Certificate) -> list[Certificate]:
    others = [one for one in present if one.door != own.door]
    return [one for one in others if (one.door in doors if doors is not None else one.household == own.household)]


def _called(names: Sequence[str], present: Sequence[Certificate], own: Certificate) -> tuple[str, ...]:
    return tuple(sorted({_door(name, present, own).door for name in names} | {own.door}))


def _door(name: str, present: Sequence[Certificate], own: Certificate) -> Certificate:
    found = door_called(name, present)
    if found.household != own.household and not own.may(Right.SHARE):
        raise UsageError(
            f"{found.name} belongs to another household, and this door may not share people with it",
            "facesecure hub invite --rights enrol,arm,view,share makes a door that may",
        )
    return found
