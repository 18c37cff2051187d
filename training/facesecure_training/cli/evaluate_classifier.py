"""The command ``facesecure-train evaluate classifier``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure_training.cli.options import (
    AsJson,
    ReportDir,
    Robustness,
    StateDir,
    WriteThreshold,
    command_line,
    print_json,
    rate_of,
    write_report,
)
from facesecure_training.common.option_info import LARGEST_SEED

if TYPE_CHECKING:
    from facesecure_training.evaluation.classification import ClassifierFigures, ClassifierReport, ClassifierStep
    from facesecure_training.evaluation.test_split import EvaluationSets

_Folder = {"exists": True, "file_okay": False}


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    """The classifier, the crops it is measured on, and its threshold."""

    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="NAME.tflite, the name of a model, a .keras file or the folder of a run."),
    ]
    data: Annotated[
        Path,
        typer.Option("--data", help="Face crops not used in training, a sub-folder for each class.", **_Folder),
    ]
    strangers: Annotated[
        Path, typer.Option("--strangers", help="Crops of people not seen in training, a sub-folder each.", **_Folder)
    ]
    validation: Annotated[
        Path | None,
        typer.Option(
            "--validation", help="Like --data, to choose the threshold on.", show_default="half of --data", **_Folder
        ),
    ] = None
    validation_strangers: Annotated[
        Path | None,
        typer.Option(
            "--validation-strangers",
            help="Like --strangers, of other people.",
            show_default="half of --strangers",
            **_Folder,
        ),
    ] = None
    far: Annotated[
        float,
        typer.Option(
            "--far",
            parser=rate_of,
            metavar="RATE",
            help="Share of strangers' faces that may be named: 1/1000, 0.001 or 0.1%.",
        ),
    ] = 0.01
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Measure with this threshold instead of choosing one.")
    ] = None
    robustness: Robustness = 200
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="The same seed splits the same way.")
    ] = 0  # fmt: skip
    state_dir: StateDir = None

    def sets(self) -> EvaluationSets:
        """Return the folders of crops."""
        from facesecure_training.evaluation.test_split import EvaluationSets

        return EvaluationSets(self.data, self.strangers, self.validation, self.validation_strangers, self.seed)


@dataclass(frozen=True, kw_only=True)
class ClassifierOutput:
    """What ``evaluate classifier`` writes."""

    as_json: AsJson = False
    write: WriteThreshold = False
    report_dir: ReportDir = None


def classifier(options: ClassifierOptions, output: ClassifierOutput) -> None:
    r"""Measure how many people a classifier names correctly, and how many strangers it names.

    The threshold is chosen on validation images so that --far of other strangers' faces are named, and measured on
    images and people that had no part in the choice. --write-threshold writes it, with the distribution of scores, to
    the card; the daemon runs no classifier without them.

    \b
    Example:
      facesecure-train evaluate classifier models/door.tflite --data crops/test --strangers crops/strangers --report out
    """
    from facesecure_training.evaluation import classification, predictors

    network = predictors.open_network(options.model, options.state_dir)
    card = predictors.require_card(network) if output.write else None
    report, fitted = classification.measure(
        network, options.sets(), options.far, options.robustness, options.threshold
    )  # fmt: skip
    if card is not None:
        classification.write(card, report, fitted)
    if output.report_dir:
        from facesecure_training.evaluation.pages import classifier_page

        page = classifier_page.page_of(report, command_line())
        write_report(output.report_dir, "classifier", page, report.as_json())
    if output.as_json:
        print_json(report.as_json())
    else:
        _print(report)


def _print(report: ClassifierReport) -> None:
    typer.echo(
        f"{report.pictures} faces of {len(report.labels)} classes; "
        f"{report.stranger_faces} of {report.strangers} people not seen in training"
    )
    _print_figures("by the likeliest class", report.plain)
    _print_figures(f"with the threshold {report.threshold:.4f} (chosen on {report.chosen_on})", report.with_threshold)
    typer.echo(f"equal error rate {report.rates.eer:.2%}")
    for one in report.rates.accepted:
        few = "" if one.shown else "; too few strangers for this rate"
        typer.echo(f"at {one.far:.1%} of strangers named: {one.tar} correctly named{few}")
    _print_robustness(report.robustness)


def _print_robustness(robustness: Mapping[str, Sequence[ClassifierStep]]) -> None:
    """Print the strength of each corruption at which fewest people are named correctly."""
    for kind, steps in robustness.items():
        worst = min(steps, key=lambda step: step.named)
        typer.echo(
            f"corrupted by {kind} {worst.strength:g}: {worst.named:.1%} correctly named, "
            f"{worst.false_accepts:.1%} of strangers named"
        )


def _print_figures(title: str, figures: ClassifierFigures) -> None:
    typer.echo(f"\n{title}")
    typer.echo(f"  accuracy         {figures.accuracy}")
    typer.echo(f"  correctly named  {figures.named}")
    typer.echo(f"  named as another {figures.misnamed}")
    typer.echo(f"  strangers named  {figures.false_accepts}")
