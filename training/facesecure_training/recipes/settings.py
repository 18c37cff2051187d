"""The settings of a training. Their fields are options of ``facesecure-train train``, and config.json stores them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.util.paths import expanded
from facesecure_training.common.option_info import LARGEST_SEED, OptionInfo
from facesecure_training.datasets.folders import Unit
from facesecure_training.recipes.augment import preset

_DAMAGED = "check that this is the folder of a run, restore config.json from a copy, or begin a new run"
_LARGEST = float(np.finfo(np.float32).max)
"""Networks compute with float32: anything above is infinite to them."""

ScheduleKind = Literal["one-cycle", "triangular", "constant"]

DISCRIMINANT = "discriminant"
"""The kind of a run that is computed, not trained."""

MACHINE_SETTINGS = frozenset({"threads", "eager"})
"""Settings that may change when a run is resumed. They change the result by no more than rounding: other threads add up
in another order."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of every recipe. Raises UsageError for values out of range."""

    data: Annotated[Path | None, OptionInfo("Folder with a sub-folder of images for each class.")] = None
    validation: Annotated[
        Path | None, OptionInfo("Folder of the same layout to validate on.", default_text="a part of --data")
    ] = None
    epochs: Annotated[int, OptionInfo("Passes over the training data.", min=1)] = 30
    batch: Annotated[int, OptionInfo("Images (or pairs) per step.", min=1)] = 32
    size: Annotated[int, OptionInfo("Side of the images, in pixels.", min=16)] = 112
    lr: Annotated[float, OptionInfo("Learning rate; the highest, if a schedule varies it.")] = 1e-3
    schedule: Annotated[ScheduleKind, OptionInfo("Schedule of learning rate and beta1.")] = "one-cycle"
    cycle: Annotated[int, OptionInfo("Epochs in each triangle.", min=1)] = 4
    weight_decay: Annotated[float, OptionInfo("Weight decay per step, times --lr.", min=0)] = 0.0
    augment: Annotated[str, OptionInfo("Preset: none, report, door, aligned or jittered.")] = "report"
    strength: Annotated[float, OptionInfo("Factor on the augmentation.", min=0, max=10)] = 1.0
    split: Annotated[Unit, OptionInfo("Unit that is not split: class (person), source (video), file.")] = "source"
    held_out: Annotated[float, OptionInfo("Share of --data to validate on.", min=0.01, max=0.9)] = 0.2
    patience: Annotated[int, OptionInfo("Stop after this many epochs without progress; 0: never.", min=0)] = 0
    seed: Annotated[int, OptionInfo("Seed of everything random.", min=0, max=LARGEST_SEED)] = 0
    mixed_precision: Annotated[
        bool, OptionInfo("Compute in 16 bits where that is enough: float16 on a GPU, bfloat16 on the CPU.")
    ] = False
    fast: Annotated[bool, OptionInfo("Let a GPU add in any order: faster, but not bit-reproducible.")] = False
    cache: Annotated[Path | None, OptionInfo("Folder for decoded images, which later epochs reuse.")] = None
    eager: Annotated[bool, OptionInfo("Trace nothing: slow, but a debugger can stop anywhere.")] = False
    threads: Annotated[int, OptionInfo("CPU threads; 0: all.", min=0)] = 0
    replicas: Annotated[
        int, OptionInfo("Parts of each batch, computed side by side, each on a core of the CPU.", min=1)
    ] = 1

    def __post_init__(self) -> None:
        preset(self.augment)
        self._require_numbers()
        if self.lr <= 0:
            raise UsageError(f"--lr is {self.lr}", "it must be above 0: 0.001, for example")
        for name in ("data", "validation", "cache"):  # a run may be resumed from another folder
            path = getattr(self, name)
            object.__setattr__(self, name, path and expanded(path).absolute())

    def _require_numbers(self) -> None:
        """Raise UsageError for a setting that is infinite or no number: the first step would spoil every weight."""
        for name, value in asdict(self).items():
            if isinstance(value, float) and not abs(value) <= _LARGEST:  # nor is NaN
                raise UsageError(f"--{name.replace('_', '-')} is {value}", "give it a number that is finite in 32 bits")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON stores them."""
        return as_json(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read the settings from JSON. Raises FacesecureError for settings that are unknown, or of another type."""
        known = {field.name for field in fields(cls)}
        if not known >= set(document):
            raise FacesecureError("config.json has settings unknown here", "resume with the version that began the run")
        kinds = get_type_hints(cls)
        values = {name: _typed(name, value, kinds[name]) for name, value in document.items()}
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(TrainingSettings):
    """Settings of a classifier of any number of classes."""

    width: Annotated[float, OptionInfo("Factor on the number of filters.", min=0.01)] = 1.0
    dropout: Annotated[float, OptionInfo("Share of units dropped in training.", min=0, max=0.9)] = 0.0


