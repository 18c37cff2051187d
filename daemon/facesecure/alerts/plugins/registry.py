"""Finds the plugins that are installed, ours and a stranger's by the same door, and says what became of each.

Nothing a plugin does while it is found, loaded, configured or checked stops the daemon or another plugin.
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
from facesecure.alerts.plugins.loader import PluginRecord, PluginStatus, load_plugin, why
from facesecure.domain.errors import PluginError, did_you_mean
from facesecure.domain.interfaces import ENTRY_POINT_GROUP

CHECK_SECONDS = 1.0
"""How long the daemon's start waits for all checks together; they go on after that, and nobody waits for them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registry:
    """The records of all plugins that are installed or named in the configuration, by name."""

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
        """Load what is installed and has a table in ``tables`` (the configuration's [plugins]), and check it.

        ``context`` is lent to the plugins that take it; plugins that are only listed need none.
        ``installed`` is for tests; without it, the entry points of this Python. Logs one summary line, and a
        warning for each plugin that somebody should look at. Never raises.
        """
        entries = entry_points(group=ENTRY_POINT_GROUP) if installed is None else installed
        offers = _by_name(entries)
        records = [_load(name, offers[name], tables.get(name), context) for name in offers]
        records += [_unknown(name, offers) for name in tables if name not in offers]
        registry = cls(sorted(_check(records, check_seconds), key=lambda record: record.name))
        registry._log()
        return registry

    def enabled(self) -> dict[str, SerializedPlugin]:
        """The plugins that get alerts, those whose check failed included."""
        return {record.name: record.plugin for record in self.records if record.plugin is not None}

    def record(self, name: str) -> PluginRecord:
        """The record of that name. Raises PluginError where there is none."""
        for record in self.records:
            if record.name == name:
                return record
        raise PluginError(f"there is no plugin {name!r}", _suggestion(name, [record.name for record in self.records]))

    def summary(self) -> str:
        """All of them in one line."""
        return "plugins: " + ("; ".join(str(record) for record in self.records) or "none")

    def _log(self) -> None:
        log.info("%s", self.summary())
        for record in self.records:
            if record.status.broken:
                log.warning("plugin %s: %s: %s%s", record.name, record.status, record.reason, _dash(record.hint))


def _by_name(entries: Iterable[EntryPoint]) -> dict[str, list[EntryPoint]]:
    """Entry points by name; one found twice (a package that two folders of sys.path show) counts once."""
    offers: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for entry in entries:
        package = entry.dist.name if entry.dist else ""
        offers.setdefault(entry.name, {})[package, entry.value] = entry
    return {name: list(found.values()) for name, found in offers.items()}


def _load(
    name: str, offers: Sequence[EntryPoint], table: Mapping[str, Any] | None, context: PluginContext | None
) -> PluginRecord:
    if len(offers) == 1 or table is None:
        return load_plugin(offers[0], table, context)
    packages = " and ".join(sorted(entry.dist.name if entry.dist else entry.value for entry in offers))
    reason = f"several packages bring a plugin of this name: {packages}"
    return PluginRecord(name, PluginStatus.LOAD_ERROR, packages, reason, "uninstall all but one of them")


def _unknown(name: str, known: Iterable[str]) -> PluginRecord:
    reason = f"no plugin called {name!r} is installed"
    return PluginRecord(name, PluginStatus.CONFIG_ERROR, reason=reason, hint=_suggestion(name, list(known)))


def _suggestion(name: str, known: Sequence[str]) -> str:
    return did_you_mean(name, known) or f"there are: {', '.join(sorted(known)) or 'none'}"


def _check(records: Sequence[PluginRecord], seconds: float) -> list[PluginRecord]:
    """Run all checks side by side, waiting for them no longer than ``seconds`` in all."""
    checks = [_Check(record) for record in records if record.plugin is not None]
    deadline = time.monotonic() + seconds
    results = {check.record.name: check.result(deadline, seconds) for check in checks}
    return [results.get(record.name, record) for record in records]


class _Check:
    """One plugin's check, on a thread that nobody has to wait for."""

    def __init__(self, record: PluginRecord) -> None:
        self.record = record
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=f"check-{record.name}", daemon=True)
        self._thread.start()

    def result(self, deadline: float, seconds: float) -> PluginRecord:
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            return self._failed(f"no answer within {seconds:g} s", "alerts are tried all the same")
        if self._error is None:
            return self.record
        hint = self._error.hint if isinstance(self._error, PluginError) else None
        return self._failed(why(self._error), hint or "alerts are tried all the same")

    def _failed(self, reason: str, hint: str) -> PluginRecord:
        return replace(self.record, status=PluginStatus.CHECK_FAILED, reason=reason, hint=hint)

    def _work(self) -> None:
        assert self.record.plugin is not None
        try:
            self.record.plugin.check()
        except (Exception, SystemExit) as error:
            log.debug("the check of plugin %s failed", self.record.name, exc_info=True)
            self._error = error


def _dash(hint: str) -> str:
    return f" - {hint}" if hint else ""
