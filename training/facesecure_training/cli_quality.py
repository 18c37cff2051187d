"""The command ``facesecure-train evaluate quality``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from facesecure_training.cli_options import (
    AsJson,
    Cache,
    DetectorName,
    Images,
    MaxSide,
    ModelName,
    Plot,
    StateDir,
    print_json,
    setting_of,
)

if TYPE_CHECKING:
    from facesecure_training.quality_fit import Report


def quality(
    images: Images,
    people: Annotated[int, typer.Option("--people", min=10, help="People with nine photos to use, at most.")] = 70,
    seed: Annotated[int, typer.Option("--seed", help="The same seed takes the same people.")] = 0,
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Fit clarity again: how much of its likeness does a smaller, blurred or darker face keep, and is it predicted?

    \b
    Example:
      facesecure-train evaluate quality --images lfw-dev/images --cache ~/.cache/faces --plot out
    """
    from facesecure_training import quality_fit

    setting = setting_of(model, detector, max_side, cache, state_dir)
    report = quality_fit.measure(setting, images, people, seed)
    if plot:
        from facesecure_training import plots

        plots.quality(plot / "quality.png", report)
    if as_json:
        asked = {"model": model, "sha256": setting.load().sha256, "detector": detector, "max_side": max_side}
        print_json({**asked, "seed": seed, **report.as_json()})
        return
    _print(report)


def _print(report: Report) -> None:
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
    typer.echo(f"\n{'predicted':>9} {'kept':>6} {'faces':>6}  spoilt by")
    for kind in report.kinds:
        typer.echo(f"{kind.predicted:9.3f} {kind.kept:6.3f} {kind.faces:6}  {kind.kind}")
