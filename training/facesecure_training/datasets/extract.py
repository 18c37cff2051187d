"""Extracts faces from folders of videos and photos, in several processes; an interrupted extraction resumes."""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from facesecure.camera.sources.decoding import open_container, unreadable
from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.util.paths import expanded
from facesecure.vision.detection.factory import build_detector
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets import manifest
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.journal import STATE_FOLDER, Journal, SourceResult
from facesecure_training.datasets.manifest import ManifestRow
from facesecure_training.datasets.near_duplicates import NearDuplicateFilter, unpacked
from facesecure_training.datasets.settings import ExtractionSettings
from facesecure_training.datasets.sources import Recording, recordings_in
from facesecure_training.datasets.worker import WorkerTask, begin, work

log = logging.getLogger(__name__)


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
    source: Path,
    output: Path,
    settings: ExtractionSettings,
    *,
    identities: Path | None = None,
    jobs: int = 1,
    state_dir: Path | None = None,
    anew: bool = False,
) -> Summary:
    """Extract the faces of everything below the class folders of ``source`` into the same folders in ``output``.

    ``identities`` lists the person of each image where ``source`` has no class folders (``people.from_identities``).
    Sources that were done before and have not changed are skipped; one that cannot be read is left out with a warning.
    Ctrl-C stops soon, and the same call resumes: the result is that of an uninterrupted run. ``anew`` deletes what an
    earlier extraction wrote to ``output``. Raises FacesecureError.
    """
    source, output = expanded(source), expanded(output)
    _refuse_overlap(source, output)
    recordings = recordings_in(source, identities)
    models_dir = state_dir / "models" if state_dir else None
    build_detector(settings.detection, models_dir=models_dir)  # a missing model is reported here, and once
    if anew:
        _discard(output)
    _refuse_foreign(output)
    with Journal(output, settings.described()) as journal:
        summary = _run(recordings, output, settings, journal, jobs, models_dir)
        summary.faces, summary.classes = _write_manifest(output, recordings, journal, settings)
    return summary


def _run(
    recordings: Sequence[Recording],
    output: Path,
    settings: ExtractionSettings,
    journal: Journal,
    jobs: int,
    models_dir: Path | None,
) -> Summary:
    waiting = [one for one in recordings if journal.state(one.name) != one.state]
    summary = Summary(len(recordings), len(recordings) - len(waiting))
    if not waiting:
        return summary
    for one in waiting:  # the ones done before have changed since
        _unlink(output, journal.rows(one.name))
        _unlink(journal.alike, journal.rows(one.name))
    spawn = multiprocessing.get_context("spawn")
    task = WorkerTask(settings, output, journal.workplace, models_dir, spawn.Event(), spawn.Value("L", 0))
    pool = ProcessPoolExecutor(min(jobs, len(waiting)), spawn, begin, (task,))
    try:
        _share_out(pool, waiting, task, lambda done: _note(done, journal, summary), 2 * jobs)
    except BrokenProcessPool:
        raise FacesecureError(
            "a process of the extraction died; the memory may be full",
            "run the same command again to resume, with fewer --jobs if memory was short",
        ) from None
    finally:
        task.stop.set()
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(journal.workplace, ignore_errors=True)
    return summary


def _share_out(
    pool: ProcessPoolExecutor,
    waiting: Sequence[Recording],
    task: WorkerTask,
    note: Callable[[SourceResult], None],
    ahead: int,
) -> None:
    """Process all of ``waiting`` under a progress bar that counts frames.

    Sources that Ctrl-C finds unfinished are done again by the next run.
    """
    queue, running = iter(waiting), set[Future[SourceResult | None]]()
    with ProgressBar(sum(_searches(one, task.settings.stride) for one in waiting), "frames searched") as bar:
        with _ignored(signal.SIGINT):  # inherited by the processes that start here, so that only this one reacts
            running |= {pool.submit(work, one) for one in islice(queue, ahead)}
        while running:
            ready, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            running |= {pool.submit(work, one) for one in islice(queue, len(ready))}
            for future in ready:
                if (done := future.result()) is not None:
                    note(done)
            bar.reach(task.searched.value)


