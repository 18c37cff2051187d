"""Assembles the commands and the global options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from facesecure.cli import (
    alerts,
    archive,
    arm,
    audit,
    bench,
    calibrate,
    demo,
    doctor,
    drill,
    enroll,
    events,
    hub,
    identify,
    key,
    models,
    mqtt,
    people,
    presence,
    run,
    speech,
    status,
    visitors,
    web,
)
from facesecure.cli import config as config_commands
from facesecure.cli.arguments import EnrollCommand
from facesecure.cli.output import examples, group
from facesecure.cli.settings import Settings, configure_logging

app = group(
    "Recognises the people at your door and announces strangers.",
    "facesecure demo",
    "facesecure enroll Anna --images photos/anna/",
    "facesecure run --source rtsp://user:password@192.168.1.20/stream",
    "facesecure --config door.toml doctor",
)
app.command(
    "run",
    epilog=examples(
        "facesecure run",
        "facesecure run --source v4l2:/dev/video0",
        "facesecure run --source file:clip.mp4 --exit-at-end",
    ),
)(run.run)
app.command("demo", epilog=examples("facesecure demo", "facesecure demo --out /tmp/demo"))(demo.demo)
app.command(
    "enroll",
    cls=EnrollCommand,
    epilog=examples(
        "facesecure enroll Anna --images photos/anna/",
        "facesecure enroll Anna --images *.jpg more/*.jpg",
        "facesecure enroll Anna --video anna.mp4",
        "facesecure enroll Anna --camera",
        "facesecure enroll Anna --camera 'front door'",
        "facesecure enroll Anna --camera rtsp://user:password@192.168.1.20/stream",
    ),
)(enroll.enroll)
app.add_typer(people.app, name="people")
app.command("identify", epilog=examples("facesecure identify visitor.jpg", "facesecure identify photos/ --json"))(
    identify.identify
)
app.add_typer(events.app, name="events")
app.add_typer(visitors.app, name="visitors")
app.add_typer(archive.app, name="archive")
app.add_typer(alerts.app, name="alerts")
app.add_typer(models.app, name="models")
app.add_typer(speech.app, name="speech")
app.command(
    "calibrate",
    epilog=examples(
        "facesecure calibrate",
        "facesecure calibrate --false-accept 1/1000",
        "facesecure calibrate --false-accept 0.1% --chart household.png",
        "facesecure calibrate --json",
    ),
)(calibrate.calibrate)
app.command(
    "arm",
    epilog=examples("facesecure arm away", "facesecure arm home", "facesecure arm off", "facesecure arm away --json"),
)(arm.arm)
app.command(
    "presence",
    epilog=examples("facesecure presence", "facesecure presence Anna home", "facesecure presence Anna away --json"),
)(presence.presence)
app.command(
    "drill", epilog=examples("facesecure drill", "facesecure drill --camera gate", "facesecure drill --history")
)(drill.drill)
app.command("status", epilog=examples("facesecure status", "facesecure status --json"))(status.status)
app.command("doctor", epilog=examples("facesecure doctor", "facesecure doctor --json"))(doctor.doctor)
app.command("bench", epilog=examples("facesecure bench", "facesecure bench --repeats 100 --json"))(bench.bench)
app.add_typer(config_commands.app, name="config")
app.add_typer(key.app, name="key")
app.add_typer(audit.app, name="audit")
app.add_typer(web.app, name="web")
app.add_typer(mqtt.app, name="mqtt")
app.add_typer(hub.app, name="hub")


def _version(wanted: bool) -> None:
    if wanted:
        from facesecure import __version__

        typer.echo(f"facesecure {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Configuration file. Default: FACESECURE_CONFIG, /etc/facesecure/facesecure.toml or "
            "~/.config/facesecure/facesecure.toml, whichever is found first.",
        ),
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Directory of people, sightings and pulled models. Default: FACESECURE_STATE_DIR."
        ),
    ] = None,
    verbose: Annotated[
        int,
        typer.Option("--verbose", "-v", count=True, show_default=False, help="Log more; given twice, log everything."),
    ] = 0,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    context.obj = Settings(config, state_dir, verbose)
    configure_logging(context.obj)


def command() -> Any:
    """Return the parser: ``command().main(args, standalone_mode=False)`` runs a command."""
    return typer.main.get_command(app)
