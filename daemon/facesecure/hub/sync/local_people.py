"""The people of this door, as the hub's front reads and changes them.

What another door says of a person is judged as an export is (``services.people_import``): embeddings are made here, and
a face that is none, is not good enough, or is another person's is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import StoreError, UsageError
from facesecure.domain.names import LONGEST_NAME, name_key
from facesecure.domain.records import EnrolledFace, Person
from facesecure.hub.sync.person_document import SharedFace, face_id
from facesecure.services import people
from facesecure.services.audit import record
from facesecure.services.model_stack import ModelStack
from facesecure.services.people_import import Added, judge
from facesecure.storage.archive import ArchivedPerson
from facesecure.storage.seals import new_uid
from facesecure.storage.store import Store

Lend = Callable[[], AbstractContextManager[ModelStack]]
"""Lends models to judge faces with, to one thread at a time."""

_MOST_PEOPLE = 10_000
"""People here, beyond which no door can add more: they would fill the disk."""
_MOST_NUMBERED = 20


@dataclass(frozen=True, slots=True)
class Welcome:
    """Who a person of another door became here: ``uid`` and ``name``, or a ``problem``."""

    uid: str | None
    name: str
    problem: str = ""


class LocalPeople:
    """Reads and changes the people of one store. One thread uses it.

    Example::

        local = LocalPeople(store, config, state_dir, spare.lend)
        local.welcome("Anna", "garage", faces, taken=lambda uid: False)
    """

    def __init__(self, store: Store, config: FacesecureConfig, state_dir: Path, lend: Lend) -> None:
        """``lend`` is called only when faces are to be judged."""
        self._store, self._config, self._state_dir, self._lend = store, config, state_dir, lend
        self._learnt: list[str] = []
        self._known: tuple[int, dict[str, Person]] = (-1, {})
        self._removed: tuple[int, Container[object]] = (-1, ())

    def revision(self) -> int:
        """Return a number that grows with every change of people. Raises StoreError."""
        return self._store.people_revision()

    def all(self) -> dict[str, Person]:
        """Return everyone enrolled by ``uid``. Raises StoreError."""
        revision = self.revision()
        if self._known[0] != revision:
            self._known = (revision, {person.uid: person for person in self._store.people()})
        return dict(self._known[1])

    def removed(self) -> Container[object]:
        """Return whether, by ``uid``, somebody was removed here and is not merely missing in a database put back."""
        revision = self.revision()
        if self._removed[0] != revision:
            self._removed = (revision, self._store.removals.removed_people())
        return self._removed[1]

    def faces(self, name: str) -> dict[str, EnrolledFace]:
        """Return a person's faces by their id. Raises StoreError if one is damaged."""
        return {face_id(face.image): face for face in self._store.faces_of(name)}

    def welcome(
        self,
        name: str,
        door: str,
        faces: Mapping[str, SharedFace],
        taken: Callable[[str], bool],
        begin: Callable[[str], None] = lambda _: None,
    ) -> Welcome:
        """Enrol a person of another ``door``, or find that they are enrolled here under this name with this face.

        ``taken(uid)``: that local person is shared as somebody else. ``begin(uid)`` is called before somebody new is
        written. Where the name is somebody else's, the person gets the door's name behind it. Raises EnrolmentError,
        ModelError, StoreError, NotGenuineError.
        """
        if len(self.all()) >= _MOST_PEOPLE:
            return Welcome(None, name, f"{name} is not known here: there are {_MOST_PEOPLE} people already")
        for candidate in _names(name, door):
            existing = self.called(candidate)
            if existing is not None and taken(existing.uid):
                continue
            result, enrolled = self._judged(candidate, faces)
            if existing is not None and not (result.added or result.known):
                continue  # somebody else of that name
            if existing is None and not enrolled:
                return Welcome(None, name, f"{name} is not known here: {result.problem or 'no face can be used'}")
            try:
                if existing is None:
                    begin(uid := new_uid())
                    found = self._add(uid, enrolled, candidate)
                else:
                    found = self._add(existing.uid, enrolled)
            except UsageError:  # it looks like another's name, or people here have changed while the faces were judged
                continue
            return Welcome(found.uid, candidate)
        return Welcome(None, name, f"{name} is not known here: all names like that are taken")

    def called(self, name: str) -> Person | None:
        """Return the person of that name (case does not matter), None if there is none. Raises StoreError."""
        return next((one for one in self.all().values() if name_key(one.name) == name_key(name)), None)

    def is_same(self, name: str, faces: Mapping[str, SharedFace]) -> bool:
        """Return whether ``faces`` are of the person called ``name``. Raises as ``welcome`` does."""
        result, _ = self._judged(name, faces)
        return bool(result.added or result.known)

    def add(self, person: Person, faces: Mapping[str, SharedFace]) -> Person:
        """Add those of ``faces`` to a person that pass. Return the person as they are called now.

        Judging takes seconds: raises UsageError if somebody removed the person meanwhile, else as ``welcome`` does.
        """
        return self._add(person.uid, self._judged(person.name, faces)[1] if faces else [])

    def take_away(self, name: str, gone: frozenset[str]) -> None:
        """Remove faces of a person, except the last one. Raises StoreError."""
        for identifier, face in self.faces(name).items():
            if identifier in gone and face.identifier is not None and len(self._store.face_numbers(name)) > 1:
                self._store.remove_face(face.identifier)

    def rename(self, name: str, new: str, door: str) -> str:
        """Call a person ``new``, or that with the ``door`` behind it where somebody else has the name.

        Return what they are called now.
        """
        for candidate in _names(new, door):
            if candidate == name:
                return name
            try:
                return people.rename_person(self._store, self._config, self._state_dir, name, candidate).name
            except UsageError:
                continue
        return name

    def wipe(self, uid: str) -> None:
        """Forget a person everywhere at this door, as by hand; finish what was interrupted. Raises StoreError.

        They may be gone already.
        """
        person = self.all().get(uid)
        try:
            if person is not None:
                people.forget_person(self._store, self._config, self._state_dir, person.name)
            people.finish_removals(self._store, self._config, self._state_dir)
        except OSError as error:
            what = f"a person whom another door removed is not wiped yet: {error.strerror}"
            raise StoreError(what, "facesecure tries again; check the state directory") from error

    def tell(self) -> None:
        """Record in the audit log, in one entry, whom this door has learnt since."""
        if self._learnt:
            record(self._state_dir, "people-learnt", *dict.fromkeys(self._learnt))
            self._learnt = []

    def _judged(self, name: str, faces: Mapping[str, SharedFace]) -> tuple[Added, list[EnrolledFace]]:
        aligned = {identifier: face.aligned() for identifier, face in faces.items()}
        arrived = ArchivedPerson(name, tuple(aligned.values()), tuple(aligned))
        with self._lend() as models:
            result, enrolled = judge(models, self._store, arrived)
        return result, [replace(face, source=faces[face.source].source) for face in enrolled]

    def _add(self, uid: str, enrolled: list[EnrolledFace], name: str = "") -> Person:
        """Add faces to the person ``uid``, with ``name`` to a new one. Return the person as they are now."""
        if enrolled:
            self._learnt.append(self._store.add_faces(uid, enrolled, name).name)
        if uid not in (here := self.all()):
            raise UsageError("the person was removed meanwhile", "the other doors learn of it")
        return here[uid]


def _names(name: str, door: str) -> Iterator[str]:
    """Return the names that a person may get, best first."""
    yield name
    behind = f" ({door[: LONGEST_NAME // 2]})"
    yield f"{name[: LONGEST_NAME - len(behind)].rstrip()}{behind}"
    for number in range(2, _MOST_NUMBERED):
        behind = f" ({door[: LONGEST_NAME // 2]} {number})"
        yield f"{name[: LONGEST_NAME - len(behind)].rstrip()}{behind}"
