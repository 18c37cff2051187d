"""Check that the audit log is as facesecure wrote it."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

_SHOWN = 3
"""How many breaks are listed."""


def audit(context: CheckContext) -> Iterator[CheckResult]:
    """Say where the chain of the audit log breaks, and whether actions could not be recorded."""
    from facesecure.services.audit import verify

    if not context.state_dir.exists():
        return
    found = verify(context.state_dir)
    remedy = f"find out who can write to {context.state_dir}; facesecure audit verify lists every break"
    for one in found.breaks[:_SHOWN]:
        yield fail("audit", one.sentence, remedy)
    if (more := len(found.breaks) - _SHOWN) > 0:
        yield fail("audit", f"the audit log breaks in {more} more places", remedy)
    for note in found.lost:
        yield warn("audit", note, "check the free space on the disk, and who owns the state directory")
    if not found.breaks:
        yield ok("audit", found.summary)
