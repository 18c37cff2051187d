"""Who can be recognised, for commands that load no model: everybody enrolled, or whom the classifier learnt."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facesecure.config import RecognizerConfig
from facesecure.domain.errors import ModelError


def known_names(config: RecognizerConfig, state_dir: Path, enrolled: Iterable[str]) -> list[str]:
    """Names of those who can be recognised, where ``enrolled`` are those in the store.

    Of a classifier whose card cannot be read, those in the store: whoever runs it will hear of that.
    """
    if config.kind == "embedding":
        return list(enrolled)
    from facesecure.recognition.classifier import names_of
    from facesecure.vision.inference.model_card import load_card

    try:
        return list(names_of(load_card(config.model, state_dir)))
    except ModelError:
        return list(enrolled)
