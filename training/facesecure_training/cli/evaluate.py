"""The commands under ``facesecure-train evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facesecure_training.cli.options import (
    AsJson,
    Cache,
    DetectorName,
    Images,
    MaxSide,
    ModelName,
    Plot,
    Robustness,
    StateDir,
    ToReport,
    Write,
    WriteThreshold,
    command_line,
    dataset_of,
    print_json,
    setting_of,
)

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Measure a model through the daemon's own detector and alignment."
)


@app.command("verification")
def verification(
    images: Images,
    pairs: Annotated[
        Path,
        typer.Option(
            "--pairs",
            help="CSV or Parquet with the columns first,second,same (or different).",
            exists=True,
            dir_okay=False,
        ),
    ],
    model: Annotated[
        str, typer.Option("--model", help="A model's name, a path to NAME.tflite, a .keras file, or a run's folder.")
    ] = "mobilefacenet",
    detector: Annotated[
        str, typer.Option("--detector", help="mtcnn, haar or yunet; none: the photos are crops already.")
    ] = "mtcnn",
    max_side: MaxSide = None,
    limit: Annotated[int | None, typer.Option("--limit", min=100, help="Use so many pairs, evenly spread.")] = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    validation: Annotated[
        Path | None,
        typer.Option("--validation", help="Pairs of other people, to choose the threshold on.", exists=True),
    ] = None,
    validation_images: Annotated[
        Path | None,
        typer.Option(
            "--validation-images", help="Where their photos are.", show_default="--images", exists=True, file_okay=False
        ),
    ] = None,
    far: Annotated[
        float | None,
        typer.Option("--far", min=1e-6, max=0.5, help="Choose it so that this share of two people pass as one."),
    ] = None,
    rule: Annotated[
        float | None, typer.Option("--rule", help="Measure this threshold too: a cosine, or a distance.")
    ] = None,
    robustness: Robustness = 0,
    as_json: AsJson = False,
    write_card: WriteThreshold = False,
    plot: Plot = None,
    report_dir: ToReport = None,
) -> None:
    """Are these two photos of one person? Ten folds, as LFW's protocol has it, and the curves of all pairs.

    By any embedder: cosines where its embeddings have length 1, distances where not. A pair with a photo where no face
    was found counts as an error.

    \b
    Examples:
      facesecure-train evaluate verification --images lfw-dev/images --pairs lfw-dev/pairs.csv
      facesecure-train evaluate verification --images crops --detector none --pairs test.csv --model runs/siamese \\
        --validation validation.csv --rule 1 --robustness 300 --report out
    """
    from facesecure_training.evaluation import plots, predictors, verification_report
    from facesecure_training.evaluation import setting as evaluate

    setting = setting_of(model, detector, max_side, cache, state_dir, crops=True)
    network = setting.network()
    card = predictors.require_card(network) if write_card else None
    found = verification_report.verify(
        setting,
        verification_report.VerificationRequest(
            images, pairs, limit, validation, validation_images, far, rule, robustness
        ),
    )
    report = found.report
    if plot:
        plots.verification(plot / "verification.png", found.scores, found.same, report.threshold)
    if card is not None:
        evaluate.write_verification(card, report, dataset_of(images), found.threshold)
    document = {**evaluate.describe(setting), **found.as_json()}
    if report_dir:
        from facesecure_training.evaluation.pages import page, verification_page

        made = verification_page.page_of(found, network.name, command_line())
        typer.echo(f"report: {page.write(report_dir, 'verification', made, document)}", err=True)
    if as_json:
        print_json(document)
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
    typer.echo(f"compared   by {found.measure}: equal error rate {found.rates.eer:.2%}")
    for one in found.rates.accepted:
        few = "" if one.shown else "; too few pairs of two people to tell"
        typer.echo(f"at {one.far:5.1%}   of two people accepted: {one.tar} of one person{few}")
    for what, chosen in (("validation", found.chosen), ("the rule", found.fixed)):
        if chosen is not None:
            typer.echo(f"threshold  {chosen.threshold:.4f} by {what}: accuracy {chosen.accuracy}")


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
    from facesecure_training.evaluation import setting as evaluate

    setting = setting_of(model, detector, max_side, cache, state_dir)
    report = evaluate.measure_scores(setting, images)
    if write_card:
        evaluate.write_scores(setting.load(), report, dataset_of(images))
    if as_json:
        print_json(evaluate.as_json(setting, report))
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
