"""Checks the [plugins] tables against the plugins that are installed, for ``facesecure config check``.

The daemon itself does not insist: it runs without a plugin whose table is wrong, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from facesecure.alerts.plugins.loader import load_plugin
from facesecure.config import AlertsConfig, RecognizerConfig
from facesecure.config.toml_lines import key_lines, line_of
from facesecure.domain.errors import ConfigError, ModelError, did_you_mean
from facesecure.domain.interfaces import ENTRY_POINT_GROUP


def require_usable_plugins(
    tables: Mapping[str, Mapping[str, Any]], path: Path | None, fallback: Mapping[str, str] | None = None
) -> None:
    """Raise ConfigError, with the lines in ``path``, where a table names no plugin or does not fit it.

    ``fallback``, which plugin stands in for which, must name plugins that are installed.
    """
    lines = key_lines(path.read_text(encoding="utf-8-sig")) if path else {}
    found = [(line_of(("plugins", name), lines), f"plugins.{name}", problem) for name, problem in _problems(tables)]
    found += [
        (line_of(("alerts", "fallback"), lines), "alerts.fallback", problem) for problem in _unknown(fallback or {})
    ]
    if found:
        problems = tuple(f"line {line}: {key}: {problem}" for line, key, problem in sorted(found))
        raise ConfigError(
            f"{len(problems)} wrong in {path or 'the settings'}", problems, hint="see: facesecure alerts list"
        )


def _unknown(fallback: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the pairs that are not there by default: a default is no mistake of the householder's."""
    installed = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    own = [pair for pair in fallback.items() if pair not in AlertsConfig().fallback.items()]
    for name in dict.fromkeys(name for pair in own for name in pair):
        if name not in installed:
            yield f"no plugin {name} is installed" + did_you_mean(name, installed, prefix="; ")


def _problems(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    for name, table in tables.items():
        if name not in installed:
            yield name, "no such plugin is installed" + did_you_mean(name, installed, prefix="; ")
            continue
        record = load_plugin(installed[name], table)
        if record.plugin is not None:
            record.plugin.close()
        if record.status.broken:
            yield name, f"{record.reason}{f'; {record.hint}' if record.hint else ''}"


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
    from facesecure.recognition.classifier_thresholds import ClassThresholds
    from facesecure.vision.inference.model_card import load_card

    embeds = load_card(config.embedding_model, state_dir)
    if config.kind == "classifier":
        ClassThresholds.from_card(load_card(config.model, state_dir))
    if embeds.task != "face-embedding":
        other = ', or kind = "classifier"' if embeds.task == "face-classification" else ""
        raise ModelError(f"{embeds.name} does not embed faces", f"choose an embedding model{other}")
