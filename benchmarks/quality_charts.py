"""Draw the charts of the quality benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw_personhood(path: Path, curves: dict[str, list[tuple[float, float, float]]]) -> None:
    """Draw people lost against animals and things passed, one curve for each candidate score."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, points in curves.items():
        axes.plot([100 * lost for _, lost, _ in points], [100 * passed for _, _, passed in points], label=name)
    axes.axvline(0.5, color="#c62828", linestyle=":", label="0.5 % of people lost")
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlim(0, 50)
    axes.set_xlabel("people's usable faces lost, %")
    axes.set_ylabel("animals and things passed, % of usable detections")
    axes.set_title("People against animals: each candidate score, on held-out images")
    axes.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def draw_light(path: Path, light: dict[str, Any]) -> None:
    """Draw the cosine to the own template by the lamp's angle for each correction, and the verdicts on visits."""
    pyplot = _pyplot()
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 5), layout="constrained")
    for name, by_angle in light["likeness"].items():
        left.plot(list(by_angle), [at["own_mean"] for at in by_angle.values()], marker="o", label=name)
    left.set_title("Mean cosine to the own template")
    left.set_xlabel("lamp's angle aside, degrees")
    left.legend()
    angles, floor = list(light["verdicts"]), [0.0] * len(light["verdicts"])
    for kind, colour in (
        ("known", "#2e7d32"),
        ("unidentified", "#bdbdbd"),
        ("stranger", "#ef6c00"),
        ("wrong name", "#c62828"),
    ):
        shares = [100 * light["verdicts"][a][kind] / sum(light["verdicts"][a].values()) for a in angles]
        right.bar(angles, shares, bottom=floor, color=colour, label=kind)
        floor = [below + share for below, share in zip(floor, shares, strict=True)]
    right.set_title("A household member under that lamp becomes, %")
    right.legend(loc="lower left")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
