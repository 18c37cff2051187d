"""One trained model in the forms asked for: converted, checked, compared on both runtimes, and written."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ModelError, UsageError
from facesecure.util.files import replace_file
from facesecure.vision.inference.model_card import ModelCard
from facesecure_training.common import model_bundle
from facesecure_training.common.disk_errors import writing
from facesecure_training.common.flatbuffer import output_scale
from facesecure_training.export import operations, runtimes
from facesecure_training.export.convert import Precision, static, to_tflite
from facesecure_training.export.parity import OutputKind, Outputs, Proof, output_kind, prove, require
from facesecure_training.export.runtimes import RuntimeReading
from facesecure_training.export.samples import crops_under, shipped_samples
from facesecure_training.export.trained import Identity
from facesecure_training.networks.saved import image_size

FORMS: Mapping[str, Precision] = {
    "float": "float32",
    "float16": "float16",
    "dynamic": "dynamic8",
    "mixed": "mixed8",
    "int8": "int8",
    "edgetpu": "edgetpu",
}
_CALIBRATED = {"int8", "edgetpu"}
_GOLDEN: Mapping[Precision, float] = {
    "float32": 1e-3,
    "float16": 2e-3,
    "dynamic8": 0.05,
    "mixed8": 0.05,
    "int8": 0.1,
    "edgetpu": 0.1,
}
_NOTES: Mapping[Precision, str] = {
    "float32": "The reference.",
    "float16": "Weights are stored as float16 and computed in float32.",
    "dynamic8": "Weights are int8; activations are rounded to 8 bits at run time.",
    "mixed8": "Kernels of all convolutions but the first are int8; activations are rounded to 8 bits at run time.",
    "int8": "Weights and activations are int8; takes uint8, returns float32.",
}


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export: ``forms`` by the command line's words, as files in ``into`` named after ``name``.

    ``data`` holds crops to check parity on and to calibrate int8 (the shipped portraits if None), ``limit`` of which
    are drawn by ``seed``. ``python`` has tflite-runtime. ``tolerance`` replaces the forms' own.
    """

    name: str
    into: Path
    forms: Sequence[str]
    data: Path | None = None
    limit: int = 200
    seed: int = 0
    python: Path | None = None
    tolerance: float | None = None

    def name_of(self, form: str) -> str:
        """Return the file's name for ``form``."""
        return self.name if len(self.forms) == 1 and form != "edgetpu" else f"{self.name}-{form}"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, its measurements, and why it is not for an Edge TPU (empty: no reason)."""

    form: str
    file: Path
    size: int
    proof: Proof
    readings: Sequence[RuntimeReading]
    tpu: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the result for JSON."""
        runs = {
            one.runtime: {"milliseconds": round(one.milliseconds, 3), **asdict(one.delegation)} for one in self.readings
        }
        parity = self.proof.as_card("Keras, float32")
        return {
            "form": self.form,
            "file": str(self.file),
            "size": self.size,
            "parity": parity,
            "runtimes": runs,
            "edgetpu": {"ready": not self.tpu, "problems": list(self.tpu)},
        }


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that cannot be exported, and why."""

    form: str
    error: ModelError

    def as_json(self) -> dict[str, Any]:
        """Return the refusal for JSON."""
        return {"form": self.form, "refused": self.error.message, "hint": self.error.hint}


def export(model: Any, identity: Identity, order: ExportRequest) -> Iterator[Exported | Refused]:
    """Write ``model`` in every form of ``order``, one after the other.

    Raises UsageError, ImageError for unsuitable data, and ModelError for a network whose own outputs are no numbers.
    """
    size = image_size(model)
    if _CALIBRATED & set(order.forms) and order.data is None:
        raise UsageError("int8 needs real faces to find its ranges", "pass a folder of face crops with --data")
    images = crops_under(order.data, size, order.limit, order.seed) if order.data is not None else shipped_samples(size)
    source = _Source(model, identity, np.stack(images))
    for form in order.forms:
        try:
            yield source.write(form, order)
        except ModelError as error:
            yield Refused(form, error)


class _Source:
    """The Keras model and its outputs, which those of the files are compared with."""

    def __init__(self, model: Any, identity: Identity, images: Image) -> None:
        self._model, self._identity, self._images = model, identity, images
        self._shape = (1, *(int(side) for side in images.shape[1:]))
        reference = static(model, "float32")
        self._answers = np.concatenate([_flat(reference(image[None], training=False)) for image in images])
        _require_numbers(self._answers)
        self._kind: OutputKind = output_kind(self._answers, bool(identity.classes))
        self._facts = identity.as_card(self._answers.shape[1], self._shape[1])

    def write(self, form: str, order: ExportRequest) -> Exported:
        """Write one form. Raises ModelError if it is refused."""
        precision = FORMS[form]
        content = to_tflite(self._model, precision, [image[None] for image in self._images])
        operations.require_supported(content)
        readings = self._read(content, order.python)
        proof = self._proved(precision, readings, order.tolerance)
        self._demand_agreement(precision, readings)
        name = order.name_of(form)
        if form == "edgetpu":
            with writing(order.into / f"{name}.tflite"):
                order.into.mkdir(parents=True, exist_ok=True)
                replace_file(order.into / f"{name}.tflite", content)
        else:
            self._save(order.into, name, precision, content, proof, readings)
        problems = operations.tpu_problems(content)
        return Exported(form, order.into / f"{name}.tflite", len(content), proof, readings, problems)

    def _read(self, content: bytes, python: Path | None) -> list[RuntimeReading]:
        """Run both runtimes on all images, and on the golden squares last."""
        images = np.concatenate([self._images, model_bundle.golden_squares(self._golden_shape)])
        scale, zero = output_scale(content)
        found = [runtimes.read(content, images, one) for one in (None, *([python] if python else []))]
        return [
            RuntimeReading(one.runtime, (one.outputs - zero) * np.float32(scale), one.milliseconds, one.delegation)
            for one in found
        ]

    def _proved(self, precision: Precision, readings: Sequence[RuntimeReading], tolerance: float | None) -> Proof:
        """Return the worst proof of the runtimes. Raises ModelError if one deviates."""
        proofs = {
            one.runtime: prove(self._kind, precision, self._answers, one.outputs[:-1], tolerance) for one in readings
        }
        for runtime, proof in proofs.items():
            require(proof, f"{precision} on {runtime}")
        worst = min if self._kind == "direction" else max
        return worst(proofs.values(), key=lambda proof: proof.value)

    def _demand_agreement(self, precision: Precision, readings: Sequence[RuntimeReading]) -> None:
        """Raise ModelError if the runtimes disagree: the daemon checks the golden output on whichever it finds."""
        golden = [one.outputs[-1] for one in readings]
        apart = max(float(np.abs(one - golden[0]).max()) for one in golden)
        if apart > self._golden_tolerance(precision):
            raise ModelError(f"the runtimes differ by {apart:.3g} on the golden input", "use a form with more bits")

    def _golden_tolerance(self, precision: Precision) -> float:
        return _GOLDEN[precision] * max(1.0, float(np.abs(self._answers).max()))

    @property
    def _golden_shape(self) -> tuple[int, int, int, int]:
        _, height, width, channels = self._shape
        return 1, height, width, channels

    def _save(
        self,
        into: Path,
        name: str,
        precision: Precision,
        content: bytes,
        proof: Proof,
        readings: Sequence[RuntimeReading],
    ) -> ModelCard:
        machine = platform.machine()
        facts = {
            **self._facts,
            "name": name,
            "input": {"shape": self._shape, "dtype": "uint8", "colour": "RGB"},
            "precision": precision,
            "parity": [proof.as_card("Keras, float32")],
            "delegation": {one.runtime: asdict(one.delegation) for one in readings},
            "timing": {
                one.runtime: {"milliseconds": round(one.milliseconds, 3), "machine": machine} for one in readings
            },
            "notes": _NOTES[precision],
        }
        return model_bundle.write(into, content, facts, self._golden_shape, self._golden_tolerance(precision))


def _require_numbers(answers: Outputs) -> None:
    if not np.isfinite(answers).all():
        raise ModelError(
            "the network itself gives NaN or infinity, before any conversion",
            "its training diverged: train it again, with a lower --lr",
        )


def _flat(outputs: Any) -> Outputs:
    """Return the outputs for one image as one row."""
    parts = outputs if isinstance(outputs, list | tuple) else [outputs]
    row: NDArray[np.float32] = np.concatenate([np.asarray(part, np.float32).ravel() for part in parts])
    return row[None]
