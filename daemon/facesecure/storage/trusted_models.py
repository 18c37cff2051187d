"""Load models whose card can be trusted, and trust a card.

A bundled model is part of the installation. Of a model that can be pulled, the installation has the card, with the hash
of the file. Any other card in a state directory must be signed, since a card says how well a model tells people apart,
and its hash which file is loaded. A model outside of any state directory is the administrator's: the configuration
names its path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from facesecure.domain.errors import ModelError, StoreError
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.unsigned_state import DATABASE_NAME
from facesecure.vision.inference import card_files, model_card
from facesecure.vision.inference.model_card import CardCheck, Model, ModelCard

_MAX_LINKS = 40
"""As many links as Linux follows."""


def load_model(name_or_path: str | Path, state_dir: Path | None = None) -> Model:
    """Load a model as ``vision.inference.model_card.load_model`` does, if its card can be trusted. Raises ModelError.

    Example::

        load_model(config.recognizer.model, state_dir)
    """
    return model_card.load_model(name_or_path, state_dir, check_card(state_dir))


def load_card(name_or_path: str | Path, state_dir: Path | None = None) -> ModelCard:
    """Return the card alone of the model that ``load_model`` would load. Raises ModelError."""
    return model_card.load_card(name_or_path, state_dir, check_card(state_dir))


def check_card(state_dir: Path | None) -> CardCheck:
    """Return the function that checks a card, with the key of ``state_dir``."""
    return partial(_checked, state_dir)


def trust(name_or_path: str | Path, state_dir: Path) -> Model:
    """Sign the card of a model in ``state_dir``, after checking its file and its golden output; return the model.

    Raises ModelError if there is no card, if they do not fit, or if the model is bundled, can be pulled, or lies
    elsewhere: these need no signature. Raises StoreError if the card cannot be written.
    """
    path = card_files.find_card(name_or_path, state_dir)
    if not path.is_file():
        raise ModelError(f"there is no model card {path}", "facesecure models list shows the models that are there")
    root, name = _place(path, state_dir)
    if name is None or card_files.pinned_card(path) is not None:
        raise ModelError(f"{path} needs no signature", "only a model of your own in the state directory does")
    model = model_card.load_model(path, state_dir, lambda _, content: card_files.unsigned(content))
    model.verify()
    try:
        SignedDocuments(state_dir if root is None else root).write(name, model.card.model_dump(mode="json"))
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", "check who owns the state directory") from error
    return model


def _checked(state_dir: Path | None, path: Path, content: bytes) -> bytes:
    """Return the card in ``content`` of ``path`` without its signature. Raises ModelError if it cannot be trusted."""
    root, name = _place(path, state_dir)
    if root is None or name is None:
        return card_files.unsigned(content)
    try:
        SignedDocuments(state_dir or root).verified(name, content)
    except StoreError as error:
        raise ModelError(
            f"the model is not used: {error.message}",
            f"fetch it again from where you got it; if it is what you put there: facesecure models trust {path}",
        ) from error
    return card_files.unsigned(content)


def _place(path: Path, state_dir: Path | None) -> tuple[Path | None, str | None]:
    """Return the state directory through which ``path`` leads, and its name in there; (None, None) if there is none."""
    for step in _steps(path):
        for root in _roots(step, state_dir):
            return root, str(step.relative_to(root))
    return None, None


def _roots(step: Path, state_dir: Path | None) -> Iterator[Path]:
    if state_dir is not None:
        yield from (root for root in (_absolute(state_dir), state_dir.resolve()) if step.is_relative_to(root))
    yield from (parent for parent in step.parents if (parent / DATABASE_NAME).exists())


def _steps(path: Path) -> Iterator[Path]:
    """Yield ``path``, and each path that its links lead to, one link at a time: any may lie in a state directory."""
    step = _absolute(path)
    for _ in range(_MAX_LINKS):
        yield step
        link = next((part for part in (*reversed(step.parents), step) if part.is_symlink()), None)
        if link is None:
            return
        step = _absolute(link.parent / link.readlink() / step.relative_to(link))
    raise ModelError(f"{path} leads through too many links", "name the model itself")


def _absolute(path: Path) -> Path:
    """Return ``path`` from the root, with its links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links
