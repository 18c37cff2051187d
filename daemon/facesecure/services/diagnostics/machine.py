"""Checks of the machine: disk space, the clock, and the last drill."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn
from facesecure.services.drill.report import last_good_report, load_reports

_MB = 1_000_000
_FAIL_BELOW = 100 * _MB
_WARN_BELOW = 500 * _MB
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""Any earlier time is wrong. A Pi without a clock battery starts in 1970, or at the time it was switched off."""
_TIME_ERROR = 5
"""TIME_ERROR, which adjtimex(2) returns while the clock is not synchronised."""


def disk(context: CheckContext) -> Iterator[CheckResult]:
    """Check the free space for the state directory."""
    free = shutil.disk_usage(existing(context.state_dir)).free
    message, store = f"{free / 1e9:.1f} GB free for {context.state_dir}", context.config.store
    remedy = "free some space, or lower [store] keep_days and max_snapshot_mb"
    if free < _FAIL_BELOW:
        yield fail("disk", message, remedy)
    elif free < max(_WARN_BELOW, store.max_snapshot_mb * _MB if store.snapshots else 0):
        yield warn("disk", message, remedy)
    else:
        yield ok("disk", message)


def existing(path: Path) -> Path:
    """Return ``path``, or the nearest folder above it that exists."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))


def clock(context: CheckContext) -> Iterator[CheckResult]:  # noqa: ARG001 - the signature of every check
    """Check that the time is plausible and synchronised."""
    yield judge_clock(datetime.now(UTC), synchronised())


def judge_clock(now: datetime, in_sync: bool | None) -> CheckResult:
    """Judge the time ``now``; ``in_sync`` is whether it is synchronised, None if that is not known."""
    shown = now.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    if now < _EARLIEST:
        return fail(
            "clock", f"it shows {shown}, which is in the past", "connect the network, or set it: sudo date -s '...'"
        )
    if in_sync is False:
        remedy = "turn on time synchronisation: sudo timedatectl set-ntp true"
        return warn("clock", f"{shown}, but it is not synchronised", remedy)
    return ok("clock", shown + (", synchronised" if in_sync else ""))


def synchronised() -> bool | None:
    """Return whether the kernel's clock is synchronised (adjtimex(2), as timedatectl does); None if unknown."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    timex = ctypes.create_string_buffer(512)  # larger than struct timex on any machine; all zero means "only read"
    state = adjtimex(timex)
    return None if state < 0 else state != _TIME_ERROR


_MAX_AGE = timedelta(days=31)
_REMEDY = "rehearse an alarm: facesecure drill"


def drill(context: CheckContext) -> Iterator[CheckResult]:
    """Check that the last drill succeeded and is recent."""
    reports, good = load_reports(context.state_dir), last_good_report(context.state_dir)
    if not reports:
        yield warn("drill", "there has been none yet", _REMEDY)
    elif not reports[0].good:
        since = f"; the last good one was {good.began_at.astimezone():%Y-%m-%d %H:%M}" if good else ""
        yield warn("drill", f"the last one failed: {reports[0].why}{since}", _REMEDY)
    elif datetime.now(UTC) - reports[0].began_at > _MAX_AGE:
        yield warn("drill", f"the last good one was {reports[0].began_at.astimezone():%Y-%m-%d}", _REMEDY)
    else:
        yield ok("drill", f"{reports[0].began_at.astimezone():%Y-%m-%d %H:%M}: {reports[0].why}")
