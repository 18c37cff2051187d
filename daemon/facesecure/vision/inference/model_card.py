"""Load models and check them against their cards: NAME.tflite (or .onnx) and NAME.json.

The card states the inputs and outputs, the alignment of the crop, origin and licence of the weights, measured figures,
and one golden input with its output. A model that does not fit its card is refused. Normalisation is part of the graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from facesecure.config.wording import first_problem
from facesecure.domain.errors import ModelError
from facesecure.util.files import read_regular
from facesecure.vision.images.align import ALIGNMENT, CROP
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.card_fields import (
    ClassifierFacts,
    HumanFilterFacts,
    Part,
    ScoreModelFacts,
    StrangerFacts,
)
from facesecure.vision.inference.card_files import REFETCH, find_card, pinned_card, read_card, unsigned
from facesecure.vision.inference.interpreter import Interpreter

CardCheck = Callable[[Path, bytes], bytes]
"""Takes a card's path and content; returns the card without signature, or raises ModelError if it is not trusted."""


class InputSpec(Part):
    """The input: shape (batch, height, width, channels), None for a free side."""

    shape: tuple[int | None, ...]
    dtype: Literal["uint8", "float32"] = "uint8"
    colour: Literal["RGB", "BGR"] = "RGB"


class OutputSpec(Part):
    """One output, described in words; outputs are in the graph's own order."""

    name: str
    shape: tuple[int | None, ...]
    meaning: str
    dtype: Literal["float32"] = "float32"


class Parity(Part):
    """Agreement with ``reference``, at worst in ``samples``; export requires ``tolerance``."""

    reference: str
    measure: str
    value: float
    tolerance: float
    samples: int


class DelegationCount(Part):
    """Nodes of the graph, those that XNNPACK runs with one runtime, and its partitions."""

    nodes: int
    delegated: int
    partitions: int


class Timing(Part):
    """The median time for one image on one thread of ``machine``, in ``milliseconds``."""

    milliseconds: float
    machine: str


class Golden(Part):
    """A reproducible input and its expected outputs, each flattened, to within ``tolerance``.

    The input is coloured squares of ``block`` pixels, their bytes from SHAKE-256 of ``seed``. Of long outputs only
    each number that is a multiple of ``every`` is kept, from the first on.
    """

    shape: tuple[int, int, int, int]
    block: int
    seed: str
    outputs: tuple[tuple[float, ...], ...]
    tolerance: float
    every: Annotated[int, Field(ge=1)] = 1

    def input(self) -> NDArray[np.uint8]:
        """Return the golden input, uint8 ``shape``."""
        return golden_input(self.shape, self.block, self.seed)

    def distance(self, found: Sequence[NDArray[Any]]) -> float:
        """Return the largest difference of ``found``, the outputs for that input, from the expected ones."""
        return max(_distance(got.ravel()[:: self.every], want) for got, want in zip(found, self.outputs, strict=True))


class ModelCard(Part):
    """The contents of NAME.json. ``accuracy`` maps descriptive names to figures; ``dataset`` names the training set."""

    name: str
    file: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int
    task: Literal[
        "face-embedding",
        "face-classification",
        "face-proposal",
        "face-refinement",
        "face-landmarks",
        "face-detection",
        "object-detection",
        "face-antispoof",
    ]
    input: InputSpec
    outputs: tuple[OutputSpec, ...]
    precision: str
    origin: str
    licence: str
    dataset: str
    alignment: str | None = None
    embedding_size: int | None = None
    labels: tuple[str, ...] | None = None
    thresholds: dict[str, float] = Field(default_factory=dict)
    score_model: ScoreModelFacts | None = None
    impostor_quantiles: dict[str, float] = Field(default_factory=dict)
    genuine_quantiles: dict[str, float] = Field(default_factory=dict)
    strangers: StrangerFacts | None = None
    personhood: HumanFilterFacts | None = None
    classifier: ClassifierFacts | None = None
    accuracy: dict[str, float] = Field(default_factory=dict)
    parity: tuple[Parity, ...] = ()
    delegation: dict[str, DelegationCount] = Field(default_factory=dict)
    timing: dict[str, Timing] = Field(default_factory=dict)
    golden: Golden | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model file that matches its card, held in memory exactly as it was hashed.

    Example::

        graph = load_model("mobilefacenet").interpreter(Backend(threads=2))
    """

    card: ModelCard
    path: Path
    content: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file, hexadecimal."""
        return self.card.sha256

    def interpreter(self, backend: Backend = PROCESSOR, *, input_shape: tuple[int, ...] | None = None) -> Interpreter:
        """Return a new interpreter of the graph for ``backend``. Raises ModelError if it does not fit the card."""
        if self.path.suffix != ".tflite":
            raise ModelError(f"{self.path.name} is not a TFLite model", "choose another model for this task")
        graph = Interpreter(self.content, backend, input_shape=input_shape)
        self._check_fit(graph)
        return graph

    def verify(self) -> float:
        """Run the golden input and return the largest difference from the golden output.

        Raises ModelError if that is beyond the tolerance.
        """
        golden = self.card.golden
        if golden is None:
            return 0.0
        worst = golden.distance(self.interpreter(input_shape=golden.shape).invoke(golden.input()))
        if not worst <= golden.tolerance:
            raise ModelError(
                f"{self.card.name} gives other results on this machine: {worst:.3g} away from its golden output",
                "try the other TFLite runtime (FACESECURE_RUNTIME), and report the machine",
            )
        return worst

    def _check_fit(self, graph: Interpreter) -> None:
        stated: list[InputSpec | OutputSpec] = [self.card.input, *self.card.outputs]
        actual = [*graph.inputs, *graph.outputs]
        fits = len(stated) == len(actual) and all(
            _shape_fits(spec.shape, tensor.shape) and tensor.dtype == np.dtype(spec.dtype)
            for spec, tensor in zip(stated, actual, strict=True)
        )
        if not fits:
            shapes = ", ".join(f"{tensor.dtype}{list(tensor.shape)}" for tensor in actual)
            raise ModelError(f"{self.path.name} does not fit its card: the graph has {shapes}", REFETCH)


