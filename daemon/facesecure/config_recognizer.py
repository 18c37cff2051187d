"""Checks [recognizer] against the model's card, for ``facesecure config check``. The daemon itself refuses to start."""

from __future__ import annotations

from pathlib import Path

from facesecure.config import RecognizerConfig
from facesecure.errors import ConfigError, ModelError
from facesecure.toml_lines import key_lines, line_of


def require_usable_recognizer(config: RecognizerConfig, path: Path | None, state_dir: Path) -> None:
    """Raise ConfigError, with the line in ``path``, where the model is not there or is not of that kind."""
    try:
        _read_cards(config, state_dir)
    except ModelError as error:
        lines = key_lines(path.read_text(encoding="utf-8-sig")) if path else {}
        line = line_of(("recognizer", "model"), lines)
        problem = f"line {line}: recognizer.model: {error.message}"
        raise ConfigError(f"one thing is wrong in {path or 'the settings'}", (problem,), hint=error.hint) from error


def _read_cards(config: RecognizerConfig, state_dir: Path) -> None:
    from facesecure.recognize.classifier_standards import ClassStandards
    from facesecure.vision.model_card import load_card

    embeds = load_card(config.embedding_model, state_dir)
    if config.kind == "classifier":
        ClassStandards.from_card(load_card(config.model, state_dir))
    if embeds.task != "face-embedding":
        other = ', or kind = "classifier"' if embeds.task == "face-classification" else ""
        raise ModelError(f"{embeds.name} does not embed faces", f"choose an embedding model{other}")
