"""What a training may be asked: its fields are options of ``facesecure-train train``, and config.json keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import typer

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.datasets.folders import Unit
from facesecure_training.recipes.augment import preset

ScheduleKind = Literal["one-cycle", "triangular", "constant"]
Option = typer.Option

MACHINE_SETTINGS = frozenset({"threads", "eager"})
"""What a resumed run may be asked otherwise than before. It changes what is learnt by no more than rounding: other
threads add up in another order."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Common to every recipe. Raises UsageError for what cannot be."""

    data: Annotated[Path | None, Option("--data", help="Folder with a sub-folder of pictures for each class.")] = None
    validation: Annotated[
        Path | None, Option("--validation", help="Such a folder to validate on.", show_default="a part of --data")
    ] = None
    epochs: Annotated[int, Option("--epochs", min=1, help="How often every picture is seen.")] = 30
    batch: Annotated[int, Option("--batch", min=1, help="Pictures (or pairs) a step.")] = 32
    size: Annotated[int, Option("--size", min=16, help="Side of the pictures, in pixels.")] = 112
    lr: Annotated[float, Option("--lr", help="Learning rate; of a schedule, its highest.")] = 1e-3
    schedule: Annotated[ScheduleKind, Option("--schedule", help="How learning rate and beta1 vary.")] = "one-cycle"
    cycle: Annotated[int, Option("--cycle", min=1, help="Epochs in each triangle.")] = 4
    weight_decay: Annotated[
        float, Option("--weight-decay", min=0, help="Share of the weights lost a step, times lr.")
    ] = 0.0
    augment: Annotated[str, Option("--augment", help="none, report, door or aligned.")] = "report"
    strength: Annotated[float, Option("--strength", min=0, help="How strong, of that.")] = 1.0
    split: Annotated[Unit, Option("--split", help="What is kept together: class (person), source (video), file.")] = (
        "source"
    )
    held_out: Annotated[float, Option("--held-out", min=0.01, max=0.9, help="Share of --data to validate on.")] = 0.2
    patience: Annotated[int, Option("--patience", min=0, help="Epochs without progress to stop after; 0: never.")] = 0
    seed: Annotated[int, Option("--seed", help="Of everything that is drawn.")] = 0
    mixed_precision: Annotated[
        bool, Option("--mixed-precision", help="16 bits where they do: float16 on a GPU, bfloat16 without.")
    ] = False
    fast: Annotated[bool, Option("--fast", help="Let a GPU add in any order: quicker, not repeatable to the bit.")] = (
        False
    )
    cache: Annotated[
        Path | None, Option("--cache", help="Folder for pictures made ready; saves decoding them anew.")
    ] = None
    eager: Annotated[bool, Option("--eager", help="Trace nothing: slow, and a debugger can stop anywhere.")] = False
    threads: Annotated[int, Option("--threads", min=0, help="Of the processor; 0: as many as it has.")] = 0

    def __post_init__(self) -> None:
        preset(self.augment)
        if self.lr <= 0:
            raise UsageError(f"--lr is {self.lr}", "it must be above 0: 0.001, for instance")
        for name in ("data", "validation", "cache"):  # a run may be resumed from elsewhere
            path = getattr(self, name)
            object.__setattr__(self, name, path and Path(path).expanduser().absolute())

    def to_json(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Raises FacesecureError where the document is not these settings'."""
        known = {field.name for field in fields(cls)}
        if not known >= set(document):
            raise FacesecureError("config.json has settings unknown here", "resume with the version that began the run")
        paths = {field.name for field in fields(cls) if "Path" in str(field.type)}
        values: dict[str, Any] = {
            name: Path(value) if name in paths and value else value for name, value in document.items()
        }
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(TrainingSettings):
    """A classifier of any number of classes."""

    width: Annotated[float, Option("--width", min=0.01, help="Factor on the number of filters.")] = 1.0
    dropout: Annotated[float, Option("--dropout", min=0, max=0.9, help="Share of units silenced in training.")] = 0.0


@dataclass(frozen=True, kw_only=True)
class HugonetSettings(ClassifierSettings):
    """The report's classifier; its pictures have 224 pixels a side."""

    size: Annotated[int, Option("--size", min=16, help="Side of the pictures; 16 divides it.")] = 224
    lr: Annotated[float, Option("--lr", help="Learning rate; of a schedule, its highest.")] = 1e-4


@dataclass(frozen=True, kw_only=True)
class CompactSettings(ClassifierSettings):
    """A head on the bundled embedder, or a small network of its own; for aligned crops."""

    kind: Annotated[
        Literal["head", "cnn"], Option("--kind", help="A head on the bundled embedder, or a network of its own.")
    ] = "head"
    views: Annotated[int, Option("--views", min=1, help="Versions of each picture a head learns from.")] = 5
    augment: Annotated[str, Option("--augment", help="none, report, door or aligned.")] = "aligned"


@dataclass(frozen=True, kw_only=True)
class SiameseSettings(TrainingSettings):
    """DenseNet in two places with one set of weights."""

    split: Annotated[Unit, Option("--split", help="What is kept together: class (person), source (video), file.")] = (
        "class"
    )
    blocks: Annotated[str, Option("--blocks", help="Units of each dense block; DenseNet-121: 6,12,24,16.")] = "3,6,8,6"
    growth: Annotated[int, Option("--growth", min=1, help="Channels each unit adds; DenseNet-121: 32.")] = 16
    theta: Annotated[float, Option("--theta", min=0.01, max=1, help="Share of channels a transition keeps.")] = 0.5
    embedding: Annotated[int, Option("--embedding", min=2, help="Numbers in an embedding.")] = 32
    margin: Annotated[float, Option("--margin", help="Distance at which different people are far enough apart.")] = 2.0
    pairs: Annotated[int, Option("--pairs", min=2, help="Pairs an epoch, half of them the same person.")] = 4000


@dataclass(frozen=True, kw_only=True)
class EmbedderSettings(TrainingSettings):
    """MobileFaceNet's shape with a margin head over the people of the training set."""

    augment: Annotated[str, Option("--augment", help="none, report, door or aligned.")] = "aligned"
    split: Annotated[Unit, Option("--split", help="What is kept together: class (person), source (video), file.")] = (
        "class"
    )
    width: Annotated[float, Option("--width", min=0.05, help="Factor on the number of filters.")] = 1.0
    embedding: Annotated[int, Option("--embedding", min=2, help="Numbers in an embedding.")] = 128
    margin: Annotated[float, Option("--margin", help="ArcFace's angle, in radians.")] = 0.5
    scale: Annotated[float, Option("--scale", help="ArcFace's factor on cosines.")] = 32.0
    distil: Annotated[
        float, Option("--distil", min=0, max=1, help="Weight of following the bundled network; 1: nothing else.")
    ] = 0.0
    activation: Annotated[
        Literal["prelu", "relu"], Option("--activation", help="relu suits int8 and the Edge TPU.")
    ] = "prelu"
    pairs: Annotated[int, Option("--pairs", min=2, help="Pairs of people held out, to validate on.")] = 2000


def read_config(path: Path) -> dict[str, Any]:
    """A config.json. Raises FacesecureError if it cannot be read."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FacesecureError(
            f"{path} cannot be read ({error})", "is this the folder of a run? begin a new one"
        ) from None
    return document