def _note(done: SourceResult, journal: Journal, summary: Summary) -> None:
    journal.add(done)
    summary.frames += done.searched
    if done.broken:
        summary.broken.append(done.name)
        log.warning("left out: %s", done.trouble)
    elif done.trouble:
        log.warning("%s", done.trouble)


def _searches(recording: Recording, stride: int) -> int:
    """Estimate how many frames will be searched, for the progress bar."""
    if recording.kind == "photo":
        return 1
    try:
        with open_container(str(recording.path)) as container:
            stream = container.streams.video[0]
            frames = stream.frames or (container.duration or 0) / 1e6 * float(stream.average_rate or 25)
    except unreadable():  # an OSError is one of them where FFmpeg raises it
        return 1
    return max(1, round(frames / stride))


@contextmanager
def _ignored(number: signal.Signals) -> Iterator[None]:
    try:
        before = signal.signal(number, signal.SIG_IGN)
    except ValueError:  # not the main thread: signals do not arrive here
        yield
        return
    try:
        yield
    finally:
        signal.signal(number, before)


def _write_manifest(
    output: Path, recordings: Sequence[Recording], journal: Journal, settings: ExtractionSettings
) -> tuple[int, dict[str, int]]:
    """Write the manifest and return the number of faces, in all and by class.

    Rows are in the order of the sources; sources done once that no longer exist come last.
    """
    there = [one.name for one in recordings]
    gone = sorted(set(journal.names()) - set(there))
    counts = Counter({one.label: 0 for one in recordings})

    def rows() -> Iterator[ManifestRow]:
        for row in _thinned(output, (row for name in (*there, *gone) for row in journal.rows(name)), journal, settings):
            counts[row["class"]] += 1
            yield row

    return manifest.write(output, rows(), settings.described()), dict(counts)


def _thinned(
    output: Path, rows: Iterable[ManifestRow], journal: Journal, settings: ExtractionSettings
) -> Iterator[ManifestRow]:
    """Yield the rows without photos that are near duplicates of another photo of their class.

    Only all photos together can show that, so a duplicate is moved aside here, and moved back if its twin is gone.
    Videos are thinned one by one, during extraction.
    """
    thinners: dict[str, NearDuplicateFilter] = {}
    for row in rows:
        thinner = thinners.setdefault(row["class"], NearDuplicateFilter(settings.thin))
        place, aside = output / row["file"], journal.alike / row["file"]
        if row["kind"] == "photo" and not thinner.admits(unpacked(row["thumb"])):
            _move(place, aside)
            continue
        if aside.exists():
            _move(aside, place)
        yield {name: value for name, value in row.items() if name != "thumb"}


def _move(path: Path, to: Path) -> None:
    if path.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        path.replace(to)


def _refuse_overlap(source: Path, output: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"there is no folder {source}", "give the folder whose sub-folders are the classes")
    if output.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"the output {output} is inside the source {source}", "choose a folder beside it")


def _refuse_foreign(output: Path) -> None:
    if output.is_dir() and not (output / STATE_FOLDER).is_dir() and any(output.iterdir()):
        raise FacesecureError(f"{output} holds files that were not extracted", "choose an empty or a new folder")


def faces_before(output: Path) -> int:
    """Return how many files that an earlier extraction wrote to ``output`` are there, for ``anew`` to delete."""
    output = expanded(output)
    if not (output / STATE_FOLDER).is_dir():
        return 0
    names = {row["file"] for rows in Journal.rows_in(output) for row in rows}
    return sum((output / name).exists() for name in names)


def _discard(output: Path) -> None:
    """Delete what an extraction wrote, and nothing else."""
    if not (output / STATE_FOLDER).is_dir():
        return
    for rows in Journal.rows_in(output):
        _unlink(output, rows)
    (output / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(output / STATE_FOLDER)


def _unlink(output: Path, rows: Sequence[ManifestRow]) -> None:
    for row in rows:
        path = output / row["file"]
        path.unlink(missing_ok=True)
        if path.parent != output and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
