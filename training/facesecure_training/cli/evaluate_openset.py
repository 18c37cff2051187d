"""The commands ``facesecure-train evaluate openset`` and ``tracks``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure_training.cli.options import (
    AsJson,
    FaceOptions,
    Images,
    Plot,
    ReportDir,
    command_line,
    print_json,
    write_report,
)
from facesecure_training.common.option_info import LARGEST_SEED

if TYPE_CHECKING:
    from facesecure_training.evaluation.households import DrawSettings
    from facesecure_training.evaluation.openset import DecisionFigures, OperatingPoint
    from facesecure_training.evaluation.openset_report import OpensetReport
    from facesecure_training.evaluation.setting import Setting
    from facesecure_training.evaluation.tracks_report import TracksReport


@dataclass(frozen=True, kw_only=True)
class HouseholdOptions:
    """How households are drawn from photos."""

    images: Images
    households: Annotated[int, typer.Option("--households", min=10, help="Number of households drawn.")] = 200
    people: Annotated[int, typer.Option("--people", min=1, help="People in each household.")] = 4
    pictures: Annotated[int, typer.Option("--pictures", min=1, help="Photos enrolled of each person.")] = 5
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="The same seed draws the same households.")
    ] = 0  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OpensetOptions:
    """Strangers, probes and the comparison with face_recognition."""

    strangers: Annotated[int, typer.Option("--strangers", min=10, help="Strangers tried against each household.")] = (
        1000
    )
    probes: Annotated[
        int | None,
        typer.Option("--probes", min=1, help="Photos tried of each person.", show_default="all that are left"),
    ] = None
    peer_python: Annotated[
        Path | None,
        typer.Option(
            "--peer-python",
            help="Python interpreter that has face_recognition's models.",
            show_default=".venv-bench, if there",
        ),
    ] = None
    peer_photos: Annotated[
        int,
        typer.Option("--peer-photos", min=0, help="Photos for the comparison with face_recognition; 0 leaves it out."),
    ] = 1500


@dataclass(frozen=True, kw_only=True)
class OpensetOutput:
    """What ``evaluate openset`` writes."""

    as_json: AsJson = False
    plot: Plot = None
    report_dir: ReportDir = None


def openset(drawn: HouseholdOptions, options: OpensetOptions, faces: FaceOptions, output: OpensetOutput) -> None:
    r"""Measure how often the family is named, and how many strangers with them, photo by photo.

    Households are drawn from the photos; each photo is judged by itself.

    \b
    Example:
      facesecure-train evaluate openset --images lfw-dev/images --max-side 150 --cache ~/.cache/faces --plot out
    """
    from facesecure_training.evaluation import baselines, openset_report
    from facesecure_training.evaluation.households import DrawSettings

    setting = faces.setting()
    how = DrawSettings(
        drawn.households, drawn.people, drawn.pictures, options.strangers, options.probes, drawn.seed
    )  # fmt: skip
    python = (options.peer_python or baselines.default_python()) if options.peer_photos else None
    report = openset_report.measure(setting, drawn.images, how, python, options.peer_photos)
    if output.plot:
        from facesecure_training.evaluation import plots

        plots.openset(output.plot / "openset.png", report)
    document = {**_described(setting, how), **report.as_json()}
    if output.report_dir:
        from facesecure_training.evaluation.pages import openset_page

        page = openset_page.page_of(report, setting.model, command_line())
        write_report(output.report_dir, "openset", page, document)
    if output.as_json:
        print_json(document)
    else:
        _print_openset(report)


@dataclass(frozen=True, kw_only=True)
class TracksOptions:
    """How many visits are simulated."""

    stranger_tracks: Annotated[
        int, typer.Option("--stranger-tracks", min=10, help="Visits of strangers, over all households.")
    ] = 10_000


@dataclass(frozen=True, kw_only=True)
class TracksOutput:
    """What ``evaluate tracks`` writes."""

    as_json: AsJson = False
    plot: Plot = None


def tracks(drawn: HouseholdOptions, options: TracksOptions, faces: FaceOptions, output: TracksOutput) -> None:
    r"""Compare rules for whole visits on the same simulated walk-ins.

    Our evidence, the best single frame, a majority vote and Frigate's rule.

    \b
    Example:
      facesecure-train evaluate tracks --images lfw-dev/images --max-side 150 --cache ~/.cache/faces
    """
    from facesecure_training.evaluation import tracks_report
    from facesecure_training.evaluation.households import DrawSettings

    setting = faces.setting()
    how = DrawSettings(drawn.households, drawn.people, drawn.pictures, seed=drawn.seed)
    report = tracks_report.measure(setting, drawn.images, how, options.stranger_tracks)
    if output.plot:
        from facesecure_training.evaluation import plots

        plots.tracks(output.plot / "tracks.png", report)
    if output.as_json:
        print_json({**_described(setting, how), **report.as_json()})
        return
    for line in tracks_table(report):
        typer.echo(line)


def _described(setting: Setting, how: DrawSettings) -> dict[str, Any]:
    """Return what was evaluated, and how, for JSON."""
    from facesecure_training.evaluation.setting import describe

    return {**describe(setting), **asdict(how)}


def _print_openset(report: OpensetReport) -> None:
    typer.echo(
        f"{report.faces} faces of the family, {report.strangers} of strangers; "
        f"no face in {report.faceless} of {report.photos} photos; {report.unusable:.2f} % of the faces are not usable"
    )
    typer.echo("\nfamily named, % (95 % interval over households), at a rate of strangers let in")
    _print_rates(report.ways)
    for what, found in (("by its thresholds", report.thresholds), ("by the whole verdict rule", report.judged)):
        typer.echo(f"\neach face by itself, calibrated for the household, {what}: rate asked for, and measured")
        for one in found:
            _print_decisions(f"asked {one.asked:.2%}", one)
    same = report.same_faces
    if same.lacking or same.rule is None:
        typer.echo(f"\nface_recognition {same.lacking}")
        return
    typer.echo(f"\non {same.photos} photos, less {same.faceless} in which face_recognition finds no face")
    _print_rates(same.ways)
    _print_decisions("face_recognition at 0.6", same.rule)


def _print_rates(ways: Mapping[str, Sequence[OperatingPoint]]) -> None:
    for way, rates in ways.items():
        cells = [
            f"{one.asked:6.2%}: {one.named.value:5.2f} ({one.named.low:.2f} to {one.named.high:.2f})" for one in rates
        ]
        typer.echo(f"  {way:18} " + "  ".join(cells))
        typer.echo(f"  {'  person by person':18} " + "  ".join(f"{'':8}{one.per_person:5.2f}{'':17}" for one in rates))


def _print_decisions(label: str, one: DecisionFigures) -> None:
    typer.echo(
        f"  {label:24} let in {one.got:.4%} of {one.strangers}; named {one.named.value:.2f} % "
        f"({one.named.low:.2f} to {one.named.high:.2f}), wrongly {one.misnamed:.2f} %"
    )


def tracks_table(report: TracksReport) -> list[str]:
    """Return the report as a table for people, line by line."""
    made_of = (
        f"{report.family_tracks} visits of the family, {report.stranger_tracks} of strangers, "
        f"{report.mean_faces:.1f} usable faces each, mean clarity {report.mean_clarity:.2f}"
    )
    heads = ("named %", "misnamed %", "called strangers %", "let in /10,000", "ever /10,000", "flagged %", "faces")
    keys = ("named", "misnamed", "called_strangers", "let_in", "named_ever", "strangers_told", "faces")
    rows = [
        f"{one.asked:7.2%}  {one.rule:16}"
        + "".join(f"{getattr(one, key):{len(head) + 2}.2f}" for key, head in zip(keys, heads, strict=True))
        for one in report.rules
    ]
    return [made_of, f"{'asked':>7}  {'rule':16}" + "".join(f"{head:>{len(head) + 2}}" for head in heads), *rows]
