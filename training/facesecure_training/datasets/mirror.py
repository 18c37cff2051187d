"""Copies a data set to any target of fsspec: many files at once, with retries, resumable."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from facesecure.config.secrets import learn_secrets
from facesecure.domain.errors import FacesecureError
from facesecure.util.redaction import redact
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets.location import Location

log = logging.getLogger(__name__)

_CHUNK = 1 << 20
_MAX_PAUSE = 30.0
_MAX_FAILURES_IN_A_ROW = 20
"""After this many failures without a success between them the copy is given up."""
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modifiedTime", "created")
"""Names that file systems give to the time a file was last written."""


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """``threads`` files at once, each tried ``1 + retries`` times.

    The first retry waits ``pause`` seconds, each further one twice as long. ``checksum`` compares existing files by
    content, not by size and time. ``delete`` removes files of the target that the source does not have.
    """

    threads: int = 10
    retries: int = 5
    pause: float = 0.5
    checksum: bool = False
    delete: bool = False


@dataclass(slots=True)
class MirrorResult:
    """Files and bytes copied, files that were there already, files deleted, and those that failed."""

    copied: int = 0
    size: int = 0
    there: int = 0
    deleted: int = 0
    failed: list[str] = field(default_factory=list)


def mirror(
    source: Location,
    target: Location,
    options: MirrorOptions = MirrorOptions(),
    confirm: Callable[[int], None] = lambda _: None,
) -> MirrorResult:
    """Copy every file of ``source`` to ``target``, except those already there, complete and not older.

    Hidden files are left out. With ``options.delete``, ``confirm`` is called before anything is copied, with the number
    of files that will be deleted; it raises an error if they shall stay. Ctrl-C stops soon, and another call resumes.
    Raises FacesecureError if there is nothing to copy, or if files failed in the end; all others are copied all the
    same.
    """
    wanted, there = source.listed(), target.listed()
    if not wanted:
        raise FacesecureError(f"there is nothing to copy in {source.shown}", "check the address")
    surplus = there.keys() - wanted.keys() if options.delete else set[str]()
    if options.delete:
        confirm(len(surplus))
    result = MirrorResult()
    copier = _Copier(source, target, options)
    _share_out(copier, [(name, info, there.get(name)) for name, info in wanted.items()], result)
    if result.failed:
        raise FacesecureError(
            f"{len(result.failed)} of {len(wanted)} files could not be copied to {target.shown}",
            "the warnings above say why; run the same command again to resume",
        )
    for name in surplus:
        target.files.rm_file(target.path(name))
        result.deleted += 1
    return result


Item = tuple[str, Mapping[str, Any], Mapping[str, Any] | None]


def _share_out(copier: _Copier, items: list[Item], result: MirrorResult) -> None:
    queue, running = iter(items), dict[Future[int | None], str]()
    in_a_row = done = 0
    pool = ThreadPoolExecutor(copier.options.threads, "copy")
    with ProgressBar(len(items), "files copied") as bar:
        try:
            while True:
                for item in islice(queue, 2 * copier.options.threads - len(running)):
                    running[pool.submit(copier.bring, *item)] = item[0]
                if not running:
                    return
                for future in wait(running, timeout=0.2, return_when=FIRST_COMPLETED).done:
                    failed = _note(future, running.pop(future), result)
                    in_a_row, done = in_a_row + 1 if failed else 0, done + 1
                bar.reach(done)
                if in_a_row >= _MAX_FAILURES_IN_A_ROW:
                    return
        finally:
            copier.stop.set()
            pool.shutdown(cancel_futures=True)


def _note(future: Future[int | None], name: str, result: MirrorResult) -> bool:
    """Record the outcome of one file, and return whether it failed."""
    try:
        size = future.result()
    except Exception as error:  # noqa: BLE001 - a driver may raise anything
        log.warning("%s: %s", name, redact(str(error) or type(error).__name__))
        result.failed.append(name)
        return True
    if size is None:
        result.there += 1
    else:
        result.copied += 1
        result.size += size
    return False


class _Stopped(Exception):
    """The copy was asked to stop."""


class _Copier:
    """Copies single files; shared by all threads."""

    def __init__(self, source: Location, target: Location, options: MirrorOptions) -> None:
        self.options = options
        self.stop = threading.Event()
        self._source = source
        self._target = target
        self._made: set[str] = set()

    def bring(self, name: str, info: Mapping[str, Any], there: Mapping[str, Any] | None) -> int | None:
        """Copy one file and return its bytes; None if it was there already. Raises the error of the last attempt."""
        for attempt in range(self.options.retries + 1):
            try:
                if attempt == 0 and there is not None and self._same(name, info, there):
                    return None
                return self._copy(name, info)
            except (_Stopped, FileNotFoundError, PermissionError, IsADirectoryError):
                raise
            except Exception as error:  # a driver may raise anything; the last error is passed on
                if attempt == self.options.retries:
                    raise
                log.debug("%s, attempt %d: %s", name, attempt + 1, error)
                self._pause(attempt)
        raise AssertionError("unreachable")

    def _pause(self, attempt: int) -> None:
        if self.stop.wait(min(_MAX_PAUSE, self.options.pause * 2**attempt)):
            raise _Stopped

    def _same(self, name: str, info: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
        if info["size"] != there["size"]:
            return False
        if self.options.checksum:
            return self._digest(self._source, name) == self._digest(self._target, name)
        written, copied = _written(info), _written(there)
        return written is None or copied is None or copied >= written

    def _digest(self, place: Location, name: str) -> bytes:
        digest = hashlib.sha256()
        with place.files.open(place.path(name), "rb") as file:
            for chunk in self._chunks(file):
                digest.update(chunk)
        return digest.digest()

    def _copy(self, name: str, info: Mapping[str, Any]) -> int:
        """Copy one file and return its bytes. Raises OSError if the copy has another size."""
        here, there = self._source.path(name), self._target.path(name)
        self._make_parent(there)
        size = 0
        with self._source.files.open(here, "rb") as reader, self._target.files.open(there, "wb") as writer:
            for chunk in self._chunks(reader):
                writer.write(chunk)
                size += len(chunk)
        self._target.files.invalidate_cache(there.rpartition("/")[0])
        arrived = self._target.files.info(there)["size"]
        if not arrived == size == info["size"]:
            raise OSError(f"{arrived} of {info['size']} bytes arrived")
        return size

    def _make_parent(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        if parent not in self._made:
            self._target.files.makedirs(parent, exist_ok=True)
            self._made.add(parent)

    def _chunks(self, file: Any) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            if self.stop.is_set():
                raise _Stopped
            yield chunk


def _written(info: Mapping[str, Any]) -> float | None:
    """Return when a file was written, in seconds since 1970; None if its file system does not say."""
    for name in _TIMES:
        when = info.get(name)
        if isinstance(when, datetime):
            return when.timestamp()
        if isinstance(when, int | float):
            return float(when)
        if isinstance(when, str):
            return datetime.fromisoformat(when).timestamp()
    return None


def options_of(words: Iterable[str]) -> dict[str, Any]:
    """Parse ``key=value`` words as options of a driver; a value may be JSON. Raises FacesecureError for other words."""
    import json

    options: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise FacesecureError(f"the option {redact(word)} has no value", "write it as key=value")
        try:
            options[key] = json.loads(value)
        except json.JSONDecodeError:
            options[key] = value
    learn_secrets(options)
    return options
