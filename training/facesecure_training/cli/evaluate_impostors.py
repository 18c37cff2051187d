"""The commands ``facesecure-train evaluate strangers`` and ``quality``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure_training.cli.options import (
    AsJson,
    FaceOptions,
    Images,
    Plot,
    WriteCard,
    dataset_of,
    print_json,
)
from facesecure_training.common.option_info import LARGEST_SEED

if TYPE_CHECKING:
    from facesecure_training.evaluation.impostors import ImpostorReport
    from facesecure_training.evaluation.quality_fit import QualityReport


@dataclass(frozen=True, kw_only=True)
class CollectionOptions:
    """The collections of photos that impostors are measured on."""

    images: Annotated[
        list[Path],
        typer.Option(
            "--images",
            help="Photos in LFW's layout, or in one folder with identities.csv (image,identity) beside it. "
            "Repeat the option for photos of another kind.",
            exists=True,
            file_okay=False,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class ImpostorOutput:
    """What ``evaluate strangers`` writes."""

    as_json: AsJson = False
    write_card: WriteCard = False


def strangers(photos: CollectionOptions, faces: FaceOptions, output: ImpostorOutput) -> None:
    r"""Measure what strangers look like to a model: the means and covariances that calibration rests on.

    Verified on people left out: the rate of strangers asked for, and the rate measured. --write-card writes
    NAME.strangers.npz beside the model; it holds no person's embedding.

    \b
    Example:
      facesecure-train evaluate strangers --images lfw-dev/images --images celeba-small/images --write-card
    """
    from facesecure_training.evaluation import impostors

    setting = faces.setting()
    collections = [impostors.collection_of(setting, folder) for folder in photos.images]
    report = impostors.measure(collections)
    if output.write_card:
        dataset = " and ".join(dataset_of(folder) for folder in photos.images)
        impostors.write(setting.load(), collections, report, dataset)
    if output.as_json:
        described = {"model": faces.model, "detector": faces.detector, "max_side": faces.max_side}
        print_json({**described, "sha256": setting.load().sha256, **asdict(report)})
    else:
        _print_impostors(report)


def _print_impostors(report: ImpostorReport) -> None:
    typer.echo(f"people     {report.people}, {report.faces} faces; tried on {report.templates} templates of others")
    for asked, got in report.rates.items():
        typer.echo(f"asked      {float(asked):8.3%}   got {got:8.3%}   ({got / float(asked):.2f} times)")
    typer.echo(f"spread     off by {report.error:.1%} for people not seen")
    typer.echo(f"mean       off by {report.shift:.3f} on photos of a kind not seen")


@dataclass(frozen=True, kw_only=True)
class QualityOptions:
    """The people that clarity is fitted on."""

    images: Images
    people: Annotated[int, typer.Option("--people", min=10, help="People with nine photos to use, at most.")] = 70
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="The same seed chooses the same people.")
    ] = 0  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class QualityOutput:
    """What ``evaluate quality`` writes."""

    as_json: AsJson = False
    plot: Plot = None


def quality(options: QualityOptions, faces: FaceOptions, output: QualityOutput) -> None:
    r"""Fit the constants of clarity, the share of its similarity that a degraded face keeps.

    Faces are made smaller, blurred and darkened; the report compares what they keep with what clarity predicts.

    \b
    Example:
      facesecure-train evaluate quality --images lfw-dev/images --cache ~/.cache/faces --plot out
    """
    from facesecure_training.evaluation import quality_fit

    setting = faces.setting()
    report = quality_fit.measure(setting, options.images, options.people, options.seed)
    if output.plot:
        from facesecure_training.evaluation import plots

        plots.quality(output.plot / "quality.png", report)
    if output.as_json:
        described = {"model": faces.model, "sha256": setting.load().sha256, "detector": faces.detector}
        print_json({**described, "max_side": faces.max_side, "seed": options.seed, **report.as_json()})
    else:
        _print_quality(report)


def _print_quality(report: QualityReport) -> None:
    typer.echo(f"{report.faces} faces of {report.people} people; rank correlation {report.rank_correlation:.3f}")
    typer.echo(
        f"error (root mean square): {report.error_in_code:.3f} as in the code, {report.error_fitted:.3f} as fitted"
    )
    typer.echo(f"\n{'constant':22} {'in the code':>12} {'fitted':>10}")
    for name, value in report.in_code.items():
        typer.echo(f"{name:22} {value:12.4g} {report.fitted[name]:10.4g}")
    typer.echo(f"\n{'predicted':>9} {'kept':>6} {'sd':>6} {'faces':>6}")
    for one in report.bins:
        typer.echo(f"{one.predicted:9.3f} {one.kept:6.3f} {one.sd:6.3f} {one.faces:6}")
    typer.echo(f"\n{'predicted':>9} {'kept':>6} {'faces':>6}  corruption")
    for kind in report.kinds:
        typer.echo(f"{kind.predicted:9.3f} {kind.kept:6.3f} {kind.faces:6}  {kind.kind}")
