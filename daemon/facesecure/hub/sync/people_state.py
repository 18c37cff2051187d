"""What this door remembers of the people that it shares, encrypted in STATE_DIR/hub/people.secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import require_identifiers
from facesecure.hub.sealing import DataKey
from facesecure.hub.store.last_read import LastRead
from facesecure.hub.sync.merging import Facts
from facesecure.storage.secret_files import SecretFiles

NAME = "people"
_MOST_GONE = 25_000
"""Removed people that are remembered, the latest: so that none comes back with an old backup of the hub."""

_MOST_REFUSED = 200


@dataclass
class Shared:
    """One person as this door and the hub last agreed.

    ``uid`` is the local one, None while the person is not enrolled here. ``name`` is the document's, ``local`` what the
    person is called here, which differs where somebody else has that name. ``left_out`` are faces of the document that
    this door does not use. ``doors`` may know the person (None: all of the household), ``holders`` have the key.
    """

    household: str
    author: str
    key: DataKey = field(repr=False)
    version: int = 0
    uid: str | None = None
    name: str = ""
    local: str = ""
    named_at: float = 0.0
    faces: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    doors: frozenset[str] | None = None
    holders: frozenset[str] = frozenset()
    edition: str = ""
    """The local person's as it was last compared; empty: compare again."""
    wish: str = ""
    """The last wish for other doors that was fulfilled (``assigning``)."""
    renew: bool = False
    """A door that had the key may have it no longer: the person needs another."""
    twin: bool = False
    """The hub has the same person twice, and this one is to go there; the person here stays, as the other one."""
    missing: bool = False
    """The hub may have lost what this door wrote: it was put back from a backup."""
    put_back: bool = False
    """The person here is as in an old backup of this door: what the hub says counts."""
    safe_from: frozenset[str] = frozenset()
    """Doors that were shut out before the key was made."""
    note: str = ""
    """What the household should know; empty if nothing."""

    def is_for(self, door: str) -> bool:
        """Return whether the person is assigned to a door by name."""
        return self.doors is not None and door in self.doors

    def facts(self) -> Facts:
        """Return the document as it was agreed."""
        return Facts(self.name, self.named_at, self.faces, self.doors)


