"""Score a system's claims against the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.labels import Corners, Labels, Phase, Visit


@dataclass(frozen=True)
class Claim:
    """A system's result for one face in one frame: a name, or None for a stranger."""

    frame: int
    box: Corners
    name: str | None


@dataclass(frozen=True)
class Costs:
    """Seconds of one core for each frame (None: not processed), including decoding."""

    cpu: Sequence[float | None]

    def mean(self, indices: Sequence[int]) -> float | None:
        """Return the mean seconds of those of ``indices`` that were processed."""
        known = [cost for index in indices if (cost := self.cpu[index]) is not None]
        return sum(known) / len(known) if known else None


@dataclass
class Score:
    """Counts of visits. One visit can be wrong in one frame and right in the next: it counts in both.

    ``delays``: seconds from the first usable face to the end of the work on the frame that brought the first right
    claim, one a visit that got one.
    """

    visits: int = 0
    right: int = 0
    missed: int = 0
    wrong_name: int = 0
    stranger_let_in: int = 0
    family_called_stranger: int = 0
    claims_about_nobody: int = 0
    delays: list[float] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return self.wrong_name + self.stranger_let_in + self.family_called_stranger

    @property
    def median_delay(self) -> float | None:
        return median(self.delays) if self.delays else None

    @property
    def worst_delay(self) -> float | None:
        return max(self.delays) if self.delays else None


def score(labels: Labels, claims: Sequence[Claim], costs: Costs) -> Score:
    """Score ``claims``. Visits without a usable face are left out."""
    result = Score()
    by_visit: dict[int, list[Claim]] = {}
    for claim in claims:
        visit = visit_at(labels, claim)
        if visit is None:
            result.claims_about_nobody += 1
        else:
            by_visit.setdefault(visit, []).append(claim)
    for index, visit_truth in enumerate(labels.visits):
        if visit_truth.first_usable is not None:
            _count(result, visit_truth, by_visit.get(index, []), costs, labels.fps)
    return result


def visit_at(labels: Labels, claim: Claim) -> int | None:
    """Return the visit of a claim: the one with the nearest face, if the claim's centre lies in or close to it."""
    x, y = (claim.box[0] + claim.box[2]) / 2, (claim.box[1] + claim.box[3]) / 2
    best: tuple[float, int] | None = None
    for index, visit in enumerate(labels.visits):
        sight = visit.sights.get(claim.frame)
        if sight is None:
            continue
        left, top, right, bottom = sight.box
        off = max(abs(x - (left + right) / 2) / (right - left), abs(y - (top + bottom) / 2) / (bottom - top))
        if off <= 0.8 and (best is None or off < best[0]):
            best = (off, index)
    return best[1] if best else None


def _count(result: Score, visit: Visit, claims: Sequence[Claim], costs: Costs, fps: float) -> None:
    truth = visit.who if visit.household else None
    result.visits += 1
    names = {claim.name for claim in claims if claim.name != truth}
    if visit.household:
        result.family_called_stranger += None in names
        result.wrong_name += bool(names - {None})
    else:
        result.stranger_let_in += bool(names)
    right = min((claim.frame for claim in claims if claim.name == truth), default=None)
    if right is None:
        result.missed += 1
        return
    result.right += 1
    assert visit.first_usable is not None
    result.delays.append(max(0, right - visit.first_usable) / fps + (costs.cpu[right] or 0.0))


def cpu_per_minute(labels: Labels, costs: Costs) -> float:
    """Return seconds of one core for a minute of this clip; skipped frames cost the mean of their phase."""
    means = {phase: costs.mean(labels.indices(phase)) for phase in Phase}
    fallback = means[Phase.IDLE] or means[Phase.BUSY] or 0.0
    total = 0.0
    for index, phase in enumerate(labels.phases):
        known = costs.cpu[index]
        guess = means[phase] if means[phase] is not None else fallback
        total += known if known is not None else guess or 0.0
    return total / (labels.frames / labels.fps) * 60
