"""The commands ``facesecure-train evaluate verification`` and ``scores``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure_training.cli.command_builder import command
from facesecure_training.cli.options import (
    AsJson,
    FaceOptions,
    Images,
    Plot,
    ReportDir,
    Robustness,
    WriteCard,
    WriteThreshold,
    command_line,
    dataset_of,
    finite,
    print_json,
    rate_of,
    write_report,
)

if TYPE_CHECKING:
    from facesecure_training.evaluation.robustness import PairStep
    from facesecure_training.evaluation.scores import ScoreReport
    from facesecure_training.evaluation.verification_report import VerificationRequest, VerificationResult

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Measure a model with the daemon's own detector and alignment."
)


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """The pairs that verification is measured on."""

    images: Images
    pairs: Annotated[
        Path,
        typer.Option(
            "--pairs",
            help="CSV or Parquet with the columns first,second,same (or different).",
            exists=True,
            dir_okay=False,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class EmbedderOptions(FaceOptions):
    """Any embedder, also one in Keras, and photos that may be crops already."""

    model: Annotated[
        str,
        typer.Option("--model", help="Name of a model, path to NAME.tflite, a .keras file, or the folder of a run."),
    ] = "mobilefacenet"
    detector: Annotated[
        str, typer.Option("--detector", help="mtcnn, haar or yunet; none: the photos are face crops already.")
    ] = "mtcnn"


@dataclass(frozen=True, kw_only=True)
class VerificationOptions:
    """Where thresholds come from, and what is written."""

    limit: Annotated[int | None, typer.Option("--limit", min=100, help="Use this many pairs, evenly spaced.")] = None
    validation: Annotated[
        Path | None,
        typer.Option("--validation", help="Pairs of other people, to choose the threshold on.", exists=True),
    ] = None
    validation_images: Annotated[
        Path | None,
        typer.Option(
            "--validation-images",
            help="Photos of the --validation pairs.",
            show_default="--images",
            exists=True,
            file_okay=False,
        ),
    ] = None
    far: Annotated[
        float | None,
        typer.Option(
            "--far",
            parser=rate_of,
            metavar="RATE",
            help="Choose the threshold for this false accept rate: 1/1000, 0.001 or 0.1%.",
        ),
    ] = None
    rule: Annotated[
        float | None,
        typer.Option("--rule", callback=finite, help="Measure this threshold too: a cosine, or a distance."),
    ] = None
    robustness: Robustness = 0
    as_json: AsJson = False
    write_card: WriteThreshold = False
    plot: Plot = None
    report_dir: ReportDir = None

    def request(self, of: PairOptions) -> VerificationRequest:
        """Return the request for ``verification_report.verify``."""
        from facesecure_training.evaluation.verification_report import VerificationRequest

        return VerificationRequest(
            of.images, of.pairs, self.limit, self.validation, self.validation_images, self.far, self.rule,
            self.robustness,
        )  # fmt: skip


@command(app, "verification")
def verification(pairs: PairOptions, faces: EmbedderOptions, options: VerificationOptions) -> None:
    r"""Measure how well a model verifies that two photos show the same person.

    Accuracy over ten folds, as in LFW's protocol, and ROC and DET curves over all pairs. Works with any embedder:
    embeddings of length 1 are compared by cosine, others by distance. A pair with a photo in which no face was found
    counts as an error.

    \b
    Examples:
      facesecure-train evaluate verification --images lfw-dev/images --pairs lfw-dev/pairs.csv
      facesecure-train evaluate verification --images crops --detector none --pairs test.csv --model runs/siamese \
        --validation validation.csv --rule 1 --robustness 300 --report out
    """
    from facesecure_training.evaluation import plots, predictors, verification_report
    from facesecure_training.evaluation import setting as settings

    setting = faces.setting(crops=True)
    network = setting.network()
    card = predictors.require_card(network) if options.write_card else None
    found = verification_report.verify(setting, options.request(pairs))
    if options.plot:
        plots.verification(options.plot / "verification.png", found.scores, found.same, found.report.threshold)
    if card is not None:
        settings.write_verification(card, found.report, dataset_of(pairs.images), found.threshold)
    document = {**settings.describe(setting), **found.as_json()}
    if options.report_dir:
        from facesecure_training.evaluation.pages import verification_page

        page = verification_page.page_of(found, network.name, command_line())
        write_report(options.report_dir, "verification", page, document)
    if options.as_json:
        print_json(document)
    else:
        _print_verification(found)


def _print_verification(found: VerificationResult) -> None:
    report = found.report
    typer.echo(
        f"accuracy   {report.accuracy:.2f} % ± {report.sd:.2f} over ten folds, {report.pairs} pairs, "
        f"threshold {report.threshold:.3f}"
    )
    typer.echo(
        f"no face    in {report.photos_without_face} of {report.photos} photos: "
        f"{report.pairs_without_face} pairs, counted as errors"
    )
    typer.echo(f"           {report.accuracy_found:.2f} % of the other pairs are right")
    typer.echo(f"compared   by {found.measure}: equal error rate {found.rates.eer:.2%}")
    for one in found.rates.accepted:
        few = "" if one.shown else "; too few pairs of different people for this rate"
        typer.echo(f"at {one.far:5.1%}   of different people accepted: {one.tar} of the same person{few}")
    for source, chosen in (("validation", found.chosen), ("--rule", found.fixed)):
        if chosen is not None:
            typer.echo(f"threshold  {chosen.threshold:.4f} by {source}: accuracy {chosen.accuracy}")
    _print_robustness(found.robustness)


def _print_robustness(robustness: Mapping[str, Sequence[PairStep]]) -> None:
    """Print the strength of each corruption at which a model accepts fewest pairs of one person."""
    for kind, steps in robustness.items():
        worst = min(steps, key=lambda step: step.accepted)
        typer.echo(
            f"corrupted  by {kind} {worst.strength:g}: {worst.accepted:.1%} of the same person and "
            f"{worst.false_accepts:.1%} of different people accepted"
        )


@dataclass(frozen=True, kw_only=True)
class ScoresOptions:
    """What ``evaluate scores`` writes."""

    as_json: AsJson = False
    write_card: WriteCard = False


@dataclass(frozen=True, kw_only=True)
class ImagesOptions:
    """The photos that are evaluated."""

    images: Images


@command(app, "scores")
def scores(photos: ImagesOptions, faces: FaceOptions, options: ScoresOptions) -> None:
    r"""Measure how scores are distributed for the right person and for strangers: the card's score model.

    \b
    Example:
      facesecure-train evaluate scores --images lfw-dev/images --write-card
    """
    from facesecure_training.evaluation import photo_embeddings
    from facesecure_training.evaluation import setting as settings

    setting = faces.setting()
    report = photo_embeddings.measure_scores(setting, photos.images)
    if options.write_card:
        settings.write_scores(setting.load(), report, dataset_of(photos.images))
    if options.as_json:
        print_json(settings.as_json(setting, report))
    else:
        _print_scores(report)


def _print_scores(report: ScoreReport) -> None:
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