class PeopleState:
    """The shared people by their identifier at the hub. One thread uses it.

    ``gone`` are people who were removed, with the version of their tombstone; ``ordered`` those of them whom this door
    itself removed from the hub; ``refused`` are people of whom something was not genuine, the latest, to be looked at
    again when other doors are trusted, or of whom something failed here; ``failed`` are those of whom something failed
    at this door, as with a damaged face: to be tried again, and forgotten at a restart. ``cursor`` is the last revision
    read, ``last`` are the rows that were read last, ``local_revision`` is the people's here. ``begun`` are local people
    who are about to be enrolled, with their identifiers: after a kill they may be here without an entry.

    Example::

        state = PeopleState.read(state_dir)
        state.people["..."].note = "..."
        state.save()
    """

    def __init__(self, state_dir: Path) -> None:
        """Begin with nothing."""
        self._files = SecretFiles(state_dir)
        self.people: dict[str, Shared] = {}
        self.gone: dict[str, int] = {}
        self.ordered: set[str] = set()
        self.refused: dict[str, None] = {}
        self.failed: set[str] = set()
        self.begun: dict[str, str] = {}
        self.cursor = self.local_revision = 0
        self.last = LastRead()
        self._wiped: dict[str, None] = {}
        self._saved = b""

    @classmethod
    def read(cls, state_dir: Path) -> PeopleState:
        """Return what is remembered; nothing if there is none yet.

        Raises StoreError if it cannot be read.
        """
        state = cls(state_dir)
        try:
            content = state._files.read(NAME)
        except FileNotFoundError:
            return state
        try:
            found = json.loads(content)
            state.people = {identifier: _decoded(one) for identifier, one in found["people"].items()}
            require_identifiers(*state.people)
            state.gone = {str(one): int(version) for one, version in found["gone"].items()}
            state.ordered = {str(one) for one in found["ordered"]}
            state.refused = dict.fromkeys(str(one) for one in found["refused"])
            state.cursor, state.local_revision = int(found["cursor"]), int(found.get("local_revision", 0))
            state.last = LastRead.decode(found["last"]) if "last" in found else LastRead()
            state.begun = {str(uid): str(one) for uid, one in found.get("begun", {}).items()}
            state._wiped = dict.fromkeys(str(one) for one in found.get("wiped", ()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"what is known of shared people cannot be understood: {type(error).__name__}",
                "facesecure hub leave, then join again",
            ) from error
        state._saved = content
        return state

    def save(self) -> None:
        """Keep it, if it has changed. Raises StoreError."""
        self.gone = dict(list(self.gone.items())[-_MOST_GONE:])
        people = {identifier: _encoded(one) for identifier, one in self.people.items()}
        ordered = sorted(self.ordered & self.gone.keys())
        self.refused = dict.fromkeys(list(self.refused)[-_MOST_REFUSED:])
        self._wiped = dict.fromkeys(list(self._wiped)[-_MOST_GONE:])
        document = {
            "people": people,
            "gone": self.gone,
            "ordered": ordered,
            "refused": list(self.refused),
            "cursor": self.cursor,
            "local_revision": self.local_revision,
            "begun": self.begun,
            "wiped": list(self._wiped),
            "last": self.last.encoded(),
        }
        content = json.dumps(document).encode()
        if content != self._saved:
            self._write(content)
            self._saved = content

    def _write(self, content: bytes) -> None:
        try:
            self._files.write(NAME, content)
        except OSError as error:
            what = f"what is known of shared people cannot be kept: {error.strerror}"
            raise StoreError(what, "free space, or check who owns the state directory") from error

    def of_uid(self, uid: str) -> tuple[str, Shared] | None:
        """Return the identifier and the entry of a local person, None if they are not shared yet."""
        return next(((identifier, one) for identifier, one in self.people.items() if one.uid == uid), None)

    def begin(self, uid: str, identifier: str) -> None:
        """Note, before somebody is enrolled here, who that is. Raises StoreError."""
        self.begun[uid] = identifier
        self.save()

    def begun_as(self, identifier: str) -> list[str]:
        """Return the local people whose enrolment as ``identifier`` was begun, and perhaps interrupted."""
        return [uid for uid, one in self.begun.items() if one == identifier]

    def forget(self, identifier: str, version: int) -> None:
        """Note that a person was removed, by a tombstone of ``version``."""
        entry = self.people.pop(identifier, None)
        if entry is not None and entry.uid is not None:
            self._wiped[_trace(entry.uid)] = None
        self.gone.pop(identifier, None)
        self.gone[identifier] = version

    def was_wiped(self, uid: str) -> bool:
        """Return whether the local person ``uid`` was removed, and can be here only from an old backup."""
        return _trace(uid) in self._wiped

    def notes(self) -> tuple[str, ...]:
        """Return what the household should know."""
        return tuple(sorted({one.note for one in self.people.values() if one.note}))


_SETS = {"faces", "left_out", "holders", "safe_from"}


def _trace(uid: str) -> str:
    """Return what is remembered of somebody who was removed: not even their identifier."""
    return hashlib.sha256(uid.encode()).hexdigest()


def _encoded(one: Shared) -> dict[str, Any]:
    found = {name: sorted(value) if name in _SETS else value for name, value in vars(one).items()}
    doors = None if one.doors is None else sorted(one.doors)
    return {**found, "doors": doors, "key": one.key.encode().hex()}


def _decoded(found: Mapping[str, Any]) -> Shared:
    known = {one.name for one in fields(Shared)}
    values: dict[str, Any] = {name: value for name, value in found.items() if name in known}
    values |= {name: frozenset(values[name]) for name in _SETS & values.keys()}
    values["doors"] = None if values["doors"] is None else frozenset(values["doors"])
    try:
        values["key"] = DataKey.decode(bytes.fromhex(values["key"]))
    except NotGenuineError as error:
        raise ValueError(str(error)) from error
    return Shared(**values)