@dataclass(frozen=True, kw_only=True)
class HugonetSettings(ClassifierSettings):
    """Settings of the report's classifier; its images are 224 pixels wide."""

    size: Annotated[int, OptionInfo("Side of the images in pixels, a multiple of 16.", min=16)] = 224
    lr: Annotated[float, OptionInfo("Learning rate; the highest, if a schedule varies it.")] = 1e-4


@dataclass(frozen=True, kw_only=True)
class CompactSettings(ClassifierSettings):
    """Settings of a head on the bundled embedder, or a small network of its own; for aligned crops."""

    kind: Annotated[Literal["head", "cnn"], OptionInfo("A head on the bundled embedder, or a network of its own.")] = (
        "head"
    )
    views: Annotated[int, OptionInfo("Augmented versions of each image, for a head.", min=1)] = 5
    augment: Annotated[str, OptionInfo("Preset: none, report, door, aligned or jittered.")] = "aligned"


Objective = Literal["pairs", "people", "arcface", "distil"]


@dataclass(frozen=True, kw_only=True)
class SiameseSettings(TrainingSettings):
    """Settings of a siamese DenseNet."""

    split: Annotated[Unit, OptionInfo("Unit that is not split: class (person), source (video), file.")] = "class"
    objective: Annotated[
        Objective,
        OptionInfo(
            "pairs: drawn at random, as in the article; people: several images of people who look alike; "
            "arcface: classify people; distil: follow the bundled network, without labels."
        ),
    ] = "pairs"
    initial: Annotated[
        Path | None, OptionInfo("Run or .keras file whose weights it begins with.", default_text="random weights")
    ] = None
    blocks: Annotated[str, OptionInfo("Units of each dense block; DenseNet-121: 6,12,24,16.")] = "3,6,8,6"
    growth: Annotated[int, OptionInfo("Channels each unit adds; DenseNet-121: 32.", min=1)] = 16
    theta: Annotated[float, OptionInfo("Share of channels a transition keeps.", min=0.01, max=1)] = 0.5
    embedding: Annotated[int, OptionInfo("Length of an embedding.", min=2)] = 32
    normalise: Annotated[
        bool, OptionInfo("Scale embeddings to length 1, as the daemon needs it; all objectives but pairs always do.")
    ] = False
    margin: Annotated[float, OptionInfo("Distance beyond which different people are not pushed apart.")] = 2.0
    pairs: Annotated[int, OptionInfo("Pairs per epoch, half of them of the same person.", min=2)] = 4000
    each: Annotated[int, OptionInfo("people: Most images of a person in a row.", min=2)] = 4
    alike: Annotated[
        int, OptionInfo("people: People who look alike, put beside each person; 0: people at random.", min=0)
    ] = 3
    angle: Annotated[float, OptionInfo("arcface: The margin, in radians.", min=0)] = 0.3
    scale: Annotated[float, OptionInfo("arcface: Factor on cosines.")] = 24.0
    views: Annotated[int, OptionInfo("distil: Views of each image that the bundled network embeds.", min=1)] = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "initial", self.initial and expanded(self.initial).absolute())

    @property
    def unit_length(self) -> bool:
        """Whether embeddings have length 1."""
        return self.normalise or self.objective != "pairs"

    def as_embedder(self) -> EmbedderSettings:
        """Return the settings of the recipe that classifies people (``recipes.embed``)."""
        shared: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(TrainingSettings)}
        own: dict[str, Any] = {"embedding": self.embedding, "margin": self.angle, "scale": self.scale}
        return EmbedderSettings(**shared, **own, pairs=max(2, self.pairs // 4))


@dataclass(frozen=True, kw_only=True)
class EmbedderSettings(TrainingSettings):
    """Settings of MobileFaceNet with a margin head over the people of the training set."""

    augment: Annotated[str, OptionInfo("Preset: none, report, door, aligned or jittered.")] = "aligned"
    split: Annotated[Unit, OptionInfo("Unit that is not split: class (person), source (video), file.")] = "class"
    width: Annotated[float, OptionInfo("Factor on the number of filters.", min=0.05)] = 1.0
    embedding: Annotated[int, OptionInfo("Length of an embedding.", min=2)] = 128
    margin: Annotated[float, OptionInfo("ArcFace's angle, in radians.")] = 0.5
    scale: Annotated[float, OptionInfo("ArcFace's factor on cosines.")] = 32.0
    distil: Annotated[
        float, OptionInfo("Weight of distillation from the bundled network; 1: only that.", min=0, max=1)
    ] = 0.0
    activation: Annotated[Literal["prelu", "relu"], OptionInfo("relu suits int8 and the Edge TPU.")] = "prelu"
    pairs: Annotated[int, OptionInfo("Pairs of people held out, to validate on.", min=2)] = 2000


@dataclass(frozen=True, kw_only=True)
class DiscriminantSettings:
    """Settings of an embedder whose last layers are computed from the maps of a DenseNet."""

    data: Annotated[Path, OptionInfo("Folder with a sub-folder of aligned faces for each person.")]
    validation: Annotated[Path, OptionInfo("Folder of the same layout, with other people.")]
    initial: Annotated[Path, OptionInfo("Run or .keras file of train siamese-densenet whose maps are used.")]
    axes: Annotated[int, OptionInfo("Numbers of an embedding, from each map.", min=2)] = 64
    components: Annotated[int, OptionInfo("Principal components of each map that are kept.", min=2)] = 500
    towards_all: Annotated[
        float, OptionInfo("How far the scatter within people is drawn towards that of all images.", min=0, max=1)
    ] = 0.8
    pairs: Annotated[int, OptionInfo("Pairs of other people, to validate on.", min=2)] = 1000
    seed: Annotated[int, OptionInfo("Seed of everything random.", min=0, max=LARGEST_SEED)] = 0
    cache: Annotated[Path | None, OptionInfo("Folder for decoded images, which other trainings share.")] = None
    threads: Annotated[int, OptionInfo("CPU threads; 0: all.", min=0)] = 0

    def __post_init__(self) -> None:
        for name in ("data", "validation", "initial", "cache"):
            path = getattr(self, name)
            object.__setattr__(self, name, path and expanded(path).absolute())

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON stores them."""
        return as_json(self)


def as_json(settings: Any) -> dict[str, Any]:
    """Return a dataclass of settings as JSON stores it."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()}


def _typed(name: str, value: Any, kind: Any) -> Any:
    """Return a value of config.json as the setting ``name`` has it. Raises FacesecureError if it is of another type."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        raise FacesecureError(f"config.json has {name} = {json.dumps(value)}", _DAMAGED) from None


def read_config(path: Path) -> dict[str, Any]:
    """Return the content of a config.json. Raises FacesecureError if it cannot be read, or describes no run."""
    try:
        document: Any = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FacesecureError(f"{path} cannot be read ({error})", _DAMAGED) from None
    if not isinstance(document, dict) or not isinstance(document.get("settings"), dict):
        raise FacesecureError(f"{path} does not describe a run", _DAMAGED)
    return document
