"""Remove and rename people: the rows of the person, visits that were not recognised, snapshots of others beside them.

What is left to do after the transaction is written down in it (``unfinished``).
"""

from __future__ import annotations

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.domain.names import FORGOTTEN
from facesecure.domain.records import Person
from facesecure.recognition.clustering import MIN_CORE_SIMILARITY
from facesecure.recognition.templates import template_of
from facesecure.storage import anonymise, forgotten, people, sighting_faces, templates, unfinished, visitors
from facesecure.storage.anonymise import BESIDE
from facesecure.storage.database import Database
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import PersonRow, SightingRow
from facesecure.storage.unfinished import Removal
from facesecure.storage.writes import Writer


class Removals:
    """Removes and renames people of one store, and knows what is not finished; ``Store`` documents the errors.

    Example::

        store.removals.remove_person("Anna")
        for removal in store.removals.named():
            store.removals.finish(removal)
    """

    def __init__(self, database: Database, snapshots: Snapshots, writer: Writer) -> None:
        self._database, self._snapshots, self._writer = database, snapshots, writer

    def remove_person(self, name: str) -> Person:
        """Remove a person from the database, the snapshots, the log and the backups."""
        self._writer.settle()
        with self._database.write() as session:
            person = remove_person(session, name)
            self._database.backups.clear()  # before the commit, so that a kill in between leaves no copy
        self.erase()
        return person

    def visits_of(self, name: str) -> int:
        """Return how many visits removing a person would leave, without name, faces and snapshots.

        Raises UsageError if no person is called ``name``.
        """
        with self._database.read() as session:
            row = people.find(session, name)
            return len(anonymise.sightings_of(session, row) | _unrecognised(session, row))

    def rename_person(self, old: str, new: str) -> Person:
        """Rename a person in the database, the log and the backups."""
        self._writer.settle()
        with self._database.write() as session:
            person = rename_person(session, old, new)
        self.erase()
        return person

    def removed_people(self) -> forgotten.RemovedPeople:
        """Return who was removed in the last years."""
        with self._database.read() as session:
            return forgotten.RemovedPeople(session)

    def named(self) -> list[Removal]:
        """Return the removals whose name may stand in other files yet."""
        return [one for one in unfinished.all_of(self._database) if one.name]

    def erase(self) -> None:
        """Delete and redraw snapshots, and erase deleted data from log and backups. Raises StoreError or OSError."""
        unfinished.erase(self._database, self._snapshots)

    def finish(self, removal: Removal) -> None:
        """Note that the name is in no other file any more."""
        unfinished.finish(self._database, removal)


def remove_person(session: Session, name: str) -> Person:
    """Remove a person from the database, with the visits that are theirs but were not recognised.

    Raises UsageError if no person is called ``name``.
    """
    row = people.find(session, name)
    theirs = anonymise.sightings_of(session, row) | _unrecognised(session, row)
    redrawn, hidden = _shown_beside(session, theirs)
    old = row.name
    person, files = people.remove(session, row, theirs)
    files += anonymise.take_snapshots(session, hidden)
    visitors.remove_faceless(session)
    forgotten.remember(session, old, FORGOTTEN, theirs)
    forgotten.remember_person(session, person.uid)
    unfinished.begin(session, Removal(old, FORGOTTEN, tuple(files), redrawn))
    return person


def rename_person(session: Session, old: str, new: str) -> Person:
    """Rename a person; see ``people.rename``."""
    before = people.find(session, old).name
    person = people.rename(session, old, new)
    if person.name != before:
        forgotten.remember(session, before, person.name)
        forgotten.allow(session, person.name)
        unfinished.begin(session, Removal(before, person.name))
    return person


def _unrecognised(session: Session, row: PersonRow) -> set[str]:
    """Return the sightings without a name whose faces look like the person's."""
    mine: dict[str, list[np.ndarray]] = {}
    for template in templates.stored(session, None):
        if template.name == row.name:
            mine.setdefault(template.model_sha256, []).append(template.embedding)
    found = set[str]()
    for (sighting, model), embeddings in sighting_faces.unnamed(session, set(mine)).items():
        mean = template_of(np.stack(embeddings))
        if max(float(mean @ one) for one in mine[model]) >= MIN_CORE_SIMILARITY:
            found.add(sighting)
    return found


def _shown_beside(session: Session, theirs: set[str]) -> tuple[tuple[tuple[str, tuple[float, ...]], ...], list[str]]:
    """Return the snapshots in which the person may stand, with the box of the face that may stay; and those without.

    The latter are the identifiers of their sightings. A box without a track is around no face, but around what moved,
    which may be the person seen from behind.
    """
    columns = SightingRow.identifier, SightingRow.first_seen, SightingRow.last_seen, SightingRow.track
    rows = session.execute(select(*columns, SightingRow.snapshot, SightingRow.box)).all()
    mine = [one for one in rows if one.identifier in theirs]
    times = [(one.first_seen - BESIDE, one.last_seen + BESIDE) for one in mine]
    others = [one for one in rows if one.snapshot and one.identifier not in theirs]
    beside = [one for one in others if any(a <= one.last_seen and one.first_seen <= b for a, b in times)]
    faces = [one for one in beside if one.box and one.track is not None]
    redrawn = tuple((one.snapshot, tuple(one.box)) for one in faces)
    return redrawn, [one.identifier for one in beside if one not in faces]
