"""``facesecure-train export``: a trained model as files that the daemon runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.domain.errors import FacesecureError, ModelError, UsageError

if TYPE_CHECKING:
    from facesecure_training.export.forms import Exported, Refused
    from facesecure_training.export.trained import Identity

_ALL = "all"


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL.keras|RUN", help="A Keras model, or the folder of a run.")],
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--form", help="float, float16, dynamic, mixed, int8, edgetpu, all; repeatable.", show_default="float16"
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of face crops: parity is proved on them, int8 calibrated.", exists=True),
    ] = None,
    into: Annotated[Path, typer.Option("--into", help="Folder for NAME.tflite and NAME.json.", file_okay=False)] = Path(
        "models"
    ),
    name: Annotated[str | None, typer.Option("--name", help="The model's name.", show_default="MODEL's own")] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="A classifier's classes in their order: a,b,c.", show_default="RUN's")
    ] = None,
    crop: Annotated[
        str | None, typer.Option("--crop", help="What it learnt on: aligned or loose crops.", show_default="RUN's")
    ] = None,
    margin: Annotated[float | None, typer.Option("--margin", min=0, help="Margin of a loose crop.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="What it learnt from, for the card.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Under which licence it is passed on.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=2, help="Crops used of those in --data.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same crops.")] = 0,
    tolerance: Annotated[
        float | None, typer.Option("--tolerance", help="How near the files must come to Keras.", show_default="by form")
    ] = None,
    other_python: Annotated[
        Path | None,
        typer.Option(
            "--other-python", help="Python with tflite-runtime, to try every file there too.",
            show_default=".venv-tflite's, if there",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:  # fmt: skip
    """Convert, prove on both runtimes, and write with a card that the daemon reads.

    A form that strays from Keras, or asks for an operation (or a version of one) that a runtime on the Pi does not
    have, is refused, and the operation named. edgetpu is the int8 network with whole numbers at both ends, checked
    against the published list of what an Edge TPU runs; edgetpu_compiler, which is not part of this, comes after it.

    \b
    Examples:
      facesecure-train export runs/front-door --form all --data crops/validation --into models
      facesecure-train export my.keras --form float16 --labels alice,bob,unknown --name door
    """
    from facesecure_training.export import forms as forms_
    from facesecure_training.export import runtimes, trained

    chosen, everything = _chosen(forms or ["float16"])
    identity = _identity(trained.Identity.beside(model), labels, crop, margin, dataset, licence)
    order = forms_.ExportRequest(
        _checked(name or model.resolve().stem), into, chosen, data, limit, seed,
        runtimes.other_python(other_python), tolerance,
    )  # fmt: skip
    done = []
    for one in forms_.export(trained.read(model), identity, order):
        done.append(one)
        if not as_json:
            typer.echo(_line(one), err=isinstance(one, forms_.Refused))
    if as_json:
        document = {"model": str(model), "tflite_runtime": str(order.python) if order.python else None}
        typer.echo(json.dumps({**document, "forms": [one.as_json() for one in done]}, indent=2))
    elif order.python is None:
        typer.echo("tflite-runtime was not tried: there is no .venv-tflite (make setup), and no --other-python")
    refused = [one for one in done if isinstance(one, forms_.Refused)]
    if refused and (not everything or len(refused) == len(done)):
        raise _summary(refused)


def _chosen(asked: Sequence[str]) -> tuple[list[str], bool]:
    """(the forms, whether all there are were asked for). Raises UsageError for a word that is none."""
    from facesecure_training.export.forms import FORMS

    for word in asked:
        if word not in (*FORMS, _ALL):
            raise UsageError(f"--form {word!r} is not known", f"use one of: {', '.join((*FORMS, _ALL))}")
    return (list(FORMS), True) if _ALL in asked else (list(dict.fromkeys(asked)), False)


def _identity(
    found: Identity,
    labels: str | None,
    crop: str | None,
    margin: float | None,
    dataset: str | None,
    licence: str | None,
) -> Identity:
    if crop not in (None, "aligned", "loose"):
        raise UsageError(f"--crop {crop!r} is not known", "use one of: aligned, loose")
    names = None if labels is None else tuple(filter(None, (word.strip() for word in labels.split(","))))
    return found.with_(classes=names, crop=crop, margin=margin, dataset=dataset, licence=licence)


def _checked(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name):
        raise UsageError(f"{name!r} is no name for a model", "use letters, digits, points and hyphens with --name")
    return name


def _line(one: Exported | Refused) -> str:
    from facesecure_training.export.forms import Refused

    if isinstance(one, Refused):
        return f"{one.form:8} refused: {one.error.message}"
    proof = one.proof.as_card("")
    times = ", ".join(
        f"{run.milliseconds:.2f} ms on {run.runtime} ({run.delegation.delegated} of {run.delegation.nodes} delegated)"
        for run in one.readings
    )
    tpu = f"Edge TPU: {_tpu(one.tpu)}" if one.form == "edgetpu" else ""
    parity = f"{proof['measure']} {proof['value']:g} ({proof['tolerance']:g} demanded)"
    return f"{one.form:8} {one.file}: {one.size:,} bytes; {parity}; {times}" + (f"\n{'':9}{tpu}" if tpu else "")


def _tpu(problems: Sequence[str]) -> str:
    if not problems:
        return "all operations are on its list and 8 bits; edgetpu_compiler, which is not here, has the last word"
    more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
    return "; ".join(problems[:3]) + more


def _summary(refused: Sequence[Refused]) -> FacesecureError:
    if len(refused) == 1:
        return refused[0].error
    return ModelError(f"refused: {', '.join(one.form for one in refused)}", refused[0].error.hint)
