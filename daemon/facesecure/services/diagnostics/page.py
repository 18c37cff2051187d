"""Check of the page: how long its certificate is valid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

FOLDER = Path("/etc/facesecure/web")
_MAKE = "sudo facesecure web certificate"


def page(context: CheckContext) -> Iterator[CheckResult]:  # noqa: ARG001 - the signature of every check
    """Check the certificate of the page, where there is one: a proxy may have its own."""
    yield judge_certificate(FOLDER, datetime.now(UTC))


def judge_certificate(folder: Path, now: datetime) -> CheckResult:
    """Judge the certificate in ``folder`` at the time ``now``."""
    from facesecure.services.certificates.folder import read

    if (found := read(folder)) is None:
        return ok("page", f"no certificate is made here; for a page without a proxy: {_MAKE}")
    machine, day = found.machine, found.machine.until.astimezone().strftime("%Y-%m-%d")
    renew = f"renew it: {_MAKE}" if found.renewable else f"its authority's key was discarded: {_MAKE} --new-authority"
    if machine.until <= now:
        return fail("page", f"its certificate has expired on {day}: browsers refuse it", renew)
    if machine.due(now):
        return warn("page", f"its certificate expires on {day}", renew)
    return ok("page", f"certificate for {', '.join(machine.names)} until {day}")
