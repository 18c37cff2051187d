"""Which doors shall know a person: what the household wishes, and what is so. In STATE_DIR/hub/assigned.secret."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from facesecure.domain.errors import HubError, StoreError, UsageError, did_you_mean
from facesecure.hub.identity import Certificate
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.rows import Right, require_identifiers
from facesecure.hub.sync.people_state import PeopleState
from facesecure.storage.secret_files import SecretFiles

NAME = "assigned"


@dataclass(frozen=True, slots=True)
class Wish:
    """The doors that shall know a person besides this one; None: all of the household. ``number`` is random."""

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

    The daemon does it. Raises HubError if this door may not, UsageError for a door that there is not.
    """
    identity, known = member_identity(state_dir), KnownDoors(state_dir)
    own = identity.own()
    if not own.may(Right.ENROL):
        raise HubError("this door may not change who is known where", "it needs the right enrol: facesecure hub doors")
    entry = PeopleState.read(state_dir).of_uid(uid)
    if entry is not None and entry[1].household != own.household:
        raise HubError("the person belongs to another household", "assign them at a door of that household")
    present = known.trusted.present()
    chosen = None if doors is None else [_door(name, present, own) for name in doors]
    wishes = read_wishes(state_dir)
    number = tuple(sorted({one.door for one in chosen} - {own.door})) if chosen is not None else None
    wishes[uid] = Wish(number, secrets.token_hex(16))
    SecretFiles(state_dir).write(NAME, json.dumps({one: asdict(wish) for one, wish in wishes.items()}).encode())
    return _named(wishes[uid].doors, present, own)


def assigned(state_dir: Path, uid: str) -> Assigned | None:
    """Return which doors may know a person, None if they are not shared yet. Raises HubError, StoreError."""
    wish, found = read_wishes(state_dir).get(uid), PeopleState.read(state_dir).of_uid(uid)
    if wish is None and found is None:
        return None
    doors = wish.doors if wish is not None and (found is None or found[1].wish != wish.number) else (
        found[1].doors if found else None
    )  # fmt: skip
    own = member_identity(state_dir).own()
    return _named(doors, KnownDoors(state_dir).trusted.present(), own)


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


def _named(doors: Sequence[str] | frozenset[str] | None, present: Sequence[Certificate], own: Certificate) -> Assigned:
    chosen = [one for one in present if one.door != own.door]
    chosen = [one for one in chosen if (one.door in doors if doors is not None else one.household == own.household)]
    return Assigned(doors is None, tuple(sorted(one.name for one in chosen)))


def _door(name: str, present: Sequence[Certificate], own: Certificate) -> Certificate:
    names = {one.name: one for one in present}
    found = next((one for one in present if name.casefold() == one.name.casefold() or name == one.door), None)
    if found is None:
        raise UsageError(
            f"there is no door {name!r}", did_you_mean(name, names) or f"the doors are: {', '.join(names)}"
        )
    if found.household != own.household and not own.may(Right.SHARE):
        raise UsageError(
            f"{found.name} belongs to another household, and this door may not share people with it",
            "facesecure hub invite --rights enrol,arm,view,share makes a door that may",
        )
    return found
