"""Load one plugin from its entry point and its settings; failures end in a record that says what went wrong."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from facesecure.alerts.plugins.api import PluginConfig, PluginContext, SerializedPlugin
from facesecure.config.secrets import learn_secrets
from facesecure.domain.errors import PluginError, did_you_mean
from facesecure.util.redaction import redact
from facesecure.util.secret_patterns import is_secret_name

_REPORT_HINT = "please report it to the plugin's author; enabled = false in its table disables it"

_log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin: its package, its status and the reason, and the plugin itself if it is in use."""

    name: str
    status: PluginStatus
    origin: str = ""
    reason: str = ""
    hint: str = ""
    description: str = ""
    plugin: SerializedPlugin | None = None

    def __str__(self) -> str:
        """Return the name and the status, as in the summary line."""
        return f"{self.name} {self.status}" + (f" ({self.reason})" if self.status.broken else "")


class _Failed(Exception):
    def __init__(self, status: PluginStatus, reason: str, hint: str = "") -> None:
        super().__init__(redact(reason))
        self.status, self.reason, self.hint = status, redact(reason), redact(hint)


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
        return PluginRecord(entry.name, failed.status, origin, failed.reason, failed.hint)
    return PluginRecord(entry.name, PluginStatus.ENABLED, origin, description=_summary(plugin_class), plugin=plugin)


def reason_of(error: BaseException) -> str:
    """Return an exception as one line, with its type unless it is a PluginError."""
    if isinstance(error, PluginError):
        return error.message
    return redact(f"{type(error).__name__}: {error}") if str(error) else type(error).__name__


def _wanted(table: Mapping[str, Any] | None) -> bool:
    if table is None:
        return False
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        raise _Failed(PluginStatus.CONFIG_ERROR, f"enabled must be true or false, not {redact(repr(enabled))}")
    return enabled


def _import(entry: EntryPoint) -> type:
    hint = f"reinstall the package that provides it, or set enabled = false in [plugins.{entry.name}]"
    try:
        loaded = entry.load()
    except (Exception, SystemExit) as error:
        _log.debug("plugin %s does not load", entry.name, exc_info=True)
        raise _Failed(PluginStatus.LOAD_ERROR, f"{entry.value} does not load: {reason_of(error)}", hint) from error
    if not inspect.isclass(loaded) or not callable(getattr(loaded, "send", None)):
        raise _Failed(PluginStatus.LOAD_ERROR, f"{entry.value} is not a class with a method send(alert)", hint)
    return loaded


def _settings(plugin_class: type, table: Mapping[str, Any]) -> BaseModel:
    config_class: type[BaseModel] = getattr(plugin_class, "Config", PluginConfig)
    try:
        return config_class.model_validate({key: value for key, value in table.items() if key != "enabled"})
    except ValidationError as error:
        problems = "; ".join(_problem(details, config_class) for details in error.errors())
        known = ", ".join(_own_first(config_class))
        raise _Failed(PluginStatus.CONFIG_ERROR, problems, f"its settings are: {known}") from error
    except Exception as error:
        raise _Failed(
            PluginStatus.LOAD_ERROR, f"its Config is not a pydantic model: {reason_of(error)}", _REPORT_HINT
        ) from error


def _own_first(config_class: type[BaseModel]) -> list[str]:
    """Return the names of the plugin's own settings, then of those that every plugin has."""
    common = PluginConfig.model_fields
    own = [name for name in config_class.model_fields if name not in common]
    return [*own, "enabled", *(name for name in config_class.model_fields if name in common)]


def _construct(plugin_class: type, config: BaseModel, context: PluginContext | None) -> SerializedPlugin:
    try:
        plugin = SerializedPlugin(plugin_class(config), config if isinstance(config, PluginConfig) else None)
        if context is not None:
            plugin.attach(context)
        return plugin
    except (Exception, SystemExit) as error:
        _log.debug("plugin %s does not start", plugin_class, exc_info=True)
        hint = (error.hint if isinstance(error, PluginError) else None) or _REPORT_HINT
        raise _Failed(PluginStatus.LOAD_ERROR, f"it does not start: {reason_of(error)}", hint) from error


def _problem(details: ErrorDetails, config_class: type[BaseModel]) -> str:
    """Describe a wrong setting. Numbers and booleans are quoted; text is not, as it may be a password or a token."""
    key = ".".join(str(part) for part in details["loc"])
    if details["type"] != "extra_forbidden":
        given, message = details["input"], details["msg"].removeprefix("Value error, ")
        shown = isinstance(given, int | float) and details["type"] != "string_type" and not is_secret_name(key)
        return f"{key}: {message}, not {given}" if shown else f"{key}: {message}"
    return f"there is no setting {key!r}" + did_you_mean(key, config_class.model_fields, prefix="; ")


def _summary(plugin_class: type) -> str:
    """Return the first line of the class's own docstring."""
    return (inspect.cleandoc(plugin_class.__doc__ or "").splitlines() or [""])[0]
