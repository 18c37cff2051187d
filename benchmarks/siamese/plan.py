"""The stages: what each adds, how it is trained, and about how long it takes on two quiet cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.siamese.faces import PART_OF_ARTICLE
from facesecure_training.recipes.settings import DISCRIMINANT

Words = tuple[object, ...]
SEARCHED = ("lr", "margin", "growth", "blocks", "size", "schedule", "cycle")
"""What the stages after the article's take over from the search. Epochs follow from the cost of the network, and
augmentation is not taken over: in trials of few epochs the least of it looks best."""
THRESHOLD_DISTANCE, THRESHOLD_COSINE = 1.0, 0.5
"""The article's rule: one person if the distance is below 1; of vectors of length 1, if the cosine is above 0.5."""
MOST_COSTLY = 2.2
"""Times the cost of the article's small network that a searched one may have."""
FULL, MIRRORED = "full", "mirrored"
SIAMESE = "siamese-densenet"
_SKIPPED = 0.02
"""The share of its planned time below which a stage was done before."""


@dataclass(frozen=True, slots=True)
class Training:
    """One run of ``train siamese-densenet`` in ``runs/NAME``, for ``epochs`` of the small network; further ``words``.

    ``after`` is the run whose weights it begins with. ``scaled``: whether the searched settings are taken over, and the
    epochs reduced by as much as they make the network more costly. Another ``kind`` has no epochs.
    """

    name: str
    data: str
    epochs: int
    words: Words
    after: str | None = None
    scaled: bool = True
    kind: str = SIAMESE


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the table: its ``title``, the ``trainings`` one after the other, and the ``minutes`` it takes.

    ``mirrored``: whether each face is embedded with its mirror image.
    """

    title: str
    trainings: tuple[Training, ...]
    minutes: float
    rule: float = THRESHOLD_COSINE
    mirrored: bool = False

    @property
    def name(self) -> str:
        """The name of its model and of its report."""
        return f"{self.run}-mirrored" if self.mirrored else self.run

    @property
    def run(self) -> str:
        """The run that is exported and measured."""
        return self.trainings[-1].name

    @property
    def searched(self) -> bool:
        """Whether it takes over settings from the search."""
        return any(training.scaled for training in self.trainings)


_PEOPLE: Words = ("--objective", "people", "--batch", 96, "--each", 4, "--alike", 3, "--patience", 10)
_ARCFACE: Words = (
    "--objective", "arcface", "--batch", 96, "--angle", 0.3, "--scale", 24, "--size", 64, "--lr", 0.004,
    "--weight-decay", 0.05, "--augment", "jittered", "--strength", 0.8, "--mixed-precision",
)  # fmt: skip
_LITTLE: Words = ("--augment", "aligned", "--strength", 0.5)
_MUCH: Words = ("--augment", "jittered", "--strength", 0.6)
_ARTICLE: Words = ("--objective", "pairs", "--size", 64, *_LITTLE)
_CLOSER: Words = (
    *_PEOPLE, *_MUCH, "--size", 64, "--lr", 0.0001, "--margin", 1.6, "--mixed-precision",
)  # fmt: skip
_DISTIL: Words = (
    "--objective", "distil", *_MUCH, "--batch", 64, "--size", 64, "--patience", 12, "--mixed-precision",
)  # fmt: skip
_WIDER: Words = ("--blocks", "3,6,8,6", "--growth", 24, "--embedding", 64)
"""64 numbers, as the bundled network's have 64 independent directions: 32 of them cost it 0.6 % of LFW's pairs."""
_SIDE_BY_SIDE: Words = ("--views", 12, "--replicas", 2)
"""Two replicas keep two cores busy; in one process the processor worked for 126 of 133 minutes, one core's work."""
_CLASSIFIER = Training("classifier", "train", 40, (*_ARCFACE, *_WIDER), scaled=False)
_FRESH: Words = ("--views", 8, "--batch", 96, "--replicas", 2)
"""Other views: after eight epochs of the first the loss is 0.10 on them, and begins at 0.33 on others."""
_FULL: Words = ("--views", 4, "--blocks", "6,12,24,16", "--growth", 32, "--embedding", 32)
_LAST: Words = (*_FRESH, "--views", 4)
_IN_FULL = (
    Training(FULL, "train", 3, (*_DISTIL, "--lr", 0.004, *_FULL), scaled=False),
    Training("longer", "train", 5, (*_DISTIL, "--lr", 0.002, *_FULL), after=FULL, scaled=False),
)
_WITH_MORE_VIEWS = (
    Training(
        "fresh", "train", 2, (*_DISTIL, "--lr", 0.002, *_FULL, *_FRESH, "--seed", 1), after="longer", scaled=False
    ),
    Training(
        "fresher", "train", 2, (*_DISTIL, "--lr", 0.001, *_FULL, *_LAST, "--seed", 2), after="fresh", scaled=False
    ),
)

