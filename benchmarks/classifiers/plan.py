"""What is trained: three networks, by household, number of other people, augmentation, and kind of split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of network: the ``recipe`` that trains it, its ``crops``, and the options of every training of it.

    ``door`` is the augmentation made for doors.
    """

    recipe: str
    crops: str
    side: int
    words: tuple[object, ...]
    door: str


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is run. ``epochs`` are those with the middle number of others; with more, each has more steps."""

    households: int = 5
    negatives: tuple[int, ...] = (20, 100, 400)
    trials: int = 40
    trial_epochs: tuple[int, int] = (8, 25)
    trial_rates: tuple[float, float] = (1e-5, 1e-2)
    trial_side: int = 64
    epochs: int = 40
    patience: int = 15
    light_households: int = 3
    clip_households: int = 3
    search_others: int = 100
    searched: tuple[str, ...] = ("hugonet", "compact cnn")
    """The families whose settings are searched; the others have their defaults."""
    only: tuple[str, ...] = ()
    """The families that are trained; empty: all."""

    @property
    def families(self) -> tuple[str, ...]:
        """The families that are trained."""
        return self.only or tuple(FAMILIES)

    @property
    def middle(self) -> int:
        """The number of other people where only one is tried."""
        return self.negatives[len(self.negatives) // 2]


FAMILIES: Mapping[str, Family] = {
    "hugonet": Family("hugonet", "square", 64, (), door="door"),
    "compact cnn": Family("compact", "aligned", 112, ("--kind", "cnn"), door="aligned"),
    "compact head": Family(
        "compact", "aligned", 112, ("--kind", "head", "--views", 2, "--lr", 0.003, "--batch", 32), "aligned"
    ),
}
"""The head's settings are not searched: its loss is convex, and little is left to choose."""
_OWN_IMAGES = 70
"""About as many images of its members does a household have in training; of each other person there is one."""

AUGMENTED = {"none": "nothing", "report": "the report's", "door": "made for doors"}
"""Augmentations compared for light: as named here, and what each means."""
SPLITS = ("clip", "frame")


@dataclass(frozen=True, slots=True)
class Unit:
    """One training: ``family``, ``household`` (its number is the seed), number of ``others``, and the variant.

    ``augment`` is "" for the settings found, or one of AUGMENTED; ``split`` is "photo", "clip" or "frame".
    """

    family: str
    household: int
    others: int
    augment: str = ""
    split: str = "photo"

    @property
    def name(self) -> str:
        """A name for the folder of its run."""
        variant = self.augment or "found"
        kind = self.family.replace(" ", "-")
        return f"{kind}-h{self.household}-n{self.others:03}-{variant}-{self.split}"

    @property
    def faces(self) -> str:
        """The folder of its training images."""
        crops = FAMILIES[self.family].crops
        return f"{crops}-h{self.household}-n{self.others:03}-{self.split}"


def units(budget: Budget) -> Iterator[Unit]:
    """Yield every training, the most telling first."""
    for others in sorted(budget.negatives, key=lambda count: count != budget.middle):
        for household in range(budget.households):
            yield from (Unit(family, household, others) for family in budget.families)
    for household in range(budget.light_households):
        for augment in AUGMENTED:
            yield from (Unit(family, household, budget.middle, augment=augment) for family in budget.families)
    for household in range(budget.clip_households):
        for split in SPLITS:
            yield from (Unit(family, household, budget.middle, split=split) for family in budget.families)


def words(unit: Unit, found: Settings, budget: Budget) -> list[object]:
    """Return the options of ``facesecure-train train`` for ``unit``; ``found`` are the settings that were searched."""
    family = FAMILIES[unit.family]
    chosen: dict[str, Any] = {**found, "epochs": _epochs(unit.others, budget), "patience": budget.patience}
    if unit.augment:
        preset = family.door if unit.augment == "door" else unit.augment
        chosen |= {"augment": preset, "strength": 1}
    options = [word for name, value in chosen.items() for word in (f"--{name.replace('_', '-')}", _short(value))]
    return [*family.words, "--size", family.side, *options, "--seed", unit.household]


def _epochs(others: int, budget: Budget) -> int:
    """Return the epochs in which as many images are seen as in ``budget.epochs`` with the middle number of others."""
    return max(1, round(budget.epochs * (_OWN_IMAGES + budget.middle) / (_OWN_IMAGES + others)))


def _short(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
