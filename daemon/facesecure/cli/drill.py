"""``facesecure drill``: rehearse an alarm from the camera to the loudspeaker, and time each step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output
from facesecure.cli.control_client import ask_daemon
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of, state_of

if TYPE_CHECKING:
    from facesecure.cli.settings import Settings
    from facesecure.services.drill.report import DrillReport

_POLL = 0.2
_STYLES = {"delivered": "green", "failed": "red", "expired": "red"}


def drill(
    context: typer.Context,
    camera: Annotated[
        str | None,
        typer.Option("--camera", metavar="NAME", help="The camera that shows the stranger. Default: the first."),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="List past drills; start none.")] = False,
    json: Json = False,
) -> None:
    """Rehearse an alarm, and time each step.

    Inserts a stranger into the camera image, and follows the alert until it is delivered. The running daemon does
    it while it keeps watching; if none is running, this command does. Every plugin that is notified of strangers
    gets the alert, which starts with "This is a drill", in quiet hours too. It does not appear in events or in the
    history of alerts. Exits with 1 if a channel did not deliver.
    """
    settings = settings_of(context)
    if history:
        _show_history(settings, json)
        return
    report = _run(settings, camera, quiet=json)
    if json:
        output.emit_json(report.as_json())
    else:
        output.say(f"{_result(report)}: {report.why}")
    if not report.good:
        raise typer.Exit(1)


def _run(settings: Settings, camera: str | None, *, quiet: bool) -> DrillReport:
    """Run a drill and return its final report; print the steps as they happen, unless ``quiet``."""
    from facesecure.domain.errors import NoDaemonError
    from facesecure.services.drill.report import DrillReport

    show = (lambda _: None) if quiet else _Steps()
    try:
        ask_daemon(settings, "drill", {} if camera is None else {"camera": camera})
    except NoDaemonError:
        return _run_here(settings, camera, show)
    return _until_done(lambda: DrillReport.from_json(ask_daemon(settings, "drill-report")), show)


def _run_here(settings: Settings, camera: str | None, show: Callable[[DrillReport], None]) -> DrillReport:
    from facesecure.app import assembly
    from facesecure.domain.names import known_camera

    config = settings.config()
    if camera is not None:
        camera = known_camera(camera, [one.camera.name for one in config.each_camera()])
    output.note("facesecure is not running: this command watches the camera until the drill has ended")
    with assembly.drill_daemon(config, state_of(config), camera) as report:
        return _until_done(report, show)


def _result(report: DrillReport) -> str:
    return "good" if report.good else "FAILED"


def _until_done(ask: Callable[[], DrillReport | None], show: Callable[[DrillReport], None]) -> DrillReport:
    while True:
        report = ask()
        if report is not None:
            show(report)
            if report.done:
                return report
        time.sleep(_POLL)


class _Steps:
    """Prints each new step as a line."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, report: DrillReport) -> None:
        for step in report.steps[self._shown :]:
            what = output.coloured(f"{step.what:<10}", _STYLES.get(step.what, ""))
            output.out().print(f"{step.seconds:6.2f} s  ", what, f"  {step.channel or step.note}", sep="")
        self._shown = len(report.steps)


def _show_history(settings: Settings, json: bool) -> None:
    from facesecure.services.drill.report import load_reports

    reports = load_reports(state_of(settings.config()))
    if json:
        output.emit_json({"drills": [report.as_json() for report in reports]})
        return
    rows = [
        (
            f"{each.began_at.astimezone():%Y-%m-%d %H:%M}",
            "good" if each.good else "FAILED",
            each.camera or None,
            each.why,
        )
        for each in reports
    ]
    output.table(("when", "result", "camera", "why"), rows)