def golden_input(shape: tuple[int, int, int, int], block: int, seed: str) -> NDArray[np.uint8]:
    """Return uint8 ``shape`` (batch, height, width, 3) of coloured squares, the same on every machine and numpy."""
    batch, height, width, channels = shape
    rows, columns = -(-height // block), -(-width // block)
    stream = hashlib.shake_256(seed.encode()).digest(batch * rows * columns * channels)
    squares = np.frombuffer(stream, np.uint8).reshape(batch, rows, columns, channels)
    large = squares.repeat(block, axis=1).repeat(block, axis=2)
    return np.ascontiguousarray(large[:, :height, :width])


def load_model(name_or_path: str | Path, state_dir: Path | None = None, check: CardCheck | None = None) -> Model:
    """Load the model of that name, or at that path (NAME.tflite or its card), and check it against its card.

    A card that is not part of the installation is given to ``check`` (``storage.trusted_models`` has one that knows
    the signatures); without it, a card in ``state_dir`` is not trusted. Raises ModelError if the model is missing, its
    card is invalid or not trusted, its bytes do not match the card, or it needs faces aligned or cropped in another way
    than ``vision.images.align`` does.
    """
    card_path = find_card(name_or_path, state_dir)
    card = _read_card(card_path, state_dir, check)
    path = card_path.with_name(card.file)
    try:
        content = read_regular(path)
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {error.strerror}", REFETCH) from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError(f"{path} is damaged, or not the file its card was written for", REFETCH)
    loose = card.classifier.crop if card.classifier else None
    _require_version("aligned", card.name, card.alignment, ALIGNMENT)
    _require_version("cut", card.name, loose.version if loose else None, CROP)
    return Model(card, path, content)


def _require_version(how: str, name: str, wanted: str | None, made: str) -> None:
    if wanted not in (None, made):
        raise ModelError(
            f"{name} needs faces {how} as {wanted!r}, this version provides {made!r}",
            "use a model made for this version of facesecure, or export it again with facesecure-train",
        )


def load_card(name_or_path: str | Path, state_dir: Path | None = None, check: CardCheck | None = None) -> ModelCard:
    """Return the card alone of the model that ``load_model`` would load. Raises ModelError."""
    return _read_card(find_card(name_or_path, state_dir), state_dir, check)


def _read_card(path: Path, state_dir: Path | None, check: CardCheck | None) -> ModelCard:
    content = read_card(path)
    pinned = pinned_card(path)
    if pinned is not None:
        if unsigned(pinned) != unsigned(content):
            pull = f"fetch it again: facesecure models pull {path.stem}"
            raise ModelError(f"{path} is not the card that this version of facesecure has for {path.stem}", pull)
    elif check is not None:
        content = check(path, content)
    elif state_dir is not None and path.resolve().is_relative_to(state_dir.resolve()):
        raise ModelError(f"{path} is in the state directory, and its signature was not checked", REFETCH)
    try:
        return ModelCard.model_validate_json(unsigned(content))
    except ValidationError as error:
        raise ModelError(f"model card {path} is invalid at {first_problem(error, ModelCard)}", REFETCH) from error


def _shape_fits(stated: tuple[int | None, ...], actual: tuple[int, ...]) -> bool:
    return len(stated) == len(actual) and all(side is None or side == n for side, n in zip(stated, actual, strict=True))


def _distance(got: NDArray[Any], want: tuple[float, ...]) -> float:
    expected = np.asarray(want, np.float64)
    return float(np.abs(got - expected).max()) if got.size == expected.size else float("inf")
