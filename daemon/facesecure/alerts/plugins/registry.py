"""Find the installed plugins by their entry points, load and check them, and report the status of each.

Nothing that a plugin does meanwhile stops the daemon or another plugin.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from facesecure.alerts.plugins.api import PluginContext, SerializedPlugin
from facesecure.alerts.plugins.loader import PluginRecord, PluginStatus, load_plugin, reason_of
from facesecure.domain.errors import PluginError, did_you_mean
from facesecure.domain.interfaces import ENTRY_POINT_GROUP

CHECK_SECONDS = 1.0
"""Seconds that the daemon's start waits for all checks together; slower ones finish in the background."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registry:
    """The records of all plugins that are installed or named in the configuration, sorted by name.

    Example::

        registry = Registry.load({"log": {}}, context=context)
        dispatcher.attach(registry.enabled())
    """

    records: Sequence[PluginRecord]

    @classmethod
    def load(
        cls,
        tables: Mapping[str, Mapping[str, Any]],
        *,
        installed: Iterable[EntryPoint] | None = None,
        check_seconds: float = CHECK_SECONDS,
        context: PluginContext | None = None,
    ) -> Registry:
        """Load the installed plugins that have a table in ``tables`` (the configuration's [plugins]), and check them.

        ``context`` is passed to the plugins with ``attach``; to list plugins it can be left out. ``installed`` replaces
        the entry points of this Python, for tests. Logs one summary line, and a warning for each broken plugin. Never
        raises.
        """
        records = load_records(tables, installed=installed, context=context)
        registry = cls(sorted(_check(records, check_seconds), key=lambda record: record.name))
        registry._log()
        return registry

    def enabled(self) -> dict[str, SerializedPlugin]:
        """Return the plugins that get alerts, including those whose check failed."""
        return {record.name: record.plugin for record in self.records if record.plugin is not None}

    def record(self, name: str) -> PluginRecord:
        """Return the record of the plugin ``name``. Raises PluginError if there is none."""
        for record in self.records:
            if record.name == name:
                return record
        raise PluginError(f"there is no plugin {name!r}", _suggestion(name, [record.name for record in self.records]))

    def summary(self) -> str:
        """Return the status of all plugins in one line."""
        return "plugins: " + ("; ".join(str(record) for record in self.records) or "none")

    def _log(self) -> None:
        log.info("%s", self.summary())
        for record in self.records:
            if record.status.broken:
                log.warning("plugin %s: %s: %s%s", record.name, record.status, record.reason, _after_dash(record.hint))


def load_records(
    tables: Mapping[str, Mapping[str, Any]],
    *,
    installed: Iterable[EntryPoint] | None = None,
    context: PluginContext | None = None,
) -> list[PluginRecord]:
    """Load the plugins as ``Registry.load`` does, without checking and logging them."""
    entries = _by_name(entry_points(group=ENTRY_POINT_GROUP) if installed is None else installed)
    records = [_load(name, entries[name], tables.get(name), context) for name in entries]
    return records + [_unknown(name, entries) for name in tables if name not in entries]


def _by_name(entries: Iterable[EntryPoint]) -> dict[str, list[EntryPoint]]:
    """Group entry points by name; one found twice, in two folders of sys.path, counts once."""
    by_name: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for entry in entries:
        package = entry.dist.name if entry.dist else ""
        by_name.setdefault(entry.name, {})[package, entry.value] = entry
    return {name: list(found.values()) for name, found in by_name.items()}


def _load(
    name: str, entries: Sequence[EntryPoint], table: Mapping[str, Any] | None, context: PluginContext | None
) -> PluginRecord:
    if len(entries) == 1 or table is None:
        return load_plugin(entries[0], table, context)
    packages = " and ".join(sorted(entry.dist.name if entry.dist else entry.value for entry in entries))
    reason = f"several packages provide a plugin of this name: {packages}"
    return PluginRecord(name, PluginStatus.LOAD_ERROR, packages, reason, "uninstall all but one of them")


def _unknown(name: str, known: Iterable[str]) -> PluginRecord:
    reason = f"no plugin called {name!r} is installed"
    return PluginRecord(name, PluginStatus.CONFIG_ERROR, reason=reason, hint=_suggestion(name, list(known)))


def _suggestion(name: str, known: Sequence[str]) -> str:
    return did_you_mean(name, known) or f"there are: {', '.join(sorted(known)) or 'none'}"


def _check(records: Sequence[PluginRecord], seconds: float) -> list[PluginRecord]:
    """Run all checks in parallel, waiting at most ``seconds`` for all of them together."""
    checks = [_Check(record) for record in records if record.plugin is not None]
    deadline = time.monotonic() + seconds
    results = {check.record.name: check.result(deadline, seconds) for check in checks}
    return [results.get(record.name, record) for record in records]


class _Check:
    """One plugin's check, on its own thread."""

    def __init__(self, record: PluginRecord) -> None:
        self.record = record
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=f"check-{record.name}", daemon=True)
        self._thread.start()

    def result(self, deadline: float, seconds: float) -> PluginRecord:
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            return self._failed(f"no answer within {seconds:g} s", "alerts are sent to it all the same")
        if self._error is None:
            return self.record
        hint = self._error.hint if isinstance(self._error, PluginError) else None
        return self._failed(reason_of(self._error), hint or "alerts are sent to it all the same")

    def _failed(self, reason: str, hint: str) -> PluginRecord:
        return replace(self.record, status=PluginStatus.CHECK_FAILED, reason=reason, hint=hint)

    def _work(self) -> None:
        assert self.record.plugin is not None
        try:
            self.record.plugin.check()
        except Exception as error:  # noqa: BLE001 - the caller reports it
            self._error = error


def _after_dash(hint: str) -> str:
    return f" - {hint}" if hint else ""
