"""Run the checks of ``facesecure doctor`` within the daemon, one run at a time, on a thread that people can look at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from facesecure.services.diagnostics.result import CheckContext, CheckResult
from facesecure.services.diagnostics.runner import CHECKS, run_checks


@dataclass(frozen=True, slots=True)
class Report:
    """The results so far of a run, of ``wanted`` checks at least; ``ended_at`` is None while it goes on."""

    began_at: datetime
    wanted: int
    results: tuple[CheckResult, ...] = ()
    ended_at: datetime | None = None


class DoctorRun:
    """The last run of the checks, and the one that goes on. Thread-safe.

    Example::

        doctor = DoctorRun()
        doctor.begin(CheckContext(config, config_file, state_dir))
        doctor.report  # the results so far
    """

    def __init__(self, checks: Callable[[CheckContext], Iterable[CheckResult]] = run_checks) -> None:
        """Use ``checks``, which yields each result at once."""
        self._checks = checks
        self._lock = threading.Lock()
        self._report: Report | None = None

    @property
    def report(self) -> Report | None:
        """The last run, or the one that goes on; None if there was none yet."""
        return self._report

    def begin(self, context: CheckContext, on_change: Callable[[], None] = lambda: None) -> bool:
        """Begin a run, unless one goes on; return whether it began. ``on_change`` is called after each result."""
        with self._lock:
            if self._report is not None and self._report.ended_at is None:
                return False
            self._report = Report(datetime.now(UTC), len(CHECKS))
        threading.Thread(target=self._run, args=(context, on_change), name="doctor", daemon=True).start()
        return True

    def _run(self, context: CheckContext, on_change: Callable[[], None]) -> None:
        try:
            for result in self._checks(context):
                self._change((result,))
                on_change()
        finally:
            self._change((), datetime.now(UTC))
            on_change()

    def _change(self, more: tuple[CheckResult, ...], ended_at: datetime | None = None) -> None:
        with self._lock:
            if self._report is not None:
                self._report = replace(self._report, results=(*self._report.results, *more), ended_at=ended_at)
