"""The command ``facesecure-train evaluate classifier``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure_training.cli.options import (
    AsJson,
    Robustness,
    StateDir,
    ToReport,
    WriteThreshold,
    command_line,
    print_json,
)

if TYPE_CHECKING:
    from facesecure_training.evaluation.classification import ClassifierFigures, ClassifierReport

_Folder = {"exists": True, "file_okay": False}


def classifier(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME.tflite, a name, a .keras file or a run's folder.")
    ],
    data: Annotated[
        Path, typer.Option("--data", help="Crops, a sub-folder for each class; none was learnt from.", **_Folder)
    ],
    strangers: Annotated[
        Path, typer.Option("--strangers", help="Crops of people never seen in training, a sub-folder each.", **_Folder)
    ],
    validation: Annotated[
        Path | None,
        typer.Option(
            "--validation", help="As --data, to choose the threshold on.", show_default="half of --data", **_Folder
        ),
    ] = None,
    validation_strangers: Annotated[
        Path | None,
        typer.Option(
            "--validation-strangers", help="As --strangers; other people.", show_default="half of them", **_Folder
        ),
    ] = None,
    far: Annotated[
        float, typer.Option("--far", min=1e-6, max=0.5, help="Share of strangers' faces that may be named.")
    ] = 0.01,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Measure with this one; none is chosen.")
    ] = None,
    robustness: Robustness = 200,
    seed: Annotated[int, typer.Option("--seed", help="The same seed divides alike.")] = 0,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    write: WriteThreshold = False,
    report_dir: ToReport = None,
) -> None:
    """Whom does a classifier name rightly, and how many people it has never seen does it name?

    The threshold is chosen on validation pictures so that --far of other strangers' faces are named, and measured on
    pictures and people that had no part in it. --write-threshold puts it, and how scores spread, into the card; the
    daemon runs no classifier without.

    \b
    Example:
      facesecure-train evaluate classifier models/door.tflite --data crops/test --strangers crops/strangers --report out
    """
    from facesecure_training.evaluation import classification, predictors, test_split

    network = predictors.open_network(model, state_dir)
    card = predictors.require_card(network) if write else None
    sets = test_split.EvaluationSets(data, strangers, validation, validation_strangers, seed)
    report, fitted = classification.measure(network, sets, far, robustness, threshold)
    if card is not None:
        classification.write(card, report, fitted)
    if report_dir:
        from facesecure_training.evaluation.pages import classifier_page, page

        made = page.write(report_dir, "classifier", classifier_page.page_of(report, command_line()), report.as_json())
        typer.echo(f"report: {made}", err=True)
    if as_json:
        print_json(report.as_json())
        return
    _print(report)


def _print(report: ClassifierReport) -> None:
    typer.echo(
        f"{report.pictures} faces of {len(report.labels)} classes; "
        f"{report.stranger_faces} of {report.strangers} people never seen in training"
    )
    _print_rule("by the likeliest class", report.plain)
    _print_rule(f"with the threshold {report.threshold:.4f} (chosen on {report.chosen_on})", report.with_threshold)
    typer.echo(f"equal error rate {report.rates.eer:.2%}")
    for one in report.rates.accepted:
        few = "" if one.shown else "; too few strangers to tell"
        typer.echo(f"at {one.far:.1%} of strangers named: {one.tar} rightly named{few}")


def _print_rule(title: str, rule: ClassifierFigures) -> None:
    typer.echo(f"\n{title}")
    typer.echo(f"  accuracy         {rule.accuracy}")
    typer.echo(f"  rightly named    {rule.named}")
    typer.echo(f"  named as another {rule.misnamed}")
    typer.echo(f"  strangers named  {rule.false_accepts}")
