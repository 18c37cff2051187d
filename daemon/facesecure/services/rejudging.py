"""Embeds the faces kept of past visits with the model of today, and says which verdicts would be others.

The verdicts of past visits stay what was told: notifications cannot be taken back. What may be kept are the embeddings,
so that visitors, corrections and marked strangers of the time before a change of model count again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from facesecure.config import FacesecureConfig
from facesecure.domain import Embedding, Verdict
from facesecure.domain.errors import UsageError
from facesecure.domain.records import StoredFace, StoredSighting
from facesecure.services.bulk.pool import Pool
from facesecure.services.face_embedding import EmbeddingTask, FacesToEmbed, embedded
from facesecure.services.model_stack import ModelStack
from facesecure.services.past_verdicts import PastVerdicts
from facesecure.services.progress import Progress, ignore_progress
from facesecure.services.renewal import renew
from facesecure.storage.sightings import FilterValues
from facesecure.storage.store import Store

_UNSAVED_FACES, _UNSAVED_SECONDS = 200, 5.0
_CHUNK = 32
"""Visits that a worker embeds in one go, at most."""


@dataclass(frozen=True, slots=True)
class ChangedVerdict:
    """A visit that would be told otherwise ``now``."""

    sighting: StoredSighting
    now: Verdict


@dataclass(slots=True)
class Rejudgement:
    """What was found: ``visits`` with ``faces``, of which another model had embedded ``outdated``, ``kept`` anew.

    ``marked`` are faces marked as a stranger's that were embedded anew, ``lost`` visits that cannot be embedded.
    ``lost`` is sorted, and ``changes`` by the time of the visit, whoever did the work.
    """

    model: str
    visits: int = 0
    faces: int = 0
    outdated: int = 0
    kept: int = 0
    marked: int = 0
    lost: list[str] = field(default_factory=list)
    changes: list[ChangedVerdict] = field(default_factory=list)


def rejudge(
    config: FacesecureConfig,
    store: Store,
    pool: Pool,
    *,
    apply: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = ignore_progress,
) -> Rejudgement:
    """Embed the faces kept of the visits from ``since`` to ``until``, and judge the visits with the people of today.

    With ``apply`` the new embeddings are stored as they come; interrupted, the same call does the rest. Those of marked
    faces and of the faces that people are enrolled with come first, since the visits are judged by them. Without
    ``apply`` nothing is stored. Raises UsageError where a classifier names people: it judges whole images, which are
    not kept.

    Example::

        with Workforce(4).pool() as pool:
            rejudge(config, store, pool).changes
    """
    if config.recognizer.kind == "classifier":
        raise UsageError(
            "a classifier names people, and kept faces are not enough for it",
            'it is for [recognizer] kind = "embedding"',
        )
    return _Rejudging(config, store, pool, apply).run(since, until, progress)


class _Rejudging:
    """One run of ``rejudge``: what is under way, and what is to be stored."""

    def __init__(self, config: FacesecureConfig, store: Store, pool: Pool, apply: bool) -> None:
        models = ModelStack.load(config, store.state_dir)
        name = config.recognizer.embedding_model
        self._store, self._pool, self._apply = store, pool, apply
        self._task = EmbeddingTask(str(name), store.state_dir.absolute(), models.embedder.sha256)
        self._found = Rejudgement(str(name))
        if apply:
            renew(store, models.embedder)
        self._verdicts = PastVerdicts(models, config, store, self._marked())
        self._under_way: dict[str, tuple[StoredSighting, list[StoredFace]]] = {}
        self._unsaved: dict[int, Embedding] = {}
        self._saved_at = time.monotonic()

    def run(self, since: datetime | None, until: datetime | None, progress: Progress) -> Rejudgement:
        """Do it all."""
        wanted: FilterValues = {"since": since, "until": until, "latest_only": True}
        total = sum(1 for _ in self._store.each_sighting(**wanted))
        visits = self._visits(self._store.each_sighting(**wanted), total, progress)
        try:
            for outcome in self._pool.map(embedded, self._task, visits, _CHUNK):
                self._embedded(outcome.item, outcome.result)
        finally:  # Ctrl-C keeps what was embedded
            self._save()
        # They come as they are finished. Two visits may begin at once: the identifier decides between them.
        self._found.changes.sort(key=lambda change: (change.sighting.first_seen, change.sighting.identifier))
        self._found.lost.sort()
        return self._found

    def _visits(self, sightings: Iterator[StoredSighting], total: int, progress: Progress) -> Iterator[FacesToEmbed]:
        """Yield what is to be embedded; a visit of which nothing is to be embedded is judged at once."""
        for count, sighting in enumerate(sightings, 1):
            progress("judging visits", count, total)
            faces = self._store.faces_seen(sighting.identifier)
            if not faces:
                continue
            self._found.visits, self._found.faces = self._found.visits + 1, self._found.faces + len(faces)
            outdated = [face for face in faces if face.seen.model_sha256 != self._task.sha256]
            if not outdated:
                self._judge(sighting, faces, {})
                continue
            self._found.outdated += len(outdated)
            self._under_way[sighting.identifier] = sighting, faces
            yield _to_embed(sighting.identifier, outdated)

    def _embedded(self, item: FacesToEmbed, result: Sequence[Embedding] | None) -> None:
        sighting, faces = self._under_way.pop(item.key)
        if result is None:
            self._found.lost.append(sighting.identifier)
            return
        embeddings = dict(zip(item.numbers, result, strict=True))
        self._judge(sighting, faces, embeddings)
        self._unsaved |= embeddings
        if len(self._unsaved) >= _UNSAVED_FACES or time.monotonic() - self._saved_at > _UNSAVED_SECONDS:
            self._save()

    def _judge(self, sighting: StoredSighting, faces: list[StoredFace], anew: Mapping[int, Embedding]) -> None:
        verdict = self._verdicts.of(faces, anew)
        if (verdict.kind, verdict.name) != (sighting.kind, sighting.name):
            self._found.changes.append(ChangedVerdict(sighting, verdict))

    def _save(self) -> None:
        if self._apply and self._unsaved:
            self._found.kept += self._store.kept_faces.replace(self._unsaved, self._task.sha256)
        self._unsaved, self._saved_at = {}, time.monotonic()

    def _marked(self) -> dict[int, Embedding]:
        """Return the faces marked as a stranger's as embedded anew; there are few."""
        marked = self._store.kept_faces.marked(self._task.sha256)
        items = [FacesToEmbed("marked", (face.identifier,), (face.image,)) for face in marked]
        found: dict[int, Embedding] = {}
        for outcome in self._pool.map(embedded, self._task, items, _CHUNK):
            if outcome.result is not None:
                found[outcome.item.numbers[0]] = outcome.result[0]
        if self._apply and found:
            self._found.marked = self._store.kept_faces.replace_marked(found, self._task.sha256)
        return found


def _to_embed(key: str, faces: Sequence[StoredFace]) -> FacesToEmbed:
    numbers = tuple(face.identifier or 0 for face in faces)
    return FacesToEmbed(key, numbers, tuple(face.seen.face.image for face in faces))
