"""Options that several commands share, and helpers for their output."""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from facesecure.domain.errors import UsageError
from facesecure.util.plain_text import escaped
from facesecure.util.rates import parse_rate

if TYPE_CHECKING:
    from facesecure.services.bulk.workforce import Workforce
    from facesecure_training.evaluation.pages.page import Page
    from facesecure_training.evaluation.setting import Setting

_LOWEST_RATE = 1e-6
"""Fewer false accepts than any of the sets of pairs can show."""
Images = Annotated[
    Path, typer.Option("--images", help="Photos in LFW's layout: NAME/NAME_0001.jpg.", exists=True, file_okay=False)
]
StateDir = Annotated[
    Path | None, typer.Option("--state-dir", envvar="FACESECURE_STATE_DIR", help="Folder with downloaded models.")
]


def _chart_folder(folder: Path | None) -> Path | None:
    """Raise FacesecureError at once, not after an hour, if charts are wanted and cannot be drawn."""
    if folder is not None:
        from facesecure_training.common.optional_dependencies import require_charts

        require_charts()
    return folder


Plot = Annotated[
    Path | None,
    typer.Option("--plot", help="Write a chart (PNG) to this folder.", file_okay=False, callback=_chart_folder),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
WriteCard = Annotated[bool, typer.Option("--write-card", help="Write the figures to the model's card.")]
WriteThreshold = Annotated[
    bool,
    typer.Option("--write-threshold", "--write-card", help="Write the threshold and the figures to the model's card."),
]
ReportDir = Annotated[
    Path | None,
    typer.Option(
        "--report",
        help="Write an HTML page, its charts and JSON to this folder.",
        file_okay=False,
        callback=_chart_folder,
    ),
]
Robustness = Annotated[
    int, typer.Option("--robustness", min=0, help="Corrupt this many faces in six ways, step by step; 0: none.")
]


def rate_of(text: object) -> float:
    """Parse a rate of false accepts as the daemon does: 1/1000, 0.001 or 0.1%; at least 1e-6."""
    try:
        rate = parse_rate(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if rate < _LOWEST_RATE:
        raise typer.BadParameter(f"must be at least {_LOWEST_RATE:g}, not {text!r}")
    return rate


def finite(value: float | None) -> float | None:
    """Return the number of an option, or None. Raises BadParameter for nan and inf, which are no figures."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"must be a finite number, not {value}")
    return value


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """Who does the work: this process, several on this machine, or a cluster."""

    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "--jobs",
            min=1,
            help="Number of processes on this machine.",
            show_default="one, to extract one per core",
        ),
    ] = None
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Work on a Dask cluster: tls://HOST:8786, or tcp:// where all is trusted.",
        ),
    ] = None
    cluster_tls: Annotated[
        Path | None,
        typer.Option(
            "--cluster-tls", help="Folder with ca.pem, client.pem and client.key for tls://.", file_okay=False
        ),
    ] = None

    def workforce(self, default: int | None = None) -> Workforce:
        """Return who works; by default ``default`` processes, or one for each core. Raises UsageError."""
        from facesecure.services.bulk.workforce import Workforce

        if self.cluster is None and self.workers is None and self.cluster_tls is None and default is None:
            return Workforce.of_cores()
        return Workforce(self.workers or 1, self.cluster, self.cluster_tls)


@dataclass(frozen=True, kw_only=True)
class FaceOptions(WorkOptions):
    """Which model is evaluated, how faces are found in photos, and who embeds them."""

    model: Annotated[
        str, typer.Option("--model", help="Name of a bundled or downloaded model, or path to NAME.tflite.")
    ] = "mobilefacenet"
    detector: Annotated[str, typer.Option("--detector", help="mtcnn, haar or yunet.")] = "mtcnn"
    max_side: Annotated[
        int | None, typer.Option("--max-side", min=32, help="Shrink larger photos to this many pixels first.")
    ] = None
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Keep the aligned faces in this folder for the next run.")
    ] = None
    state_dir: StateDir = None

    def setting(self, *, crops: bool = False) -> Setting:
        """Return these options as a ``Setting``; ``crops`` allows photos that are crops already (--detector none).

        Raises UsageError for an unknown detector.
        """
        from facesecure_training.common.cropping import DetectorKind
        from facesecure_training.evaluation.setting import Setting

        known = (*get_args(DetectorKind), *(("none",) if crops else ()))
        require_one_of(known, self.detector, "--detector")
        return Setting(
            self.model,
            self.detector,  # type: ignore[arg-type]
            self.max_side,
            self.cache,
            self.state_dir,
            self.workforce(1),
        )


def require_one_of(known: tuple[str, ...], word: str, option: str) -> None:
    """Raise UsageError, with the words that are known, if ``word`` is none of them."""
    if word not in known:
        raise UsageError(f"{option} {word!r} is not known", f"use one of: {', '.join(known)}")


def command_line() -> str:
    """Return the running command as it would be typed in a shell."""
    return shlex.join(["facesecure-train", *sys.argv[1:]])


def dataset_of(images: Path) -> str:
    """Return the name of the data set in a folder: lfw-dev for .../lfw-dev/images."""
    resolved = images.resolve()
    return resolved.parent.name if resolved.name == "images" else resolved.name


def say(line: str) -> None:
    """Print a line of the result. Names in it may hold anything: line breaks and what is not plain are escaped."""
    typer.echo(escaped(line).replace("\n", "\\n"))


def print_json(document: Mapping[str, Any] | list[Any]) -> None:
    """Print ``document`` as indented JSON on stdout."""
    typer.echo(json.dumps(document, indent=2))


def write_report(folder: Path, name: str, page: Page, document: Mapping[str, Any]) -> None:
    """Write a report's page and JSON to ``folder``, and print its path on stderr."""
    from facesecure_training.evaluation.pages import page as pages

    typer.echo(f"report: {pages.write(folder, name, page, document)}", err=True)


@contextmanager
def resumable() -> Iterator[None]:
    """Turn Ctrl-C into a hint how to resume, and the exit code of an interrupted program."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to resume", err=True)
        raise typer.Exit(130) from None
