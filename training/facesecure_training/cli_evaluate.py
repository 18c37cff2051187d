"""The commands under ``facesecure-train evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from facesecure.errors import UsageError

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Measure a model through the daemon's own detector and alignment."
)

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


@app.command("verification")
def verification(
    images: Images,
    pairs: Annotated[
        Path, typer.Option("--pairs", help="CSV file with the columns first,second,same.", exists=True, dir_okay=False)
    ],
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    limit: Annotated[int | None, typer.Option("--limit", min=100, help="Use so many pairs, evenly spread.")] = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    write_card: Write = False,
    plot: Plot = None,
) -> None:
    """Are these two photos of one person? Ten folds, as LFW's protocol has it.

    A pair with a photo where no face was found counts as an error.

    \b
    Example:
      facesecure-train evaluate verification --images lfw-dev/images --pairs lfw-dev/pairs.csv
    """
    from facesecure_training import evaluate

    setting = _setting(model, detector, max_side, cache, state_dir)
    report = evaluate.verify_pairs(setting, images, pairs, limit, plot / "verification.png" if plot else None)
    if write_card:
        evaluate.write_verification(setting.load(), report, _dataset(images))
    if as_json:
        _print_json(evaluate.as_json(setting, report))
        return
    typer.echo(
        f"accuracy   {report.accuracy:.2f} % ± {report.sd:.2f} over ten folds, {report.pairs} pairs, "
        f"threshold {report.threshold:.3f}"
    )
    typer.echo(
        f"no face    in {report.photos_without_face} of {report.photos} photos: "
        f"{report.pairs_without_face} pairs, counted as errors"
    )
    typer.echo(f"           {report.accuracy_found:.2f} % of the other pairs are right")


@app.command("scores")
def scores(
    images: Images,
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    write_card: Write = False,
) -> None:
    """How scores spread for the right person and for strangers: the card's score model.

    \b
    Example:
      facesecure-train evaluate scores --images lfw-dev/images --write-card
    """
    from facesecure_training import evaluate

    setting = _setting(model, detector, max_side, cache, state_dir)
    report = evaluate.measure_scores(setting, images)
    if write_card:
        evaluate.write_scores(setting.load(), report, _dataset(images))
    if as_json:
        _print_json(evaluate.as_json(setting, report))
        return
    for name, spread in (("genuine", report.genuine), ("impostor", report.impostor)):
        typer.echo(
            f"{name:9}  mean {spread.mean:+.3f}, sd between {spread.sd_between:.3f}, within {spread.sd_within:.3f}, "
            f"excess kurtosis {spread.kurtosis:+.2f} ({spread.groups} groups, {spread.scores} scores)"
        )
    for chance, score in report.impostor_quantiles.items():
        typer.echo(
            f"a stranger's photo scores above {score:.3f} with chance {chance}; "
            f"{report.accepted[chance]:.2f} % of genuine photos do"
        )


def _setting(model: str, detector: str, max_side: int | None, cache: Path | None, state_dir: Path | None) -> Any:
    from facesecure_training.evaluate import Setting
    from facesecure_training.faces import DetectorKind

    if detector not in get_args(DetectorKind):
        raise UsageError(f"--detector {detector!r} is not known", f"use one of: {', '.join(get_args(DetectorKind))}")
    return Setting(model, detector, max_side, cache, state_dir)  # type: ignore[arg-type]


def _dataset(images: Path) -> str:
    """lfw-dev for .../lfw-dev/images."""
    resolved = images.resolve()
    return resolved.parent.name if resolved.name == "images" else resolved.name


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2))