STAGES: Mapping[str, Stage] = {
    "article": Stage(
        "article as it stands: random pairs",
        (Training("article", PART_OF_ARTICLE, 40, _ARTICLE, scaled=False),),
        14,
        THRESHOLD_DISTANCE,
    ),
    "mining": Stage(
        "... and people who look alike in one batch",
        (Training("mining", PART_OF_ARTICLE, 30, (*_PEOPLE, *_LITTLE)),),
        13,
    ),
    "data": Stage(
        "... and more photos of each person, changed more", (Training("data", "train", 25, (*_PEOPLE, *_MUCH)),), 15
    ),
    "classifier": Stage(
        "a classifier of people instead, with ArcFace's margin, and a wider network",
        (_CLASSIFIER,),
        45,
    ),
    "classified": Stage(
        "... and then people who look alike in one batch",
        (_CLASSIFIER, Training("classified", "train", 5, (*_CLOSER, *_WIDER), after="classifier", scaled=False)),
        10,
    ),
    DISCRIMINANT: Stage(
        "the classifier's maps and fixed filters, place by place, and computed last layers",
        (_CLASSIFIER, Training(DISCRIMINANT, "train", 0, (), after="classifier", scaled=False, kind=DISCRIMINANT)),
        50,
    ),
    "distilled": Stage(
        "distilled from the bundled network, no labels",
        (Training("distilled", "train", 12, (*_DISTIL, *_SIDE_BY_SIDE, "--lr", 0.004, *_WIDER), scaled=False),),
        100,
    ),
    FULL: Stage("DenseNet-121 in full, distilled", _IN_FULL, 180),
    MIRRORED: Stage(
        "... from more views, and each face with its mirror image", (*_IN_FULL, *_WITH_MORE_VIEWS), 90, mirrored=True
    ),
}
USUAL = tuple(name for name in STAGES if name not in (FULL, MIRRORED))
"""The stages that are run unless others are asked for; the full network takes hours by itself."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is run: the search's ``trials`` and their ``epochs``, pairs and households of the tests.

    ``share`` scales the epochs of every stage. Example::

        tiny = Budget().scaled(0.05)
    """

    trials: int = 7
    trial_epochs: tuple[int, int] = (2, 3)
    rates: tuple[float, float] = (5e-4, 2e-2)
    share: float = 1.0
    pairs: int = 4000
    """In an epoch of the stages that train on pairs, as the article does."""
    robustness: int = 400
    test_pairs: int = 3000
    households: int = 100
    strangers: int = 500

    @property
    def validation_pairs(self) -> int:
        """A quarter of an epoch's, as in a training, validate every stage."""
        return max(2, self.pairs // 4)

    def scaled(self, share: float) -> Budget:
        """Return this budget, reduced to ``share`` of the epochs, and of everything else as far as figures remain."""
        if share >= 1:
            return replace(self, share=share)
        return Budget(
            trials=max(1, round(self.trials * share)),
            trial_epochs=self.trial_epochs if share > 0.2 else (2, 2),
            share=share,
            pairs=max(80, round(self.pairs * share)),
            robustness=max(20, round(self.robustness * share)),
            test_pairs=max(60, round(self.test_pairs * share)),
            households=max(10, round(self.households * share)),
            strangers=max(10, round(self.strangers * share)),
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides a network's cost."""

    blocks: str = "3,6,8,6"
    growth: int = 16
    size: int = 64

    @property
    def cost(self) -> float:
        """Millions of multiplications for one image, forwards."""
        side, channels, total = self.size // 2, 2 * self.growth, 0.0
        total += 49 * 3 * channels * side * side
        side //= 2
        for units in map(int, self.blocks.split(",")):
            for _ in range(units):
                total += side * side * 4 * self.growth * (channels + 9 * self.growth)
                channels += self.growth
            total += side * side * channels * (channels // 2)
            side, channels = side // 2, channels // 2
        return total / 1e6


def words_of(training: Training, searched: Mapping[str, Any], budget: Budget, seed: int) -> Words:
    """Return the options of a training; those that it gives itself count."""
    data: Words = ("--data", f"people/{training.data}", "--validation", "people/validation", "--cache", "cache/pixels")
    begun: Words = ("--initial", f"runs/{training.after}") if training.after else ()
    if training.kind == DISCRIMINANT:
        return (*data, "--pairs", budget.validation_pairs, "--seed", seed, *training.words, *begun)
    taken = {key: searched[key] for key in SEARCHED if key in searched} if training.scaled else {}
    more = Shape(**{key: taken[key] for key in ("blocks", "growth", "size") if key in taken}).cost / Shape().cost
    epochs = max(2, round(training.epochs * budget.share / max(1.0, more)))
    found: Words = tuple(word for key, value in taken.items() for word in (f"--{key}", value))
    usual: Words = ("--epochs", epochs, "--pairs", budget.pairs, "--seed", seed)
    return _given_once((*data, *usual, *found, *training.words, *begun))


def _given_once(words: Words) -> Words:
    """Return ``words`` with the last value of each option, at the place of its first."""
    values: dict[object, Words] = {}
    option: object = None
    for word in words:
        if str(word).startswith("--"):
            option, values[word] = word, ()
        else:
            values[option] = (*values[option], word)
    return tuple(word for option, some in values.items() for word in (option, *some))


@dataclass(slots=True)
class Clock:
    """Tells how long the rest will take, from what was planned and what the finished stages took."""

    left: dict[str, float]
    planned: float = field(default=0.0, init=False)
    spent: float = field(default=0.0, init=False)

    def done(self, stage: str, minutes: float) -> None:
        """Note that ``stage`` took ``minutes``. One that was done before took none, and tells nothing of the pace."""
        planned = self.left.pop(stage)
        if minutes > _SKIPPED * planned:
            self.planned += planned
            self.spent += minutes

    @property
    def minutes(self) -> float:
        """The minutes that are left, at the pace so far."""
        return sum(self.left.values()) * (self.spent / self.planned if self.planned else 1.0)
