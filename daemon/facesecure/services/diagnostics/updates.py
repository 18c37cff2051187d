"""Check for a newer version: what the daemon learned when it asked last. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure import __version__
from facesecure.services.diagnostics.result import CheckContext, CheckResult, ok, warn


def updates(context: CheckContext) -> Iterator[CheckResult]:
    """Say whether there is a newer version, if [updates] asks for it."""
    config = context.config.updates
    if not config.check:
        return
    from facesecure.services.updates import known_updates

    known = known_updates(config, context.state_dir)
    if known.newer:
        yield warn("updates", f"facesecure {known.newer} is out; this is {__version__}", "install it: docs/package.md")
    if known.problem:
        yield warn("updates", f"the newest version is not known: {known.problem}", "check url in [updates]")
    elif known.asked_at is None:
        yield ok("updates", "not asked yet: the daemon does so in its first minutes, and then once a day")
    elif not known.newer:
        yield ok("updates", f"{__version__} is the newest version (asked on {known.asked_at:%Y-%m-%d %H:%M} UTC)")
