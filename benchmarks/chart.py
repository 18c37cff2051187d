"""Draw the results of the door benchmark as one chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.results import DECODE, OURS, Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS, _THEIRS = "#2e7d32", "#90a4ae"


def draw(path: Path, found: dict[str, Figures], title: str) -> None:
    """Write the chart as PNG: speed busy and idle, CPU, memory, verdicts, and facesecure's time by stage."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    systems = [one for name, one in found.items() if name != DECODE]
    figure, axes = pyplot.subplots(2, 3, figsize=(17, 8), layout="constrained")
    figure.suptitle(title)
    _bars(axes[0, 0], systems, [one.busy_fps for one in systems], "Busy frames a second, one core", logarithmic=True)
    _bars(axes[0, 1], systems, [one.idle_fps for one in systems], "Idle frames a second, one core", logarithmic=True)
    _bars(axes[0, 2], systems, [one.cpu_seconds_a_minute for one in systems], "CPU seconds a minute", logarithmic=True)
    _bars(axes[1, 0], systems, [one.peak_memory_mb for one in systems], "Peak memory, MB")
    _verdicts(axes[1, 1], [one for one in systems if one.verdicts])
    _stages(axes[1, 2], found.get(OURS))
    notes = [f"{one.system}: {one.note}" for one in systems if one.note]
    figure.supxlabel("\n".join(notes), fontsize=9)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _bars(
    axes: Axes, systems: Sequence[Figures], values: Sequence[float | None], title: str, *, logarithmic: bool = False
) -> None:
    names = [one.system for one in systems]
    colours = [_OURS if name == OURS else _THEIRS for name in names]
    bars = axes.barh(names, [value or 0.0 for value in values], color=colours)
    axes.bar_label(bars, [f"{value:.3g}" if value else "" for value in values], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_title(title)
    if logarithmic:
        axes.set_xscale("log")


def _verdicts(axes: Axes, systems: Sequence[Figures]) -> None:
    """Draw the visits judged rightly, missed and wrongly."""
    names = [one.system for one in systems]
    scores = [one.verdicts for one in systems if one.verdicts]
    rows = (
        ("right", "#2e7d32", [one.right for one in scores]),
        ("missed", "#bdbdbd", [one.missed for one in scores]),
        ("wrong", "#c62828", [one.wrong for one in scores]),
    )
    for offset, (label, colour, counts) in enumerate(rows):
        places = [index + 0.27 * (offset - 1) for index in range(len(names))]
        axes.bar_label(axes.barh(places, counts, 0.25, color=colour, label=label), padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_title("Visits judged")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3)


def _stages(axes: Axes, ours: Figures | None) -> None:
    stages = sorted((ours.stages if ours else {}).items(), key=lambda item: item[1])
    total = sum(seconds for _, seconds in stages) or 1.0
    bars = axes.barh([name for name, _ in stages], [100 * seconds / total for _, seconds in stages], color=_OURS)
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.margins(x=0.15)
    axes.set_title("Where facesecure's time goes, %")
