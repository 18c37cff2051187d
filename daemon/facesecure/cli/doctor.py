"""``facesecure doctor``: is everything as it should be?"""

from __future__ import annotations

from typing import Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import REGISTRY_LOG, settings_of, silenced, state_of

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(context: typer.Context, json: Json = False) -> None:
    """Check everything, and say what to do.

    Looks at the interpreter, models, camera, store, people, permissions, disk, clock, plugins and voices.
    Ends with 1 if anything does not work; warnings alone do not.
    """
    from facesecure.config.paths import find_config
    from facesecure.services.diagnostics import CHECKS, CheckContext, Health, run_checks

    settings = settings_of(context)
    config = settings.config()
    patient = CheckContext(config, find_config(settings.config_file), state_of(config))
    findings = []
    with silenced(REGISTRY_LOG), output.progress(quiet=json) as progress:
        task = progress.add_task("examining", total=len(CHECKS))
        for finding in run_checks(patient):
            findings.append(finding)
            progress.update(task, completed=min(len(findings), len(CHECKS) - 1))
    failed = sum(finding.health is Health.FAIL for finding in findings)
    if json:
        output.emit_json({"ok": not failed, "checks": [_document(finding) for finding in findings]})
    else:
        _table(findings)
    if failed:
        raise typer.Exit(1)


def _document(finding: Any) -> dict[str, str | None]:
    return {
        "check": finding.about,
        "status": finding.health.value,
        "message": finding.what,
        "advice": finding.remedy or None,
    }


def _table(findings: list[Any]) -> None:
    from rich.text import Text

    rows = []
    for finding in findings:
        what = Text(finding.what)
        if finding.remedy:
            what.append(f"\n-> {finding.remedy}")
        rows.append((output.coloured(finding.health.value, _STYLES[finding.health.value]), finding.about, what))
    output.table(("", "check", "found"), rows)
