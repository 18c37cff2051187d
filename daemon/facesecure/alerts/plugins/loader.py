"""Load one plugin from its entry point and its settings; failures end in a record that says what went wrong."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib.metadata import EntryPoint
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from facesecure.alerts.plugins.api import PluginConfig, PluginContext, SerializedPlugin
from facesecure.config.entry_points import START_SECONDS, load_entry_point
from facesecure.config.secrets import learn_secrets
from facesecure.config.toml_lines import KeyPath
from facesecure.config.wording import model_at, problems_of, sentence, unknown_setting
from facesecure.domain.errors import FacesecureError, PluginError
from facesecure.util.containment import contained_in_time, describe
from facesecure.util.redaction import redact

_REPORT_HINT = "please report it to the plugin's author; enabled = false in its table disables it"


class PluginStatus(StrEnum):
    """The result of loading and checking a plugin."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    LOAD_ERROR = "load error"
    CONFIG_ERROR = "config error"
    CHECK_FAILED = "check failed"

    @property
    def in_use(self) -> bool:
        """True if the plugin gets alerts."""
        return self in (PluginStatus.ENABLED, PluginStatus.CHECK_FAILED)

    @property
    def broken(self) -> bool:
        """True if the user has something to correct."""
        return self not in (PluginStatus.ENABLED, PluginStatus.DISABLED)


SettingProblem = tuple[KeyPath, str]
"""A setting below [plugins.NAME], and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin: its package, its status and the reason, and the plugin itself if it is in use.

    ``problems`` are its wrong settings, one by one, which ``reason`` lists.
    """

    name: str
    status: PluginStatus
    origin: str = ""
    reason: str = ""
    hint: str = ""
    description: str = ""
    plugin: SerializedPlugin | None = None
    problems: tuple[SettingProblem, ...] = ()

    def __str__(self) -> str:
        """Return the name and the status, as in the summary line."""
        return f"{self.name} {self.status}" + (f" ({self.reason})" if self.status.broken else "")


class _Failed(Exception):
    def __init__(
        self, status: PluginStatus, reason: str, hint: str = "", problems: tuple[SettingProblem, ...] = ()
    ) -> None:
        super().__init__(redact(reason))
        self.status, self.reason, self.hint, self.problems = status, redact(reason), redact(hint), problems


def load_plugin(
    entry: EntryPoint, table: Mapping[str, Any] | None, context: PluginContext | None = None
) -> PluginRecord:
    """Import, configure and construct a plugin, without its check. Never raises: a failure ends in the record.

    ``table`` is the plugin's table of the configuration, None if there is none. A disabled plugin is not imported.
    ``context`` is passed to a plugin with ``attach``; without one the plugin is only listed, not used.
    """
    learn_secrets(table or {})
    origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    try:
        if not _wanted(table):
            reason = "enabled = false" if table else f"there is no [plugins.{entry.name}] in the configuration"
            return PluginRecord(entry.name, PluginStatus.DISABLED, origin, reason)
        plugin_class = _import(entry)
        plugin = _construct(plugin_class, _settings(plugin_class, table or {}), context)
    except _Failed as failed:
        return PluginRecord(entry.name, failed.status, origin, failed.reason, failed.hint, problems=failed.problems)
    return PluginRecord(entry.name, PluginStatus.ENABLED, origin, description=_summary(plugin_class), plugin=plugin)


def reason_of(error: BaseException) -> str:
    """Return an exception as one line, with its type unless it is a PluginError."""
    return error.message if isinstance(error, PluginError) else describe(error)


def _wanted(table: Mapping[str, Any] | None) -> bool:
    """Return whether the plugin is in use; also where it is unclear, so that its other settings are checked."""
    return table is not None and table.get("enabled", True) is not False


def _import(entry: EntryPoint) -> type:
    hint = f"reinstall the package that provides it, or set enabled = false in [plugins.{entry.name}]"
    try:
        loaded = load_entry_point(entry)
    except Exception as error:
        raise _Failed(PluginStatus.LOAD_ERROR, f"{entry.value} does not load: {reason_of(error)}", hint) from error
    if not inspect.isclass(loaded) or not callable(getattr(loaded, "send", None)):
        raise _Failed(PluginStatus.LOAD_ERROR, f"{entry.value} is not a class with a method send(alert)", hint)
    return loaded


def _settings(plugin_class: type, table: Mapping[str, Any]) -> BaseModel:
    config_class: type[BaseModel] = getattr(plugin_class, "Config", PluginConfig)
    settings = {key: value for key, value in table.items() if key != "enabled"}
    problems, config = _enabled_problems(table), None
    try:
        config = config_class.model_validate(settings)
    except ValidationError as error:
        problems += _problems(error.errors(), config_class, settings)
    except Exception as error:
        raise _Failed(
            PluginStatus.LOAD_ERROR, f"its Config is not a pydantic model: {reason_of(error)}", _REPORT_HINT
        ) from error
    if config is None or problems:
        raise _wrong(problems, config_class)
    return config


def _enabled_problems(table: Mapping[str, Any]) -> list[SettingProblem]:
    enabled = table.get("enabled", True)
    shown = f", not {enabled}" if isinstance(enabled, int | float) else ""  # text may be a misplaced password
    return [] if isinstance(enabled, bool) else [(("enabled",), f"must be true or false{shown}")]


def _wrong(problems: Sequence[SettingProblem], config_class: type[BaseModel]) -> _Failed:
    reason = "; ".join(sentence(*problem) for problem in problems)
    known = ", ".join(_own_first(config_class))
    return _Failed(PluginStatus.CONFIG_ERROR, reason, f"its settings are: {known}", tuple(problems))


def _own_first(config_class: type[BaseModel]) -> list[str]:
    """Return the names of the plugin's own settings, then of those that every plugin has."""
    common = PluginConfig.model_fields
    own = [name for name in config_class.model_fields if name not in common]
    return [*own, "enabled", *(name for name in config_class.model_fields if name in common)]


def _construct(plugin_class: type, config: BaseModel, context: PluginContext | None) -> SerializedPlugin:
    try:
        start = partial(_start, plugin_class, config, context)
        return contained_in_time(start, START_SECONDS, passed=FacesecureError, name="plugin-start")
    except Exception as error:
        hint = (error.hint if isinstance(error, PluginError) else None) or _REPORT_HINT
        raise _Failed(PluginStatus.LOAD_ERROR, f"it does not start: {reason_of(error)}", hint) from error


def _start(plugin_class: type, config: BaseModel, context: PluginContext | None) -> SerializedPlugin:
    plugin = SerializedPlugin(plugin_class(config), config if isinstance(config, PluginConfig) else None)
    if context is not None:
        plugin.attach(context)
    return plugin


def _problems(errors: Sequence[ErrorDetails], config_class: type[BaseModel], settings: Any) -> list[SettingProblem]:
    """Describe wrong settings. Numbers and booleans are quoted; text is not, as it may be a password or a token."""
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    others = [error for error in errors if error["type"] != "extra_forbidden"]
    return [
        *((path, unknown_setting(str(path[-1]), _known(config_class, path))) for path in unknown),
        *problems_of(others, config_class, settings, quote_text=False),
    ]


def _known(config_class: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the names of the settings beside the one at ``path``."""
    within = model_at(config_class, path[:-1])
    return [*(within.model_fields if within else ()), *(["enabled"] if len(path) == 1 else [])]


def _summary(plugin_class: type) -> str:
    """Return the first line of the class's own docstring."""
    return (inspect.cleandoc(plugin_class.__doc__ or "").splitlines() or [""])[0]
