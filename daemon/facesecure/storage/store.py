"""The store: people, their faces and templates, and sightings with their snapshots.

Any method may be called from any thread. Writers of one process queue behind a lock, those of several processes behind
SQLite; a reader never waits. A change is on the disk when the method returns: killing the process or cutting the power
afterwards does not lose it. The daemon does not wait for other processes (``write_queue``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

from facesecure.config import ClipsConfig, StoreConfig
from facesecure.domain import Embedding, Image, Sighting
from facesecure.domain.errors import EnrolmentError
from facesecure.domain.records import (
    Embeddings,
    EnrolledFace,
    Person,
    Pruned,
    Reembedded,
    StoredFace,
    StoredSighting,
    Template,
    TemplateMaker,
)
from facesecure.recognition.gallery import HardNegative
from facesecure.recognition.templates import templates_of
from facesecure.storage import (
    enrolled_faces,
    key_rotation,
    people,
    reembedding,
    retention,
    routes,
    sighting_faces,
    sightings,
    templates,
)
from facesecure.storage.backups import Backups, Restored
from facesecure.storage.clip_archive import ClipArchive
from facesecure.storage.corrections import Corrections
from facesecure.storage.database import Database
from facesecure.storage.database_files import made_folder
from facesecure.storage.direct_writer import DirectWriter
from facesecure.storage.disk_space import free_space
from facesecure.storage.kept_faces import KeptFaces
from facesecure.storage.keys import Key
from facesecure.storage.outbox import Outbox
from facesecure.storage.page import PageRecords
from facesecure.storage.recorder import Recorder
from facesecure.storage.removals import Removals
from facesecure.storage.shared_visitors import SharedVisitors
from facesecure.storage.sightings import FilterValues
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.timeline import Timeline
from facesecure.storage.visitors import Visitors
from facesecure.storage.write_queue import WriteLag, WriteQueue

DATABASE_NAME = "facesecure.db"
Faces = Sequence[EnrolledFace]


class Store(AbstractContextManager["Store"]):
    """The state directory: ``facesecure.db``, ``snapshots/`` and ``backups/``. Open with ``Store.open``; ``close`` it.

    ``restored`` describes the restore of a damaged database at the opening, None if there was none; ``freed`` are the
    bytes that were deleted for the start on a full disk. ``visitors`` groups the visits of strangers,
    ``shared_visitors`` are those of all doors, ``corrections`` corrects sightings, ``kept_faces`` embeds theirs anew,
    ``outbox`` queues alerts, ``removals`` are those not finished, ``clips`` the films of visits, ``timeline`` pages
    through sightings, ``page`` holds the accounts of the page.

    Example::

        with Store.open(state_dir) as store:
            names = [person.name for person in store.people()]
    """

    def __init__(
        self,
        database: Database,
        snapshots: Snapshots,
        keep_snapshots: bool,
        keep_faces: bool = True,
        restored: Restored | None = None,
        resident: bool = False,
        freed: int = 0,
    ) -> None:
        self._database, self._snapshots, self._resident = database, snapshots, resident
        self.restored, self.freed = restored, freed
        self._writer = WriteQueue.started(database) if resident else DirectWriter(database)
        self._recorder = Recorder(database, snapshots, self._writer, keep_snapshots, keep_faces)
        self.visitors = Visitors(database, snapshots, self._writer)
        self.shared_visitors = SharedVisitors(database, self._writer)
        self.corrections = Corrections(database)
        self.kept_faces = KeptFaces(database)
        self.outbox = Outbox(database, self._writer)
        self.clips = ClipArchive(database)
        self.page = PageRecords(database)
        self.timeline = Timeline(database, snapshots)
        self.removals = Removals(database, snapshots, self._writer)

    @classmethod
    def open(
        cls, state_dir: Path, *, keep_snapshots: bool = True, keep_faces: bool = True, resident: bool = False
    ) -> Store:
        """Open the store in ``state_dir``; create the folder (0700), database and key (0600), or migrate the database.

        ``resident`` is for the daemon only: a damaged database is set aside and replaced by the newest intact backup
        (``restored``); on a full disk, old snapshots and backups are deleted (``freed`` bytes); and ``prune`` makes the
        backups, which other processes make when they close the store.

        Raises StoreError, with a hint, if the folder cannot be created or written, the disk is full, the file is
        damaged, foreign, or written by a newer version, or the key is missing or wrong; the file is left untouched.
        """
        path = made_folder(state_dir) / DATABASE_NAME
        freed = free_space(path) if resident else 0
        restored = Backups(path).mend() if resident else None
        return cls(Database(path), Snapshots(state_dir), keep_snapshots, keep_faces, restored, resident, freed)

    def close(self) -> None:
        """Make a backup if people have changed, and close the files. A process killed before loses no data."""
        if isinstance(self._writer, WriteQueue):
            self._writer.close()
        if self._database.people_changed and not self._resident:
            self._database.back_up()
        self._database.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state_dir(self) -> Path:
        """The state directory."""
        return self._database.path.parent

    @property
    def lag(self) -> WriteLag | None:
        """How far the daemon's writing lags because the database is locked; None if it does not."""
        return self._writer.lag if isinstance(self._writer, WriteQueue) else None

    # People -------------------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        """Return every enrolled person, ordered by name."""
        with self._database.read() as session:
            return people.all_people(session)

    def add_person(self, name: str, faces: Faces, make_templates: TemplateMaker = templates_of) -> Person:
        """Enrol ``name`` with ``faces``, or add them to an enrolled person. Raises UsageError, EnrolmentError."""
        if not faces:
            raise EnrolmentError(f"there is no face to enrol {name!r} with", "use images that show the person's face")
        with self._database.write() as session:
            return enrolled_faces.add(session, name, faces, make_templates)

    def add_faces(self, uid: str, faces: Faces, name: str = "", make_templates: TemplateMaker = templates_of) -> Person:
        """Add ``faces`` to the person ``uid``; with ``name``, to a new one. Raises UsageError if that cannot be."""
        with self._database.write() as session:
            row = people.insert(session, name, uid) if name else people.expected(session, uid)
            return enrolled_faces.add_to(session, row, faces, make_templates)

    def add_people(self, arrivals: Sequence[tuple[str, Faces]], make_templates: TemplateMaker = templates_of) -> None:
        """Enrol several people by name, as ``add_person`` does, in one transaction: all of them or none."""
        with self._database.write() as session:
            for name, faces in arrivals:
                enrolled_faces.add(session, name, faces, make_templates)

    def rename_person(self, old: str, new: str) -> Person:
        """Rename a person, in past sightings too. Raises UsageError if ``old`` is not enrolled or ``new`` is taken."""
        return self.removals.rename_person(old, new)

    def remove_person(self, name: str) -> Person:
        """Remove a person: faces, templates, snapshots and the name, from every file, backups too.

        Their past sightings stay as those of "somebody forgotten". Raises UsageError if ``name`` is not enrolled.
        """
        return self.removals.remove_person(name)

    def remove_face(self, identifier: int, make_templates: TemplateMaker = templates_of) -> None:
        """Remove one face of a person. Raises UsageError if there is no such face, or it is their last one."""
        with self._database.write() as session:
            enrolled_faces.remove(session, identifier, make_templates)
        self._database.forget()

    def faces_of(self, name: str) -> list[EnrolledFace]:
        """Return the faces that ``name`` is enrolled with, oldest first.

        Raises UsageError if ``name`` is not enrolled, StoreError if a face is damaged.
        """
        with self._database.read() as session:
            return enrolled_faces.of(session, name)

    def face_numbers(self, name: str) -> list[int]:
        """Return the numbers of the faces of ``name``. Raises UsageError if ``name`` is not enrolled."""
        with self._database.read() as session:
            return enrolled_faces.numbers(session, name)

    def templates(self, model_sha256: str | None = None) -> list[Template]:
        """Return everyone's templates for one model (None: for every model), ordered by name."""
        with self._database.read() as session:
            return templates.stored(session, model_sha256)

    def people_revision(self, timeout: float | None = None) -> int:
        """Return a number that grows when any process changes people; cheap. Raises BusyError after ``timeout`` s."""
        return self._database.counter("people", timeout)

    def reembed(
        self,
        model_sha256: str,
        embed: Callable[[Image], Embedding],
        make_templates: TemplateMaker = templates_of,
        done: Callable[[int, int], None] | None = None,
        keep: bool = True,
    ) -> Reembedded:
        """Embed again, with ``embed``, the faces that another model embedded: after a change of model.

        A face whose crop is damaged, or that ``embed`` rejects, is left unchanged and reported. ``done`` is called
        after each face with (number done, number of faces). Unless ``keep``, nothing is stored.
        """
        wait = 1.0 if self._resident else None  # the daemon would miss frames
        return reembedding.reembed(self._database, model_sha256, embed, make_templates, done, wait, keep)

    # Sightings ----------------------------------------------------------------------------------------------------

    def record(self, sighting: Sighting) -> StoredSighting:
        """Write ``sighting``, its faces and its snapshot; all are on the disk when this returns.

        A snapshot that cannot be written is left out with a warning. Raises StoreError if the sighting cannot be
        written, or is stored already; ValueError if its identifier is not a valid file name.
        """
        return self._recorder.record(sighting)

    def update(self, sighting: Sighting) -> None:
        """Update a stored sighting at its end: when it was last seen, the verdict's figures, snapshot and faces.

        Kind and name do not change. Raises StoreError if it is not stored. Each call writes to the disk: call it once
        at the end of a visit, not for every frame.
        """
        self._recorder.update(sighting)

    def sightings(self, limit: int = 50, **wanted: Unpack[FilterValues]) -> list[StoredSighting]:
        """Return at most ``limit`` sightings that are ``wanted``, newest first."""
        with self._database.read() as session:
            return sightings.newest(session, sightings.Filter(**wanted), limit, self._snapshots)

    def cameras(self) -> list[str]:
        """Return the names of the cameras that there are sightings of."""
        with self._database.read() as session:
            return sightings.cameras(session)

    def last_seen(self) -> datetime | None:
        """Return the time of the latest sighting; None if there is none."""
        return next((newest.last_seen for newest in self.sightings(limit=1)), None)

    def each_sighting(self, **wanted: Unpack[FilterValues]) -> Iterator[StoredSighting]:
        """Return all ``wanted`` sightings, oldest first, for exports. No session stays open between pages."""
        return sightings.each(self._database, sightings.Filter(**wanted), self._snapshots)

    def sighting(self, identifier: str) -> StoredSighting:
        """Return the sighting with that identifier, or unique prefix. Raises UsageError for none or several."""
        with self._database.read() as session:
            return sightings.find(session, identifier, self._snapshots)

    def route(self, identifier: str) -> list[str]:
        """Return the cameras of the stay that a sighting belongs to, by its complete identifier, in order.

        It is the sighting's own camera where nobody was recognised. Raises StoreError if there is none.
        """
        with self._database.read() as session:
            return routes.around(session, sightings.require_known(session, identifier))

    def faces_seen(self, identifier: str) -> list[StoredFace]:
        """Return the faces stored with a sighting, by its complete identifier, oldest first; may be empty."""
        with self._database.read() as session:
            return sighting_faces.of(session, [identifier])

    def marked_strangers(self, model_sha256: str) -> Embeddings:
        """Return the embeddings of all marked faces by one model, float32 (n, d); (0, 0) if there are none."""
        return self.kept_faces.marked_strangers(model_sha256)

    def hard_negatives(self, model_sha256: str) -> list[HardNegative]:
        """Return the marked strangers as hard negatives. They change with ``people_revision``."""
        return self.kept_faces.hard_negatives(model_sha256)

    def prune(self, config: StoreConfig, now: datetime | None = None, clips: ClipsConfig | None = None) -> Pruned:
        """Remove what is old or above its limits, and orphaned files; back up if due. Raises StoreError."""
        self._writer.settle()  # or the snapshot of a deferred sighting would count as orphaned
        self.removals.erase()
        kept = retention.Kept(self._database, self._snapshots, self.clips, self.page, self.state_dir)
        return retention.prune_all(kept, config, clips, now or datetime.now(UTC))

    def rotate_key(self) -> Key:
        """Encrypt everything with a new key, which replaces the old one. Raises StoreError."""
        self._writer.settle()
        return key_rotation.rotate(self._database)
