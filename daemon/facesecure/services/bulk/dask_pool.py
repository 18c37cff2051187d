"""Bulk work on Dask: a scheduler and workers on this machine, or a cluster that runs already.

A worker that dies is started again by its nanny, and what it was doing is done again. A group of items that several
workers died of is done again item by item, with nothing beside it, so that only the item at fault is given up.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import dask
from distributed import Client, KilledWorker, LocalCluster, Security, WorkerPlugin

from facesecure.domain.errors import FacesecureError
from facesecure.services.bulk.groups import Groups
from facesecure.services.bulk.pool import Item, Outcome, Result, T, Work, each, version

_log = logging.getLogger(__name__)

_DEATHS = 1
"""Workers of ours that may die of a group of items before it is given up: the next one ends it."""
_CONFIG = {
    "distributed.scheduler.allowed-failures": _DEATHS,
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",  # before they import it
    "distributed.worker.profile.enabled": False,  # it looks at every worker's stack 100 times a second
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.tick.interval": "1s",
}
_AHEAD = 2
"""Groups of items for each thread: one that is worked on, and one that waits for it."""
_CONNECT_S, _WORKERS_S, _COUNTED_S, _SAID_S, _RETURN_S = 20, 60, 5.0, 10, 600
"""After how long without workers of a cluster it is said, and given up: a machine takes minutes to start again."""
_WAITING = "no workers at %s, waiting"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_RESUME = "run the same command again to resume"
_START = "start it: dask scheduler, and dask worker ADDRESS"


class _Quiet(WorkerPlugin):  # type: ignore[misc]
    """Leaves Ctrl-C to the process that shows the progress: a terminal sends it to all."""

    name = "facesecure-quiet"

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - the interface of a plugin
        """Ignore SIGINT, and do not report what an end by the other side, or an interruption, cancels."""
        _quieten()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)


class DaskPool:
    """A ``Pool`` whose workers are Dask's.

    Example::

        with DaskPool.of_processes(4) as pool:
            results = {outcome.item: outcome.result for outcome in pool.map(work, task, items)}
    """

    def __init__(self, connect: Callable[[], tuple[Client, Any]], where: str, hint: str = _START) -> None:
        """``connect`` returns a client, and the cluster that it started, or None; ``hint`` says what to do if not."""
        self._connect, self._where, self._hint = connect, where, hint
        self._client: Any = None
        self._cluster: Any = None
        self._threads, self._counted = 1, 0.0
        self._looked, self._worked, self._said = 0.0, 0.0, False

    @classmethod
    def of_processes(cls, workers: int) -> Self:
        """Return a pool of ``workers`` processes of one thread on this machine, which other users' cannot reach.

        Whoever reaches a scheduler can run programs as its user, and every user of a machine reaches its loopback. So
        it asks for a certificate, which is made for the pool and never leaves the memory of its processes, but for the
        moment in which Python's TLS reads it from a folder that only this user can open.
        """

        def connect() -> tuple[Client, Any]:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                protocol="tls",
                security=Security.temporary(),
                silence_logs=logging.CRITICAL,
                dashboard_address="127.0.0.1:0",
            )
            client = Client(cluster, set_as_default=False)
            client.register_plugin(_Quiet())
            return client, cluster

        return cls(connect, f"{workers} processes", "run the same command again, or with fewer --workers")

    @classmethod
    def at(cls, address: str, tls: Path | None) -> Self:
        """Return a pool of the workers of the cluster at ``address``, whose certificates are in the folder ``tls``."""
        if tls is None and urlsplit(address).hostname not in _LOOPBACK:
            _log.warning("%s is not encrypted: whoever reaches it can run programs on it and read the photos", address)

        def connect() -> tuple[Client, Any]:
            return Client(address, security=_security(tls), timeout=_CONNECT_S, set_as_default=False), None

        return cls(connect, address, _START if tls is None else f"{_START}; and are those of {tls} its certificates?")

    @property
    def described(self) -> str:
        """Who works, and the address of the dashboard."""
        link = getattr(self._client, "dashboard_link", "") if self._client else ""
        return f"{self._where}; dashboard: {link}" if link else self._where

    def __enter__(self) -> Self:
        """Start the workers, or connect with them. Raises FacesecureError."""
        _quieten()
        with dask.config.set(_CONFIG):
            try:
                with _without_interrupts():
                    self._client, self._cluster = self._connect()
                self._check()
            except (OSError, TimeoutError, RuntimeError) as error:  # RuntimeError: whatever a starting process raised
                self._close()
                raise FacesecureError(f"{self._where} cannot be reached ({error})", self._hint) from None
            except BaseException:
                self._close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started; the workers of a cluster that ran before stay."""
        with _without_interrupts():
            self._close()

    def map(
        self, work: Work[T, Item, Result], task: T, items: Iterable[Item], chunk: int = 1
    ) -> Iterator[Outcome[Item, Result]]:
        """Yield the outcome of each item as it is finished; see ``Pool``."""
        suspects = list[Item]()
        self._worked, self._said = time.monotonic(), False
        for group, results in self._finished(work, task, Groups(items, chunk), self._room):
            if results is None:
                suspects.extend(group)
            else:
                yield from (Outcome(item, result) for item, result in zip(group, results, strict=True))
        for (item,), results in self._finished(work, task, Groups(suspects, 1), lambda: 1):
            lost = "the processes that worked on it died" if results is None else None
            yield Outcome(item, None if results is None else results[0], lost)

    def _finished(
        self, work: Work[T, Item, Result], task: T, groups: Groups[Item], room: Callable[[], int]
    ) -> Iterator[tuple[list[Item], list[Result] | None]]:
        """Yield each group with its results, None if workers died of it; at most ``room()`` are on their way."""
        waiting: dict[Any, list[Item]] = {}
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            while True:
                while len(waiting) < room() and (group := groups.take()):
                    future = self._client.submit(_timed, work, task, group, pure=False)
                    waiting[future] = group
                    future.add_done_callback(done.put)
                if not waiting:
                    return
                with suppress(queue.Empty):
                    future = done.get(timeout=0.2)
                    group, (seconds, results) = waiting.pop(future), self._results(future)
                    if results is not None:
                        groups.took(seconds, len(group))
                    yield group, results
                self._require_connection()
        finally:
            self._cancel(list(waiting))

    def _cancel(self, futures: list[Any]) -> None:
        if futures and self._client.status == "running":
            with suppress(OSError, TimeoutError):
                self._client.cancel(futures, force=True)

    def _results(self, future: Any) -> Any:
        """Return the seconds and results of a finished group; None for them if workers died of it.

        Raises what the work raised.
        """
        if future.status == "cancelled":
            raise self._lost()
        try:
            return future.result()
        except KilledWorker:
            return 0.0, None

    def _room(self) -> int:
        """Return how many groups may be on their way: workers come and go."""
        if time.monotonic() - self._counted > _COUNTED_S:
            self._threads, self._counted = sum(self._client.nthreads().values()) or 1, time.monotonic()
        return _AHEAD * self._threads

    def _require_connection(self) -> None:
        """Raise FacesecureError if the cluster is gone, or if there have been no workers for long."""
        if self._client.status != "running":
            raise self._lost()
        if time.monotonic() - self._looked < _COUNTED_S:
            return
        self._looked = time.monotonic()
        if self._client.nthreads():
            self._worked, self._said = self._looked, False
        else:
            self._wait_for_workers(self._looked - self._worked)

    def _wait_for_workers(self, seconds: float) -> None:
        """Say that nobody has worked for so many seconds, or raise FacesecureError if that is too long."""
        if self._cluster is not None:
            if seconds > _WORKERS_S:  # a nanny gives up if its worker dies while it starts
                raise FacesecureError(f"all {self._where} have ended and none could be started anew", _RESUME)
            return
        if seconds > _RETURN_S:
            raise FacesecureError(
                f"{self._where} has had no workers for {seconds / 60:.0f} minutes",
                "start some: dask worker ADDRESS; then run the same command again to resume",
            )
        if seconds > _SAID_S and not self._said:
            _log.warning(_WAITING, self._where)
            self._said = True

    def _lost(self) -> FacesecureError:
        return FacesecureError(f"the cluster at {self._where} is gone", _RESUME)

    def _check(self) -> None:
        """Raise FacesecureError unless there is a worker, and all run the same software as this process."""
        if self._cluster is None and not self._client.nthreads():
            _log.warning(_WAITING, self._where)
        try:
            self._client.wait_for_workers(1, timeout=_WORKERS_S)
        except TimeoutError:
            raise FacesecureError(f"{self._where} has no workers", "start some: dask worker ADDRESS") from None
        try:
            theirs = self._client.run(version)
        except ImportError as error:
            raise FacesecureError(
                f"a worker of {self._where} lacks facesecure ({error})", "install the same version there"
            ) from None
        for worker, found in theirs.items():
            if found != version():
                raise FacesecureError(
                    f"the worker {worker} has {_words(found)}, and here is {_words(version())}",
                    "install the same versions everywhere: else results differ",
                )

    def _close(self) -> None:
        for one in (self._client, self._cluster):
            if one is not None:
                with suppress(OSError, TimeoutError, AssertionError):  # the last, where a worker is just started anew
                    one.close()
        self._client = self._cluster = None


def _timed(work: Work[T, Item, Result], task: T, items: Sequence[Item]) -> tuple[float, list[Result]]:
    """Return the seconds that a group took, and its results: what a worker calls."""
    began = time.monotonic()
    results = each(work, task, items)
    return time.monotonic() - began, results


def _quieten() -> None:
    """Silence Dask's log: it reports what this module says itself, each task of a lost worker, and every start."""
    for name in ("distributed", "tornado.application", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"distributed", "tornado"}:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _words(versions: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in versions.items())


def _security(tls: Path | None) -> Any:
    if tls is None:
        return None
    return Security(
        tls_ca_file=str(tls / "ca.pem"),
        tls_client_cert=str(tls / "client.pem"),
        tls_client_key=str(tls / "client.key"),
        require_encryption=True,
    )


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait, and let processes that start here inherit that they ignore it."""
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    try:
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before)
