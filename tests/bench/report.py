"""Prints what the bench found: ratios first, then the figures, then where our time goes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.results import OURS, Figures, Target, ratio


def show(console: Console, found: dict[str, Figures], aims: Sequence[Target]) -> None:
    """The whole report."""
    console.print(_ratios(found))
    console.print(_figures(found))
    if OURS in found and found[OURS].stages:
        console.print(_stages(found[OURS]))
    console.print(_targets(aims))
    for one in found.values():
        if one.note:
            console.print(f"{one.system}: {one.note}", style="dim")


def _ratios(found: dict[str, Figures]) -> Table:
    table = Table(title="How many times faster facesecure is (frames a second of one core)")
    for heading in ("against", "busy", "idle", "CPU time", "memory"):
        table.add_column(heading, justify="left" if heading == "against" else "right")
    ours = found.get(OURS)
    for name, peer in found.items():
        if ours is None or name == OURS:
            continue
        table.add_row(
            name,
            _times(ratio(ours.busy_fps, peer.busy_fps)),
            _times(ratio(ours.idle_fps, peer.idle_fps)),
            _times(ratio(peer.cpu_seconds_a_minute, ours.cpu_seconds_a_minute)),
            _times(ratio(peer.peak_memory_mb, ours.peak_memory_mb)),
        )
    return table


def _figures(found: dict[str, Figures]) -> Table:
    table = Table(title="Figures (one core; a visit with a wrong and a right claim counts in both)")
    headings = (
        "system", "busy\nframes/s", "idle\nframes/s", "CPU s\na minute", "peak\nMB", "verdict after\nmedian, worst s",
        "right of\nvisits", "missed", "wrong\nname", "stranger\nlet in",
        "family called\nstranger", "claims about\nnobody",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "system" else "right")
    for name, one in found.items():
        speed = (
            _number(one.busy_fps),
            _number(one.idle_fps),
            f"{one.cpu_seconds_a_minute:.1f}",
            f"{one.peak_memory_mb:.0f}",
        )
        table.add_row(name, *speed, *_verdicts(one))
    return table


def _verdicts(one: Figures) -> tuple[str, ...]:
    verdicts = one.verdicts
    if verdicts is None:
        return ("",) * 7
    typical, worst = verdicts.median_delay, verdicts.worst_delay
    delay = f"{typical:.2f}, {worst:.2f}" if typical is not None else "none"
    counts = (
        verdicts.missed, verdicts.wrong_name, verdicts.stranger_let_in,
        verdicts.family_called_stranger, verdicts.claims_about_nobody,
    )  # fmt: skip
    return (delay, f"{verdicts.right} of {verdicts.visits}", *map(str, counts))


def _stages(ours: Figures) -> Table:
    table = Table(title="Where facesecure's time goes")
    for heading in ("stage", "CPU s", "share"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    total = sum(ours.stages.values()) or 1.0
    for stage, seconds in sorted(ours.stages.items(), key=lambda item: -item[1]):
        table.add_row(stage, f"{seconds:.2f}", f"{seconds / total:.1%}")
    return table


def _targets(aims: Sequence[Target]) -> Table:
    table = Table(title="Targets")
    for heading in ("figure", "wanted", "got", "", "held back by"):
        table.add_column(heading)
    for aim in aims:
        mark = "[green]reached[/]" if aim.reached else "[red]not reached[/]"
        table.add_row(aim.what, aim.wanted, aim.got, mark, "" if aim.reached else aim.held_back_by)
    return table


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} x" if value < 100 else f"{value:.0f} x"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"
