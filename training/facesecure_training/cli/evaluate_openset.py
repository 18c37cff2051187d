"""The commands ``facesecure-train evaluate openset`` and ``tracks``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure_training.cli.options import (
    AsJson,
    Cache,
    DetectorName,
    Images,
    MaxSide,
    ModelName,
    Plot,
    StateDir,
    ToReport,
    command_line,
    print_json,
    setting_of,
)

if TYPE_CHECKING:
    from facesecure_training.evaluation.households import DrawSettings
    from facesecure_training.evaluation.openset import DecisionFigures, OperatingPoint
    from facesecure_training.evaluation.openset_report import OpensetReport
    from facesecure_training.evaluation.setting import Setting
    from facesecure_training.evaluation.tracks_report import TracksReport

Households = Annotated[int, typer.Option("--households", min=10, help="How many households are drawn.")]
People = Annotated[int, typer.Option("--people", min=1, help="People in a household.")]
Pictures = Annotated[int, typer.Option("--pictures", min=1, help="Pictures enrolled of each.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed draws the same households.")]


def openset(
    images: Images,
    households: Households = 200,
    people: People = 4,
    pictures: Pictures = 5,
    strangers: Annotated[int, typer.Option("--strangers", min=10, help="Strangers at each household's door.")] = 1000,
    probes: Annotated[
        int | None,
        typer.Option("--probes", min=1, help="Photos tried of each person.", show_default="all that are left"),
    ] = None,
    seed: Seed = 0,
    peer_python: Annotated[
        Path | None,
        typer.Option(
            "--peer-python", help="Python with face_recognition's models.", show_default=".venv-bench, if there"
        ),
    ] = None,
    peer_photos: Annotated[
        int, typer.Option("--peer-photos", min=0, help="Photos to compare face_recognition on; 0 leaves it out.")
    ] = 1500,
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    plot: Plot = None,
    report_dir: ToReport = None,
) -> None:
    """Are the family named, and how many strangers with them? Households drawn from photos, each photo judged alone.

    \b
    Example:
      facesecure-train evaluate openset --images lfw-dev/images --max-side 150 --cache ~/.cache/faces --plot out
    """
    from facesecure_training.evaluation import baselines, openset_report
    from facesecure_training.evaluation.households import DrawSettings

    setting = setting_of(model, detector, max_side, cache, state_dir)
    how = DrawSettings(households, people, pictures, strangers, probes, seed)
    peer = (peer_python or baselines.default_python()) if peer_photos else None
    report = openset_report.measure(setting, images, how, peer, peer_photos)
    if plot:
        from facesecure_training.evaluation import plots

        plots.openset(plot / "openset.png", report)
    document = {**_asked(setting, how), **report.as_json()}
    if report_dir:
        from facesecure_training.evaluation.pages import openset_page, page

        made = openset_page.page_of(report, setting.model, command_line())
        typer.echo(f"report: {page.write(report_dir, 'openset', made, document)}", err=True)
    if as_json:
        print_json(document)
        return
    _print_openset(report)


def tracks(
    images: Images,
    households: Households = 200,
    people: People = 4,
    pictures: Pictures = 5,
    stranger_tracks: Annotated[
        int, typer.Option("--stranger-tracks", min=10, help="Visits of strangers, all households together.")
    ] = 10_000,
    seed: Seed = 0,
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Whole visits: our evidence, one best frame, majority vote and Frigate's rule on the same simulated walk-ins.

    \b
    Example:
      facesecure-train evaluate tracks --images lfw-dev/images --max-side 150 --cache ~/.cache/faces
    """
    from facesecure_training.evaluation import tracks_report
    from facesecure_training.evaluation.households import DrawSettings

    setting = setting_of(model, detector, max_side, cache, state_dir)
    how = DrawSettings(households, people, pictures, seed=seed)
    report = tracks_report.measure(setting, images, how, stranger_tracks)
    if plot:
        from facesecure_training.evaluation import plots

        plots.tracks(plot / "tracks.png", report)
    if as_json:
        print_json({**_asked(setting, how), **report.as_json()})
        return
    for line in tracks_table(report):
        typer.echo(line)


def _asked(setting: Setting, how: DrawSettings) -> dict[str, Any]:
    """What was evaluated, and how."""
    from facesecure_training.evaluation.setting import describe

    return {**describe(setting), **asdict(how)}


def _print_openset(report: OpensetReport) -> None:
    typer.echo(
        f"{report.faces} faces of the family, {report.strangers} of strangers; "
        f"no face in {report.faceless} of {report.photos} photos; {report.unusable:.2f} % of the faces are not usable"
    )
    typer.echo("\nfamily named, % (95 % interval over households), when so many strangers are let in")
    _print_rates(report.ways)
    for what, found in (("by its thresholds", report.thresholds), ("by the whole judge", report.judged)):
        typer.echo(f"\nevery face by itself, calibrated for the household, {what}: asked, and got")
        for one in found:
            _print_judged(f"asked {one.asked:.2%}", one)
    same = report.same_faces
    if same.lacking or same.rule is None:
        typer.echo(f"\nface_recognition {same.lacking}")
        return
    typer.echo(f"\non {same.photos} photos, less {same.faceless} where face_recognition finds no face")
    _print_rates(same.ways)
    _print_judged("face_recognition at 0.6", same.rule)


def _print_rates(ways: Mapping[str, Sequence[OperatingPoint]]) -> None:
    for way, rates in ways.items():
        cells = [
            f"{one.asked:6.2%}: {one.named.value:5.2f} ({one.named.low:.2f} to {one.named.high:.2f})" for one in rates
        ]
        typer.echo(f"  {way:18} " + "  ".join(cells))
        typer.echo(f"  {'  person by person':18} " + "  ".join(f"{'':8}{one.per_person:5.2f}{'':17}" for one in rates))


def _print_judged(label: str, one: DecisionFigures) -> None:
    typer.echo(
        f"  {label:24} let in {one.got:.4%} of {one.strangers}; named {one.named.value:.2f} % "
        f"({one.named.low:.2f} to {one.named.high:.2f}), wrongly {one.misnamed:.2f} %"
    )


def tracks_table(report: TracksReport) -> list[str]:
    """The report for people, line by line."""
    made_of = (
        f"{report.family_tracks} visits of the family, {report.stranger_tracks} of strangers, "
        f"{report.mean_faces:.1f} usable faces each, mean clarity {report.mean_clarity:.2f}"
    )
    heads = ("named %", "misnamed %", "called strangers %", "let in /10,000", "ever /10,000", "told %", "faces")
    keys = ("named", "misnamed", "called_strangers", "let_in", "named_ever", "strangers_told", "faces")
    rows = [
        f"{one.asked:7.2%}  {one.rule:16}"
        + "".join(f"{getattr(one, key):{len(head) + 2}.2f}" for key, head in zip(keys, heads, strict=True))
        for one in report.rules
    ]
    return [made_of, f"{'asked':>7}  {'rule':16}" + "".join(f"{head:>{len(head) + 2}}" for head in heads), *rows]
