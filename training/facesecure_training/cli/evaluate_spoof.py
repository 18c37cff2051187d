"""The command ``facesecure-train evaluate spoof``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from facesecure_training.cli.options import AsJson, StateDir, print_json, require_one_of

if TYPE_CHECKING:
    from facesecure_training.evaluation.spoof import SpoofReport, SpoofVisit


@dataclass(frozen=True, kw_only=True)
class SpoofOptions:
    """The films, and how their faces are found and judged."""

    live: Annotated[
        list[Path],
        typer.Option("--live", help="A film of living people, or a folder of such films; repeatable.", exists=True),
    ]
    replay: Annotated[
        list[Path],
        typer.Option(
            "--replay", help="A film in which a picture of a person is held up, or a folder; repeatable.", exists=True
        ),
    ]
    detector: Annotated[str, typer.Option("--detector", help="mtcnn, haar or yunet.")] = "mtcnn"
    min_face: Annotated[
        int, typer.Option("--min-face", min=40, help="Width of the smallest face that is judged, pixels.")
    ] = 60
    state_dir: StateDir = None
    as_json: AsJson = False


def spoof(options: SpoofOptions) -> None:
    r"""Measure how many visits of living people, and of pictures held up, are doubted.

    Without --state-dir, or before `facesecure models pull antispoof`, only the surroundings of the face are judged.
    Each share is of visits in which at least four faces were judged, with its 95 % interval.

    \b
    Example:
      facesecure-train evaluate spoof --live spoof/a-live.mp4 --replay spoof/a-replay.mp4 --state-dir ~/.facesecure
    """
    from facesecure.config import DetectorConfig
    from facesecure.vision.detection.factory import build_detector
    from facesecure_training.common.cropping import DetectorKind
    from facesecure_training.evaluation import spoof as evaluation

    require_one_of(get_args(DetectorKind), options.detector, "--detector")
    config = DetectorConfig.model_validate({"kind": options.detector})
    models = None if options.state_dir is None else options.state_dir / "models"
    evaluation.quiet()
    report = evaluation.evaluate(
        evaluation.clips_of(options.live),
        evaluation.clips_of(options.replay),
        build_detector(config, models_dir=models),
        evaluation.antispoof_of(options.state_dir),
        options.min_face,
    )
    if options.as_json:
        print_json(report.as_json())
    else:
        _print(report)


def _print(report: SpoofReport) -> None:
    for visit in report.visits:
        typer.echo(_line(visit))
    for clip in report.clips_without_visit:
        typer.echo(f"{clip:28} no visit with four faces to judge")
    if not report.with_networks:
        typer.echo("\nwithout the networks (facesecure models pull antispoof, and --state-dir)")
    for kind, words in (("live", "living people doubted"), ("replay", "pictures doubted")):
        rates = report.rates(kind)  # type: ignore[arg-type]
        typer.echo(f"\n{words}")
        typer.echo(f"  by the surroundings  {rates.surroundings}")
        if report.with_networks:
            typer.echo(f"  by the networks      {rates.networks}")
            typer.echo(f"  by either            {rates.either}")


def _line(visit: SpoofVisit) -> str:
    together = "   -" if visit.together is None else f"{visit.together:4.2f}"
    score = "   -" if visit.score is None else f"{visit.score:4.2f}"
    words = "doubted" if visit.doubted else "believed"
    return (
        f"{visit.clip:28} {visit.kind:6} {visit.faces:3} faces {visit.width:4} px  moves together {together}  "
        f"networks {score}  {words}"
    )
