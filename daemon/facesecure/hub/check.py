"""The check of the hub for ``facesecure doctor``: whether it lets this door in, and who has yet to wipe somebody."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure.domain.errors import HubError
from facesecure.hub.driver import require_driver
from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

NAME = "hub"


def check(context: CheckContext) -> Iterator[CheckResult]:
    """Connect to the hub, if [hub] names one, and look at its doors."""
    config = context.config.hub
    if not config.enabled:
        return
    try:
        require_driver()
        from facesecure.hub.overview import overview

        found = overview(config, context.state_dir)
    except HubError as error:
        yield fail(NAME, error.message, error.hint or "")
        return
    yield ok(NAME, f"{found.name}, one of {found.doors} doors at {found.url}")
    if found.waiting:
        names = ", ".join(found.waiting)
        yield warn(NAME, f"a removed person is still on: {names}", "start facesecure there, or remove the door")
    for problem in found.unfinished:
        yield fail(NAME, problem, "do so on the manager")
    for problem in found.problems:
        yield fail(NAME, problem, "somebody who can write to the hub's database interferes; ask who administers it")
