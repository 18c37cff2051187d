"""Networks as Keras saved them: a .keras file, or the folder of a run."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from facesecure.domain.errors import ModelError
from facesecure_training import networks
from facesecure_training.common.optional_dependencies import tensorflow

_BEST = ("best.keras", "model.keras", "final.keras", "last.keras")


def read(path: Path) -> Any:
    """Load the Keras model at ``path``: a .keras file, or the folder of a run.

    Of a siamese network, the embedder in it. A network that was trained in mixed precision computes in float32.

    Raises ModelError if there is none, or Keras cannot read it.
    """
    file = file_of(path)
    keras = tensorflow().keras
    for module in pkgutil.iter_modules(networks.__path__):  # once imported, Keras knows the layers they define
        importlib.import_module(f"{networks.__name__}.{module.name}")
    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, TypeError, OSError, KeyError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or ["?"])[0]
        raise ModelError(f"Keras cannot read {file}: {reason}", "save it with model.save('NAME.keras')") from error
    return in_float32(embedding_part(model))


def in_float32(model: Any) -> Any:
    """Return ``model`` computing in float32, as its weights are kept: TFLite knows no bfloat16."""
    if all(layer.compute_dtype == layer.variable_dtype for layer in model.layers):
        return model
    made = type(model).from_config(_without_mixed_precision(model.get_config()))
    made.set_weights(model.get_weights())
    return made


def _without_mixed_precision(config: Any) -> Any:
    """Return ``config``, of a network or a part of its configuration, with float32 in the place of mixed policies."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and str(config["config"]["name"]).startswith("mixed_"):
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _without_mixed_precision(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_without_mixed_precision(part) for part in config)
    return config


def embedding_part(model: Any) -> Any:
    """Return ``model`` if it takes one image; of a siamese pair, the network inside that embeds one.

    Raises ModelError for a network of several inputs without such a part.
    """
    if len(model.inputs) == 1:
        return model
    inside = [part for part in model.layers if hasattr(part, "layers") and len(part.inputs) == 1]
    if len(inside) != 1:
        raise ModelError(f"{model.name} takes {len(model.inputs)} images at once", "export the part that embeds one")
    return inside[0]


def image_size(model: Any) -> tuple[int, int]:
    """Return the input size (height, width). Raises ModelError unless ``model`` takes one RGB image of fixed size."""
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or shape[3] != 3 or None in shape[1:]:
        raise ModelError(f"{model.name} takes {shape}, not RGB images of one size", "give its input a fixed shape")
    return int(shape[1]), int(shape[2])


def file_of(path: Path) -> Path:
    """Return the path of the .keras file. Raises ModelError if there is none."""
    if path.is_file():
        return path
    found = [path / name for name in _BEST if (path / name).is_file()] or sorted(path.glob("*.keras"))
    if not found:
        raise ModelError(f"there is no Keras model at {path}", "pass NAME.keras, or the folder of a finished run")
    return found[0]
