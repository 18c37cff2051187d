"""``facesecure doctor``: check the installation."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import REGISTRY_LOG, settings_of, silenced, state_of

if TYPE_CHECKING:
    from facesecure.services.diagnostics import CheckResult

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(context: typer.Context, json: Json = False) -> None:
    """Check everything, and say what to do about each problem.

    Checks the interpreter, models, cameras, store, people, permissions, disk, clock, plugins and voices.
    Exits with 1 if a check fails; warnings alone do not count.
    """
    from facesecure.config.paths import find_config
    from facesecure.hub import check as hub
    from facesecure.services.diagnostics import CHECKS, CheckContext, Health, run_checks

    settings = settings_of(context)
    config = settings.config()
    checked = CheckContext(config, find_config(settings.config_file), state_of(config))
    _require_access(checked.state_dir)
    results: list[CheckResult] = []
    checks = {**CHECKS, hub.NAME: hub.check}
    with silenced(REGISTRY_LOG), output.progress(quiet=json) as progress:
        for result in run_checks(checked, checks):
            results.append(result)
            progress("checking", min(len(results), len(checks) - 1), len(checks))
    failed = sum(result.health is Health.FAIL for result in results)
    if json:
        output.emit_json({"ok": not failed, "checks": [_document(result) for result in results]})
    else:
        _table(results)
    if failed:
        raise typer.Exit(1)


def _require_access(state_dir: Path) -> None:
    """Raise PermissionError if this user may not read the state directory: half of the checks would fail for that."""
    if state_dir.exists() and not os.access(state_dir, os.R_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(state_dir))


def _document(result: CheckResult) -> dict[str, str | None]:
    return {
        "check": result.check,
        "status": result.health.value,
        "message": result.message,
        "advice": result.remedy or None,
    }


def _table(results: list[CheckResult]) -> None:
    from rich.text import Text

    rows = []
    for result in results:
        message = Text(result.message)
        if result.remedy:
            message.append(f"\n-> {result.remedy}")
        rows.append((output.coloured(result.health.value, _STYLES[result.health.value]), result.check, message))
    output.table(("", "check", "found"), rows)
