"""Checks a configuration against the plugins and models that are installed.

``facesecure config check`` and a reload insist on it. The daemon starts without a plugin whose table is wrong, and says
so in its log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from facesecure.alerts.plugins.loader import load_plugin
from facesecure.config import AlertsConfig, FacesecureConfig, RecognizerConfig
from facesecure.config.toml_lines import key_lines, line_of
from facesecure.domain.errors import ConfigError, ModelError, did_you_mean
from facesecure.domain.interfaces import ENTRY_POINT_GROUP
from facesecure.util.rates import false_accept_warning


def check_config(config: FacesecureConfig, path: Path | None, state_dir: Path) -> None:
    """Raise ConfigError, with the lines in ``path``, if a plugin's table or the recogniser's model cannot be used.

    Example::

        check_config(load_config(path), path, state_dir)
    """
    require_usable_plugins(config.plugins, path, config.alerts.fallback)
    require_usable_recognizer(config.recognizer, path, state_dir)


def config_warnings(config: FacesecureConfig) -> list[str]:
    """Return what is allowed in ``config`` and makes no sense."""
    warning = false_accept_warning(config.verdict.false_accept)
    return [f"verdict.false_accept: {warning}"] if warning else []


def require_usable_plugins(
    tables: Mapping[str, Mapping[str, Any]], path: Path | None, fallback: Mapping[str, str] | None = None
) -> None:
    """Raise ConfigError, with the lines in ``path``, if a table names no installed plugin or has wrong settings.

    The plugins in ``fallback``, which maps each plugin to its substitute, must be installed too.
    """
    lines = key_lines(path.read_text(encoding="utf-8-sig")) if path else {}
    found = [(line_of(("plugins", name), lines), f"plugins.{name}", problem) for name, problem in _problems(tables)]
    found += [
        (line_of(("alerts", "fallback"), lines), "alerts.fallback", problem) for problem in _unknown(fallback or {})
    ]
    if found:
        problems = tuple(f"line {line}: {key}: {problem}" for line, key, problem in sorted(found))
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"{count} in {path or 'the settings'}", problems, hint="see: facesecure alerts list")


def require_usable_recognizer(config: RecognizerConfig, path: Path | None, state_dir: Path) -> None:
    """Raise ConfigError, with the line in ``path``, if the model is missing or not of the configured kind."""
    try:
        _read_cards(config, state_dir)
    except ModelError as error:
        lines = key_lines(path.read_text(encoding="utf-8-sig")) if path else {}
        line = line_of(("recognizer", "model"), lines)
        problem = f"line {line}: recognizer.model: {error.message}"
        raise ConfigError(f"one problem in {path or 'the settings'}", (problem,), hint=error.hint) from error


def _unknown(fallback: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each plugin that is not installed; the default pairs may name some that are not."""
    installed = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    own = [pair for pair in fallback.items() if pair not in AlertsConfig().fallback.items()]
    for name in dict.fromkeys(name for pair in own for name in pair):
        if name not in installed:
            yield f"no plugin {name} is installed" + did_you_mean(name, installed, prefix="; ")


def _problems(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the name of each plugin that cannot be used, and why."""
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


def _read_cards(config: RecognizerConfig, state_dir: Path) -> None:
    from facesecure.recognition.classifier_thresholds import ClassThresholds
    from facesecure.vision.inference.model_card import load_card

    embeds = load_card(config.embedding_model, state_dir)
    if config.kind == "classifier":
        ClassThresholds.from_card(load_card(config.model, state_dir))
    if embeds.task != "face-embedding":
        other = ', or kind = "classifier"' if embeds.task == "face-classification" else ""
        raise ModelError(f"{embeds.name} does not embed faces", f"choose an embedding model{other}")
