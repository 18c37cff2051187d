"""Options that several commands under ``facesecure-train evaluate`` share, and what they make of them."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from facesecure.domain.errors import UsageError

if TYPE_CHECKING:
    from facesecure_training.evaluation.setting import Setting

Images = Annotated[
    Path, typer.Option("--images", help="Photos in LFW's layout: NAME/NAME_0001.jpg.", exists=True, file_okay=False)
]
ModelName = Annotated[str, typer.Option("--model", help="A bundled or pulled model's name, or a path to NAME.tflite.")]
DetectorName = Annotated[str, typer.Option("--detector", help="mtcnn, haar or yunet.")]
MaxSide = Annotated[
    int | None, typer.Option("--max-side", min=32, help="Bring larger photos down to this many pixels first.")
]
Cache = Annotated[Path | None, typer.Option("--cache", help="Keep the aligned faces in this folder for the next time.")]
StateDir = Annotated[
    Path | None, typer.Option("--state-dir", envvar="FACESECURE_STATE_DIR", help="Where pulled models lie.")
]
Plot = Annotated[Path | None, typer.Option("--plot", help="Put a chart (PNG) into this folder.", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Write = Annotated[bool, typer.Option("--write-card", help="Write the figures into the model's card.")]
WriteThreshold = Annotated[
    bool,
    typer.Option("--write-threshold", "--write-card", help="Write threshold and figures into the model's card."),
]
ToReport = Annotated[
    Path | None,
    typer.Option("--report", help="Put an HTML page, its pictures and JSON into this folder.", file_okay=False),
]
Robustness = Annotated[
    int, typer.Option("--robustness", min=0, help="Spoil so many faces in six ways, step by step; 0: none.")
]


def command_line() -> str:
    """The command that is running, as one types it."""
    return shlex.join(["facesecure-train", *sys.argv[1:]])


def setting_of(
    model: str, detector: str, max_side: int | None, cache: Path | None, state_dir: Path | None, *, crops: bool = False
) -> Setting:
    """``crops`` is whether photos that are crops already (--detector none) will do.

    Raises UsageError for a detector that is none.
    """
    from facesecure_training.common.cropping import DetectorKind
    from facesecure_training.evaluation.setting import Setting

    known = (*get_args(DetectorKind), *(("none",) if crops else ()))
    if detector not in known:
        raise UsageError(f"--detector {detector!r} is not known", f"use one of: {', '.join(known)}")
    return Setting(model, detector, max_side, cache, state_dir)  # type: ignore[arg-type]


def dataset_of(images: Path) -> str:
    """lfw-dev for .../lfw-dev/images."""
    resolved = images.resolve()
    return resolved.parent.name if resolved.name == "images" else resolved.name


def print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2))
