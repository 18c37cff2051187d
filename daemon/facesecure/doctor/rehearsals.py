"""When a whole alarm was last heard in a drill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from facesecure.doctor.finding import Finding, Patient, ok, warn
from facesecure.drill.report import kept, last_good

_LONG_AGO = timedelta(days=31)
_ADVICE = "try the whole alarm: facesecure drill"


def drill(patient: Patient) -> Iterator[Finding]:
    """The last drill was good, and not long ago."""
    reports, good = kept(patient.state_dir), last_good(patient.state_dir)
    if not reports:
        yield warn("drill", "there was none yet", _ADVICE)
    elif not reports[0].good:
        since = f"; the last good one was {good.began_at.astimezone():%Y-%m-%d %H:%M}" if good else ""
        yield warn("drill", f"the last one failed: {reports[0].why}{since}", _ADVICE)
    elif datetime.now(UTC) - reports[0].began_at > _LONG_AGO:
        yield warn("drill", f"the last good one was {reports[0].began_at.astimezone():%Y-%m-%d}", _ADVICE)
    else:
        yield ok("drill", f"{reports[0].began_at.astimezone():%Y-%m-%d %H:%M}: {reports[0].why}")
