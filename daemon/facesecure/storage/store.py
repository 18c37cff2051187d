"""Everything the daemon remembers: people, their faces and templates, and sightings with their snapshots.

Any method may be called from any thread. Writers of one process queue behind a lock, those of several processes
behind SQLite; a reader never waits. What a method returned is on the disk: killing the process or cutting the power
afterwards loses none of it. Nothing is ever half-done: each method is one transaction (``prune`` is several).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from facesecure.config import StoreConfig
from facesecure.domain import Embedding, Image, Sighting, VerdictKind
from facesecure.domain.errors import EnrolmentError, StoreError
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
from facesecure.storage import key_rotation, people, retention, sighting_faces, sightings
from facesecure.storage.backups import Backups, Restored
from facesecure.storage.corrections import Corrections
from facesecure.storage.database import Database
from facesecure.storage.disk_space import free_space
from facesecure.storage.keys import Key
from facesecure.storage.outbox import Outbox
from facesecure.storage.sightings import Recorder
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.visitors import Visitors

DATABASE_NAME = "facesecure.db"
_PAGE = 500


class Store(AbstractContextManager["Store"]):
    """The state directory: ``facesecure.db``, ``snapshots/`` and ``backups/``. Open with ``Store.open``; ``close`` it.

    ``restored`` tells of a damaged database that gave way to a backup as this store was opened, ``freed`` how many
    bytes had to be let go for that on a full disk.
    ``visitors`` are who came and is not known; ``corrections`` takes what the household says of a sighting;
    in ``outbox`` alerts wait to be told.
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
        self._database = database
        self.restored, self.freed = restored, freed
        self._resident = resident
        self._snapshots = snapshots
        self._recorder = Recorder(database, snapshots, keep_snapshots=keep_snapshots, keep_faces=keep_faces)
        self.visitors = Visitors(database, snapshots)
        self.corrections = Corrections(database)
        self.outbox = Outbox(database)

    @classmethod
    def open(
        cls, state_dir: Path, *, keep_snapshots: bool = True, keep_faces: bool = True, resident: bool = False
    ) -> Store:
        """Open the store in ``state_dir``, making the folder (0700), the database and its key (0600), or migrating it.

        ``resident`` is for the daemon alone: a damaged database is set aside and the newest good backup takes its
        place (``restored``); old snapshots and backups go where the disk is full (``freed`` bytes); and backups are
        left to ``prune``, where others make one as they close.

        Raises StoreError, with a hint, where the folder cannot be made or written, the disk is full, the file is
        damaged, not facesecure's, or written by a newer version, or the key is missing or another; such a file is
        left as it is.
        """
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            hint = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
            raise StoreError(f"cannot use {state_dir} as the state directory: {error.strerror}", hint) from error
        path = state_dir / DATABASE_NAME
        freed = free_space(path) if resident else 0
        restored = Backups(path).mend() if resident else None
        return cls(Database(path), Snapshots(state_dir), keep_snapshots, keep_faces, restored, resident, freed)

    def close(self) -> None:
        """Back up if people have changed, and release the files. A process killed before loses nothing."""
        if self._database.people_changed and not self._resident:
            self._database.back_up()
        self._database.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # People -------------------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        """Everybody enrolled, by name."""
        with self._database.read() as session:
            return people.everybody(session)

    def add_person(self, name: str, faces: Sequence[EnrolledFace], template: TemplateMaker = templates_of) -> Person:
        """Enrol ``name`` with ``faces``, or give somebody enrolled more of them; templates are remade. All or nothing.

        Raises UsageError where ``name`` cannot be one, EnrolmentError where there is no face.
        """
        if not faces:
            raise EnrolmentError(
                f"there is no face to know {name!r} by", "enrol with pictures that show the person's face"
            )
        with self._database.write() as session:
            return people.add_faces(session, name, faces, template)

    def rename_person(self, old: str, new: str) -> Person:
        """Call ``old`` by ``new``, in past sightings too. UsageError where ``old`` is nobody or ``new`` is taken."""
        with self._database.write() as session:
            return people.rename(session, old, new)

    def remove_person(self, name: str) -> Person:
        """Forget ``name``: faces, templates, snapshots and the name go from every file, backups too.

        Their past sightings stay as those of "somebody forgotten". Raises UsageError where nobody is called that.
        """
        with self._database.write() as session:
            person, files = people.remove(session, name)
            self._database.backups.clear()  # before the commit: killed after it, nothing of them would be left there
        for file in files:
            self._snapshots.remove(file)
        self._database.forget()
        return person

    def remove_face(self, identifier: int, template: TemplateMaker = templates_of) -> None:
        """Take one picture from a person. Raises UsageError where it is not there, or their last."""
        with self._database.write() as session:
            people.remove_face(session, identifier, template)
        self._database.forget()

    def faces_of(self, name: str) -> list[EnrolledFace]:
        """The faces ``name`` is known by, oldest first.

        Raises UsageError where nobody is called that, StoreError where a face's picture is damaged.
        """
        with self._database.read() as session:
            return people.faces_of(session, name)

    def face_numbers(self, name: str) -> list[int]:
        """The numbers of the faces ``name`` is known by. Raises UsageError where nobody is called that."""
        with self._database.read() as session:
            return people.face_numbers(session, name)

    def templates(self, model_sha256: str | None = None) -> list[Template]:
        """What everybody looks like to that model (None: to each that was ever used), by name."""
        with self._database.read() as session:
            return people.templates(session, model_sha256)

    def people_revision(self) -> int:
        """A number that grows when anybody, in any process, changes people, faces or templates. Cheap: poll it."""
        with self._database.read() as session:
            return people.revision(session)

    def reembed(
        self,
        model_sha256: str,
        embed: Callable[[Image], Embedding],
        template: TemplateMaker = templates_of,
        done: Callable[[int, int], None] | None = None,
    ) -> Reembedded:
        """After a change of model: embed again, with ``embed``, what another model embedded.

        A face whose crop is damaged, or that ``embed`` refuses, stays as it was and is told of. ``done`` is called
        after each face with how many are behind us, of how many.
        """
        with self._database.read() as session:
            faces = people.foreign_faces(session, model_sha256)
        embeddings, refused = people.embedded(faces, embed, done)
        names = tuple(dict.fromkeys(face.name for face in faces if face.identifier in embeddings))
        if not embeddings:
            return Reembedded(refused=refused)
        with self._database.write() as session:
            count = people.replace_embeddings(session, embeddings, model_sha256, template)
        return Reembedded(count, names, refused)

    # Sightings ----------------------------------------------------------------------------------------------------

    def record(self, sighting: Sighting) -> StoredSighting:
        """Write ``sighting``, its faces and its snapshot; all are on the disk when this returns.

        A snapshot that cannot be written is left out with a warning. Raises StoreError where the sighting itself
        cannot be written, or is there already; ValueError where its identifier cannot name a file.
        """
        return self._recorder.record(sighting)

    def update(self, sighting: Sighting) -> None:
        """Rewrite a recorded sighting at its end: when it was last seen, the verdict's figures, snapshot and faces.

        Kind and name stay as they were told. Raises StoreError where it is not there. Each call is a write to the
        disk: once at a visit's end, not for every frame.
        """
        self._recorder.update(sighting)

    def sightings(
        self,
        limit: int = 50,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: VerdictKind | None = None,
        name: str | None = None,
        latest_only: bool = False,
    ) -> list[StoredSighting]:
        """At most ``limit`` sightings, newest first. ``latest_only`` leaves out those that a later one corrects."""
        wanted = sightings.Filter(since, until, kind, name, latest_only)
        with self._database.read() as session:
            return sightings.newest(session, wanted, limit, self._snapshots)

    def last_seen(self) -> datetime | None:
        """When somebody was last seen; None where nobody was."""
        newest = self.sightings(limit=1)
        return newest[0].last_seen if newest else None

    def each_sighting(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: VerdictKind | None = None,
        name: str | None = None,
        latest_only: bool = False,
    ) -> Iterator[StoredSighting]:
        """All of them, oldest first, a page at a time: for exports of any size. Holds nothing open in between."""
        wanted, after = sightings.Filter(since, until, kind, name, latest_only), None
        while True:
            with self._database.read() as session:
                page = sightings.page(session, wanted, after, _PAGE, self._snapshots)
            yield from page
            if len(page) < _PAGE:
                return
            after = (page[-1].first_seen, page[-1].identifier)

    def sighting(self, identifier: str) -> StoredSighting:
        """The one whose identifier is, or alone begins with, ``identifier``. Raises UsageError for none or several."""
        with self._database.read() as session:
            return sightings.find(session, identifier, self._snapshots)

    def faces_seen(self, identifier: str) -> list[StoredFace]:
        """The faces kept of the sighting with that (whole) identifier, oldest first; none is no error."""
        with self._database.read() as session:
            return sighting_faces.of(session, [identifier])

    def marked_strangers(self, model_sha256: str) -> Embeddings:
        """Embeddings of every face that was marked as a stranger's, by that model: float32 (n, d); (0, 0) for none."""
        with self._database.read() as session:
            return sighting_faces.marked(session, model_sha256)

    def hard_negatives(self, model_sha256: str) -> list[HardNegative]:
        """Marked strangers as rivals of those they were mistaken for. They change with ``people_revision``."""
        with self._database.read() as session:
            return sighting_faces.hard_negatives(session, model_sha256)

    def prune(self, config: StoreConfig, now: datetime | None = None) -> Pruned:
        """One round of retention: old sightings with their faces, snapshots and faces over the limits, lost files.

        Then a backup, if one is due. Raises StoreError, where the database turns out to be damaged too.
        """
        at = now or datetime.now(UTC)
        pruned = retention.prune(self._database, self._snapshots, config, at)
        if self._database.backups.due(at):
            self._database.backups.make(at)
        return pruned

    def rotate_key(self) -> Key:
        """Encrypt everything anew with a new key, which takes the old one's place. Raises StoreError."""
        return key_rotation.rotate(self._database)
