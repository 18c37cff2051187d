"""The results of the door benchmark: each system's figures, compared with the targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.labels import Labels, Phase
from benchmarks.scoring import Claim, Costs, Score, cpu_per_minute, score

OURS, DECODE = "facesecure", "decoding alone"
WHOLE = "facesecure, whole frames"
"""facesecure as it was before 0.2: every search is of the whole frame."""
FULL, QUARTER = "face_recognition full size", "face_recognition quarter size"
PISECURE = "PiSecureHome"


@dataclass
class Figures:
    """The figures of one system on one core. ``verdicts`` is None for a system that identifies no one."""

    system: str
    busy_fps: float | None
    idle_fps: float | None
    cpu_seconds_a_minute: float
    peak_memory_mb: float
    frames_looked_at: int
    verdicts: Score | None
    stages: dict[str, float] = field(default_factory=dict)
    stages_busy: dict[str, float] = field(default_factory=dict)
    stages_idle: dict[str, float] = field(default_factory=dict)
    memory_steps_mb: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Target:
    """One figure to reach; ``held_back_by`` names the main obstacle where it is not reached."""

    what: str
    wanted: str
    got: str
    reached: bool
    held_back_by: str = ""


def figures(system: str, labels: Labels, raw: dict[str, Any], *, identifies: bool, note: str = "") -> Figures:
    """Compute the figures from a worker's JSON."""
    costs = Costs(raw["cpu"])
    rows = raw.get("stages", [])
    claims = [Claim(claim["frame"], tuple(claim["box"]), claim["name"]) for claim in raw["claims"]]
    return Figures(
        system=system,
        busy_fps=_rate(costs.mean(labels.indices(Phase.BUSY))),
        idle_fps=_rate(costs.mean(labels.indices(Phase.IDLE))),
        cpu_seconds_a_minute=cpu_per_minute(labels, costs),
        peak_memory_mb=raw["peak_memory"] / 2**20,
        frames_looked_at=sum(cost is not None for cost in costs.cpu),
        verdicts=score(labels, claims, costs) if identifies else None,
        stages=_summed(rows, range(len(rows))),
        stages_busy=_summed(rows, labels.indices(Phase.BUSY)),
        stages_idle=_summed(rows, labels.indices(Phase.IDLE)),
        memory_steps_mb={step: size / 2**20 for step, size in raw.get("memory_steps", {}).items()},
        note=note,
    )


def targets(found: dict[str, Figures], ready: dict[str, float] | None) -> list[Target]:
    """Return the targets of the systems that were run."""
    ours = found.get(OURS)
    if ours is None:
        return []
    stage = _heaviest(ours.stages_busy, "facesecure's time in busy frames")
    result = [
        *_faster(ours, found.get(FULL), 70, stage),
        *_faster(ours, found.get(PISECURE), 12, stage),
        *_detection(ours, found.get(WHOLE)),
        *_idle(ours, found.get(DECODE)),
        *_delay(ours),
        _memory(ours),
    ]
    return result + ([_ready(ready)] if ready else [])


def as_json(found: dict[str, Figures], aims: Sequence[Target], about: dict[str, Any]) -> dict[str, Any]:
    """Return all results as one document."""
    systems = {
        name: asdict(one) | {"wrong": one.verdicts.wrong if one.verdicts else None} for name, one in found.items()
    }
    return {"about": about, "systems": systems, "targets": [asdict(aim) for aim in aims]}


def ratio(one: float | None, other: float | None) -> float | None:
    """Return ``one`` divided by ``other``, None where either is missing."""
    return one / other if one and other else None


def _summed(rows: Sequence[dict[str, float]], indices: Iterable[int]) -> dict[str, float]:
    """Return seconds by stage over the frames ``indices``; empty where stages were not timed."""
    total: Counter[str] = Counter()
    for index in indices if rows else ():
        total.update(rows[index])
    return dict(total)


def _rate(seconds: float | None) -> float | None:
    return 1 / seconds if seconds else None


def _heaviest(stages: dict[str, float], of_what: str) -> str:
    total = sum(stages.values())
    if not total:
        return ""
    name = max(stages, key=lambda key: stages[key])
    return f"{name}, {stages[name] / total:.0%} of {of_what}"


def _faster(ours: Figures, peer: Figures | None, times: float, stage: str) -> list[Target]:
    by = ratio(ours.busy_fps, peer.busy_fps) if peer else None
    if peer is None or by is None:
        return []
    return [Target(f"busy frames, against {peer.system}", f"{times:.0f} x", f"{by:.1f} x", by >= times, stage)]


def _detection(ours: Figures, whole: Figures | None) -> list[Target]:
    """Return what searching parts of a frame saves, and whether it costs a visit."""
    if whole is None or ours.verdicts is None or whole.verdicts is None:
        return []
    share = ratio(ours.stages_busy.get("detect"), whole.stages_busy.get("detect"))
    mine, theirs = (f"{one.right}, {one.missed}, {one.wrong}" for one in (ours.verdicts, whole.verdicts))
    worse = ours.verdicts.missed > whole.verdicts.missed or ours.verdicts.wrong > whole.verdicts.wrong
    visits = Target("visits right, missed, wrong", f"{theirs} of {whole.system}", mine, not worse)
    cost = Target(f"detection, against {whole.system}", "0.6 x", f"{share:.2f} x", share <= 0.6) if share else None
    return [cost, visits] if cost else [visits]


def _idle(ours: Figures, decode: Figures | None) -> list[Target]:
    by = ratio(decode.idle_fps, ours.idle_fps) if decode else None
    if by is None:
        return []
    beyond = {name: seconds for name, seconds in ours.stages_idle.items() if name != "decode"}
    worst = _heaviest(beyond, "what idle frames cost beyond decoding")
    return [Target("idle frames, against decoding alone", "1.3 x", f"{by:.2f} x", by <= 1.3, worst)]


def _delay(ours: Figures) -> list[Target]:
    what, wanted = "verdict after the first usable face", "0.3 s (median), 1 s (worst)"
    if ours.verdicts is None or ours.verdicts.median_delay is None or ours.verdicts.worst_delay is None:
        return [Target(what, wanted, "none came", False)]
    typical, worst = ours.verdicts.median_delay, ours.verdicts.worst_delay
    late = sum(delay > 1 for delay in ours.verdicts.delays)
    why = f"evidence: {late} of {len(ours.verdicts.delays)} visits took over 1 s; too few or too weak faces by then"
    got = f"{typical:.2f} s (median), {worst:.2f} s (worst)"
    return [Target(what, wanted, got, typical <= 0.3 and worst <= 1, why)]


def _memory(ours: Figures) -> Target:
    steps = ", ".join(f"{step} {size:.0f} MB" for step, size in ours.memory_steps_mb.items())
    return Target("peak memory", "190 MB", f"{ours.peak_memory_mb:.0f} MB", ours.peak_memory_mb <= 190, steps)


def _ready(ready: dict[str, float]) -> Target:
    why = f"imports take {ready['imported']:.2f} s of it"
    return Target("READY after start", "2 s", f"{ready['ready']:.2f} s", ready["ready"] <= 2, why)
