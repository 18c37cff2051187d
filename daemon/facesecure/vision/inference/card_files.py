"""Find the cards of models: bundled, pulled, or at a path; and know those that belong to the installation."""

from __future__ import annotations

import json
import logging
from importlib import resources
from pathlib import Path

from facesecure.domain.errors import ModelError
from facesecure.util.files import read_regular
from facesecure.util.paths import expanded

REFETCH = "run `facesecure models verify`; reinstalling restores a bundled model, `facesecure models pull` another"

_log = logging.getLogger(__name__)


def bundled_directory() -> Path:
    """Return the folder of the bundled models."""
    return Path(str(resources.files("facesecure.vision.inference"))) / "models"


def available_models(state_dir: Path | None = None) -> dict[str, Path]:
    """Return the card's path of every bundled or pulled model by name. No other takes the name of a bundled one."""
    folders = ([state_dir / "models"] if state_dir else []) + [bundled_directory()]
    return {card.stem: card for folder in folders for card in sorted(folder.glob("*.json"))}


def shadowing_cards(state_dir: Path) -> list[Path]:
    """Return the cards in ``state_dir``/models that have the name of a bundled model, and are ignored."""
    return [
        card for card in sorted((state_dir / "models").glob("*.json")) if (bundled_directory() / card.name).exists()
    ]


def find_card(name_or_path: str | Path, state_dir: Path | None) -> Path:
    """Return the path of the card of the model of that name or at that path. Raises ModelError if there is none."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or text.endswith((".tflite", ".onnx", ".json")):
        return card_path_of(name_or_path)
    known = available_models(state_dir)
    for shadow in shadowing_cards(state_dir) if state_dir else ():
        if shadow.stem == text:
            _log.error("%s is ignored: it has the name of a bundled model, which is used; remove it", shadow)
    if text not in known:
        raise ModelError(f"there is no model {text!r}", f"there are: {', '.join(sorted(known)) or 'none'}")
    return known[text]


def card_path_of(path: str | Path) -> Path:
    """Return the path of the card of the model at ``path``: NAME.tflite or the card itself. Raises ModelError."""
    named = expanded(path)
    if not named.name:
        raise ModelError(f"{str(path)!r} names no model", "give the path of NAME.tflite, with NAME.json beside it")
    return named.with_suffix(".json")


def pinned_card(path: Path) -> bytes | None:
    """Return the card that the installation has for the one at ``path``: of a bundled model, or of one to pull."""
    if path.parent.resolve() == bundled_directory().resolve():
        return read_card(path)
    downloadable = bundled_directory() / "downloadable" / path.name
    return read_card(downloadable) if downloadable.exists() else None


def unsigned(content: bytes) -> bytes:
    """Return the card in ``content`` without its signature; what is no card, as it is."""
    try:
        document = json.loads(content)
        return json.dumps({name: document[name] for name in document if name != "signature"}).encode()
    except (ValueError, TypeError, RecursionError):
        return content


def read_card(path: Path) -> bytes:
    """Return the content of the card at ``path``. Raises ModelError if it cannot be read."""
    try:
        return read_regular(path)
    except OSError as error:
        raise ModelError(f"cannot read model card {path}: {error.strerror}", REFETCH) from error
