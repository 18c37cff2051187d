"""``facesecure-train export``: a trained model as files that the daemon runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.domain.errors import FacesecureError, ModelError, UsageError
from facesecure_training.cli.options import AsJson, finite, print_json, require_one_of
from facesecure_training.common.option_info import LARGEST_SEED

if TYPE_CHECKING:
    from facesecure_training.export.forms import Exported, ExportRequest, Refused
    from facesecure_training.export.trained import Identity

_ALL = "all"


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """The model that is exported, the forms it is written in, and what its card says."""

    model: Annotated[Path, typer.Argument(metavar="MODEL.keras|RUN", help="A Keras model, or the folder of a run.")]
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--form", help="float, float16, dynamic, mixed, int8, edgetpu, all; repeatable.", show_default="float16"
        ),
    ] = None
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of face crops to check parity on and to calibrate int8.", exists=True),
    ] = None
    into: Annotated[Path, typer.Option("--into", help="Folder for NAME.tflite and NAME.json.", file_okay=False)] = Path(
        "models"
    )
    name: Annotated[str | None, typer.Option("--name", help="The model's name.", show_default="MODEL's own")] = None
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="Embed each face and its mirror image: surer, in twice the time.")
    ] = False
    labels: Annotated[
        str | None, typer.Option("--labels", help="A classifier's classes in their order: a,b,c.", show_default="RUN's")
    ] = None
    crop: Annotated[
        str | None,
        typer.Option("--crop", help="Crops it was trained on: aligned or loose.", show_default="RUN's"),
    ] = None
    margin: Annotated[float | None, typer.Option("--margin", min=0, help="Margin of a loose crop.")] = None
    dataset: Annotated[str | None, typer.Option("--dataset", help="Its training data, for the card.")] = None
    licence: Annotated[str | None, typer.Option("--licence", help="Its licence, for the card.")] = None
    limit: Annotated[int, typer.Option("--limit", min=2, help="Number of crops used of those in --data.")] = 200
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="The same seed chooses the same crops.")
    ] = 0  # fmt: skip
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            min=0,
            callback=finite,
            help="Largest deviation from Keras that is accepted.",
            show_default="by form",
        ),
    ] = None
    other_python: Annotated[
        Path | None,
        typer.Option(
            "--other-python",
            help="Python with tflite-runtime, to run every file there too.",
            show_default=".venv-tflite's, if there",
        ),
    ] = None
    as_json: AsJson = False

    def identity(self, found: Identity) -> Identity:
        """Return ``found`` with what these options say. Raises UsageError for an unknown crop."""
        if self.crop is not None:
            require_one_of(("aligned", "loose"), self.crop, "--crop")
        names = None if self.labels is None else tuple(filter(None, (word.strip() for word in self.labels.split(","))))
        origin = f"{found.origin}, mirrored" if self.mirrored else None
        return found.overridden(
            classes=names, crop=self.crop, margin=self.margin, dataset=self.dataset, licence=self.licence, origin=origin
        )

    def network(self, identity: Identity) -> Any:
        """Return the network that is exported. Raises ModelError, or UsageError for a classifier to be mirrored."""
        from facesecure_training.networks import mirrored, saved

        if self.mirrored and identity.classes:
            raise UsageError("--mirrored is for networks that embed faces, not for a classifier", "leave it out")
        network = saved.read(self.model)
        return mirrored.mirrored(network) if self.mirrored else network

    def request(self, forms: Sequence[str]) -> ExportRequest:
        """Return the request for ``forms``. Raises UsageError for a name that cannot be a file's."""
        from facesecure_training.export.forms import ExportRequest
        from facesecure_training.export.runtimes import other_python

        return ExportRequest(
            _checked(self.name or self.model.resolve().stem), self.into, forms, self.data, self.limit, self.seed,
            other_python(self.other_python), self.tolerance,
        )  # fmt: skip


def export(options: ExportOptions) -> None:
    r"""Convert a model, check it on both runtimes, and write it with a card that the daemon reads.

    A form that deviates from Keras, or that needs an operation (or a version of one) that a runtime on the Pi does not
    have, is refused, and the operation is named. edgetpu is the int8 network with integer input and output, checked
    against the published list of what an Edge TPU runs; run edgetpu_compiler, which is not included, on it afterwards.

    \b
    Examples:
      facesecure-train export runs/front-door --form all --data crops/validation --into models
      facesecure-train export my.keras --form float16 --labels alice,bob,unknown --name door
      facesecure-train export runs/siamese --mirrored --name siamese
    """
    from facesecure_training.export import forms
    from facesecure_training.export.trained import Identity

    chosen, everything = _chosen(options.forms or ["float16"])
    identity = options.identity(Identity.of_run(options.model))
    request = options.request(chosen)
    done = []
    for one in forms.export(options.network(identity), identity, request):
        done.append(one)
        if not options.as_json:
            typer.echo(_line(one), err=isinstance(one, forms.Refused))
    if options.as_json:
        python = str(request.python) if request.python else None
        document = {"model": str(options.model), "tflite_runtime": python}
        print_json({**document, "forms": [one.as_json() for one in done]})
    elif request.python is None:
        typer.echo("not run on tflite-runtime: there is no .venv-tflite (make setup), and no --other-python")
    refused = [one for one in done if isinstance(one, forms.Refused)]
    if refused and (not everything or len(refused) == len(done)):
        raise _summary(refused)


def _chosen(words: Sequence[str]) -> tuple[list[str], bool]:
    """Return the forms, and whether all of them were asked for. Raises UsageError for an unknown form."""
    from facesecure_training.export.forms import FORMS

    for word in words:
        require_one_of((*FORMS, _ALL), word, "--form")
    return (list(FORMS), True) if _ALL in words else (list(dict.fromkeys(words)), False)


def _checked(name: str) -> str:
    if not re.fullmatch(r"[\w-][\w.-]*", name):  # a dot at its start would hide the files
        raise UsageError(
            f"{name!r} is not a valid model name", "use letters, digits, dots and hyphens in --name, no dot first"
        )
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
    parity = f"{proof['measure']} {proof['value']:g} ({proof['tolerance']:g} required)"
    return f"{one.form:8} {one.file}: {one.size:,} bytes; {parity}; {times}" + (f"\n{'':9}{tpu}" if tpu else "")


def _tpu(problems: Sequence[str]) -> str:
    if not problems:
        return "all operations are on its list and in 8 bits; run edgetpu_compiler to be sure"
    more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
    return "; ".join(problems[:3]) + more


def _summary(refused: Sequence[Refused]) -> FacesecureError:
    if len(refused) == 1:
        return refused[0].error
    return ModelError(f"refused: {', '.join(one.form for one in refused)}", refused[0].error.hint)
