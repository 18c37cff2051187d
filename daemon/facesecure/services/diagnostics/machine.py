"""Checks of the machine: room on the disk, and a clock that is right."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn
from facesecure.services.drill.report import last_good_report, load_reports

_MB = 1_000_000
_TOO_LITTLE = 100 * _MB
_LITTLE = 500 * _MB
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""Before this facesecure did not exist; a Pi without a clock battery starts in 1970, or where it was switched off."""
_TIME_ERROR = 5
"""What adjtimex(2) returns while nothing keeps the clock."""


def disk(patient: CheckContext) -> Iterator[CheckResult]:
    """Room where the state is kept."""
    free = shutil.disk_usage(existing(patient.state_dir)).free
    what, store = f"{free / 1e9:.1f} GB free for {patient.state_dir}", patient.config.store
    advice = "free some space, or lower [store] keep_days and max_snapshot_mb"
    if free < _TOO_LITTLE:
        yield fail("disk", what, advice)
    elif free < max(_LITTLE, store.max_snapshot_mb * _MB if store.snapshots else 0):
        yield warn("disk", what, advice)
    else:
        yield ok("disk", what)


def existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that is there."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))


def clock(patient: CheckContext) -> Iterator[CheckResult]:  # noqa: ARG001 - every check is given the patient
    """The time is possible, and something keeps it right."""
    yield judge_clock(datetime.now(UTC), synchronised())


def judge_clock(now: datetime, kept: bool | None) -> CheckResult:
    """``kept``: whether a time service keeps the clock, None where that cannot be told."""
    shown = now.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    if now < _EARLIEST:
        return fail("clock", f"it says {shown}, which is past", "connect the network, or set it: sudo date -s '...'")
    if kept is False:
        advice = "turn on a time service: sudo timedatectl set-ntp true"
        return warn("clock", f"{shown}, but nothing keeps it right", advice)
    return ok("clock", shown + (", kept by a time service" if kept else ""))


def synchronised() -> bool | None:
    """Whether the kernel believes its clock (adjtimex(2), as timedatectl asks it); None where it does not say."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    timex = ctypes.create_string_buffer(512)  # larger than struct timex anywhere; all zero means "only tell"
    state = adjtimex(timex)
    return None if state < 0 else state != _TIME_ERROR


_LONG_AGO = timedelta(days=31)
_ADVICE = "try the whole alarm: facesecure drill"


def drill(patient: CheckContext) -> Iterator[CheckResult]:
    """The last drill was good, and not long ago."""
    reports, good = load_reports(patient.state_dir), last_good_report(patient.state_dir)
    if not reports:
        yield warn("drill", "there was none yet", _ADVICE)
    elif not reports[0].good:
        since = f"; the last good one was {good.began_at.astimezone():%Y-%m-%d %H:%M}" if good else ""
        yield warn("drill", f"the last one failed: {reports[0].why}{since}", _ADVICE)
    elif datetime.now(UTC) - reports[0].began_at > _LONG_AGO:
        yield warn("drill", f"the last good one was {reports[0].began_at.astimezone():%Y-%m-%d}", _ADVICE)
    else:
        yield ok("drill", f"{reports[0].began_at.astimezone():%Y-%m-%d %H:%M}: {reports[0].why}")
