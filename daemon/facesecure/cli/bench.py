"""``facesecure bench``: time each stage on this machine, in half a minute."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of, state_of


def bench(
    context: typer.Context,
    repeats: Annotated[
        int, typer.Option(min=1, max=1000, help="How often to time each stage; the median is reported.")
    ] = 20,
    json: Json = False,
) -> None:
    """Time each stage on this machine.

    Uses bundled images, and the configured models and detector.
    For a comparison of the whole daemon with other programs, run `make bench` in the source tree.
    """
    from facesecure.services.benchmark import describe_machine, time_stages
    from facesecure.services.model_stack import ModelStack

    config = settings_of(context).config()
    models = ModelStack.load(config, state_of(config))
    with output.progress(quiet=json) as progress:
        timings = time_stages(config, models, repeats, progress)
    machine = asdict(describe_machine(config, state_of(config)))
    if json:
        stages = {one.stage: {"median_ms": one.median_ms, "worst_ms": one.worst_ms} for one in timings}
        output.emit_json({**machine, "stages": stages})
        return
    rows = [(one.stage, one.median_ms, one.worst_ms) for one in timings]
    output.table(("stage", "median ms", "worst ms"), rows, right=("median ms", "worst ms"))
    output.say("\n" + ", ".join(f"{key}: {value}" for key, value in machine.items()))
