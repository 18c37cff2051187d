"""Extracts faces from videos and photos, in one process, in several or on a cluster; an interrupted one resumes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from uuid import uuid4

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.services.bulk.pool import Outcome, Pool
from facesecure.services.bulk.workforce import ALONE, Workforce
from facesecure.vision.detection.factory import build_detector
from facesecure_training.common.disk_errors import explained
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets.crop_folder import CropFolder, crop_folder
from facesecure_training.datasets.crop_names import RESERVED
from facesecure_training.datasets.extracted_manifest import write_manifest
from facesecure_training.datasets.journal import Journal, SourceResult
from facesecure_training.datasets.leftovers import (
    count_written,
    discard,
    redo_if_emptied,
    remove_changed,
    remove_crops_of,
    remove_unrecorded,
)
from facesecure_training.datasets.location import Location, absolute, place_of
from facesecure_training.datasets.settings import ExtractionSettings
from facesecure_training.datasets.sources import Recording, recordings_in
from facesecure_training.datasets.worker import WorkerTask, described, extracted

log = logging.getLogger(__name__)

_PHOTOS = 64
"""Photos that a worker takes in one go, at most; a video is as much work as many."""


@dataclass(slots=True)
class Summary:
    """What an extraction did.

    ``sources`` in all, ``done_before``, ``broken`` ones, ``frames`` searched now, and ``faces`` in all, also by class.
    """

    sources: int = 0
    done_before: int = 0
    broken: list[str] = field(default_factory=list)
    frames: int = 0
    faces: int = 0
    classes: dict[str, int] = field(default_factory=dict)


def extract(
    source: Path | str,
    output: Path | str,
    settings: ExtractionSettings,
    *,
    identities: Path | None = None,
    workforce: Workforce = ALONE,
    state_dir: Path | None = None,
    anew: bool = False,
) -> Summary:
    """Extract the faces of everything below the class folders of ``source`` into the same folders in ``output``.

    Both are paths, or addresses for fsspec. ``identities`` lists the person of each image where ``source`` has no class
    folders (``people.from_identities``). Sources that were done before and have not changed are skipped; one that
    cannot be read is left out with a warning. Ctrl-C stops soon, and the same call resumes: the result is that of an
    uninterrupted run, by whatever ``workforce``. ``anew`` deletes what an earlier extraction wrote to ``output``.
    Raises FacesecureError.
    """
    source, output = absolute(place_of(str(source))), absolute(place_of(str(output)))
    _refuse_overlap(source, output)
    recordings = recordings_in(source, identities)
    recordings = chain(islice(recordings, 1), recordings)  # an empty source is reported before anything is written
    first = next(recordings)
    models_dir = state_dir.absolute() / "models" if state_dir else None
    build_detector(settings.detection, models_dir=models_dir)  # a missing model is reported here, and once
    crops = crop_folder(output)
    if crops.holds_others:
        raise FacesecureError(f"{crops.shown} holds files that were not extracted", "choose an empty or a new folder")
    with explained(str(crops.state_folder)), Journal(crops.state_folder, crops.shown) as journal:
        sources = _begin(chain([first], recordings), crops, journal, settings, anew)
        task = WorkerTask(settings, str(source), str(output), uuid4().hex, models_dir, described(settings))
        summary = _run(sources, crops, journal, workforce, task)
        summary.faces, summary.classes = write_manifest(crops, journal, settings)
    return summary


def faces_before(output: Path | str) -> int:
    """Return how many files that an earlier extraction wrote to ``output`` are there, for ``anew`` to delete.

    A damaged line of its journal counts as one file.
    """
    return count_written(crop_folder(place_of(str(output))))


def _begin(
    recordings: Iterator[Recording], crops: CropFolder, journal: Journal, settings: ExtractionSettings, anew: bool
) -> int:
    """Read what was done, or discard it; return the number of sources that are there."""
    if not anew:
        journal.resume(settings.described())
    sources = journal.index.there(_allowed(recordings))
    crops.end_run()  # workers of a cluster may still be at what a killed run has given them
    if anew:
        discard(crops, journal)
        journal.resume(settings.described())
    remove_unrecorded(crops, journal)
    redo_if_emptied(crops, journal)
    remove_changed(crops, journal)
    return sources


def _run(sources: int, crops: CropFolder, journal: Journal, workforce: Workforce, task: WorkerTask) -> Summary:
    waiting = journal.index.count_waiting()
    summary = Summary(sources, sources - waiting)
    if not waiting:
        return summary
    crops.begin_run(task.run)
    try:
        with workforce.pool(waiting) as pool, ProgressBar(waiting, "sources") as bar:
            if pool.described:
                bar.say(pool.described)
            _work_off(pool, task, crops, journal, summary, bar)
        summary.broken = _in_order(summary.broken, journal)
    finally:
        crops.end_run()
    return summary


def _work_off(
    pool: Pool, task: WorkerTask, crops: CropFolder, journal: Journal, summary: Summary, bar: ProgressBar
) -> None:
    """Extract what waits; what is finished is recorded at once, so that Ctrl-C or a crash loses what is under way."""
    chunk = 1 if journal.index.has_waiting_videos() else _PHOTOS
    for count, outcome in enumerate(pool.map(extracted, task, journal.handed_out(), chunk), 1):
        if outcome.lost:  # it may have put some faces in place
            remove_crops_of([outcome.item.name], crops)
        _note(_result(outcome), journal, summary)
        bar.reach(count, f"sources ({summary.frames} frames searched)")


def _in_order(names: list[str], journal: Journal) -> list[str]:
    """Return the names of sources in the order of the sources: they were finished in any."""
    wanted = set(names)
    return [name for name in journal.index.names() if name in wanted] if wanted else []


def _result(outcome: Outcome[Recording, SourceResult]) -> SourceResult:
    """Return the result; a source that kills whatever process works on it is one that cannot be read."""
    if outcome.result is not None:
        return outcome.result
    return SourceResult(outcome.item.name, "", 0, [], f"{outcome.item.name}: {outcome.lost}", broken=True)


def _note(done: SourceResult, journal: Journal, summary: Summary) -> None:
    journal.add(done)
    summary.frames += done.searched
    if done.broken:
        summary.broken.append(done.name)
        log.warning("left out: %s", done.trouble)
    elif done.trouble:
        log.warning("%s", done.trouble)


def _refuse_overlap(source: Path | str, output: Path | str) -> None:
    if isinstance(source, Path) and not source.is_dir():
        raise UsageError(f"there is no folder {source}", "give the folder whose sub-folders are the classes")
    if isinstance(source, Path) and isinstance(output, Path):
        inside = output.resolve().is_relative_to(source.resolve())
    else:
        inside = Location.at(str(source)).holds(Location.at(str(output)))
    if inside:
        raise UsageError(f"the output {output} is inside the source {source}", "choose a folder beside it")


def _allowed(recordings: Iterator[Recording]) -> Iterator[Recording]:
    """Yield the recordings. Raises FacesecureError for a class whose folder would be in the way."""
    for one in recordings:
        if (folder := one.name.split("/", 1)[0]) in RESERVED:
            raise FacesecureError(
                f"no class can be called {folder}: the extraction itself needs that name in the output",
                "rename the class, or leave it out",
            )
        yield one
