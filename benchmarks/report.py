"""Print the results of the door benchmark: ratios, figures, time by stage, targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.results import OURS, Figures, Target, ratio
from benchmarks.scoring import Score


def show(console: Console, found: dict[str, Figures], aims: Sequence[Target]) -> None:
    """Print the whole report."""
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
    table = Table(title="Figures, on one core", caption="a visit with a wrong and a right claim counts in both")
    table.add_column("", no_wrap=True)
    for name in found:
        table.add_column(name, justify="right")
    for heading, show_one in (*_COSTS, *_VERDICTS):
        table.add_row(heading, *(show_one(one) for one in found.values()))
    return table


def _of_verdicts(show_score: Callable[[Score], str]) -> Callable[[Figures], str]:
    return lambda one: show_score(one.verdicts) if one.verdicts else ""


def _delay(score: Score) -> str:
    typical, worst = score.median_delay, score.worst_delay
    return "none" if typical is None else f"{typical:.2f}, {worst:.2f}"


_Row = tuple[str, Callable[[Figures], str]]
_COSTS: tuple[_Row, ...] = (
    ("busy frames/s", lambda one: _number(one.busy_fps)),
    ("idle frames/s", lambda one: _number(one.idle_fps)),
    ("CPU seconds a minute", lambda one: f"{one.cpu_seconds_a_minute:.1f}"),
    ("peak memory, MB", lambda one: f"{one.peak_memory_mb:.0f}"),
)
_VERDICTS: tuple[_Row, ...] = (
    ("verdict after, median and worst s", _of_verdicts(_delay)),
    ("visits judged rightly", _of_verdicts(lambda score: f"{score.right} of {score.visits}")),
    ("missed", _of_verdicts(lambda score: str(score.missed))),
    ("wrong name", _of_verdicts(lambda score: str(score.wrong_name))),
    ("stranger let in", _of_verdicts(lambda score: str(score.stranger_let_in))),
    ("household member called stranger", _of_verdicts(lambda score: str(score.family_called_stranger))),
    ("claims about no one", _of_verdicts(lambda score: str(score.claims_about_nobody))),
)


def _stages(ours: Figures) -> Table:
    table = Table(title="Where facesecure's time goes")
    for heading in ("stage", "CPU s", "share", "in busy frames", "in idle frames"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage, seconds in sorted(ours.stages.items(), key=lambda item: -item[1]):
        shares = (_share(stages, stage) for stages in (ours.stages, ours.stages_busy, ours.stages_idle))
        table.add_row(stage, f"{seconds:.2f}", *shares)
    return table


def _share(stages: dict[str, float], stage: str) -> str:
    total = sum(stages.values())
    return f"{stages.get(stage, 0.0) / total:.1%}" if total else ""


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
