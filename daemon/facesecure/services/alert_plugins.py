"""Lists the alert plugins, and tries one by sending an alert through it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from facesecure.alerts.plugins.api import PluginContext, Speech
from facesecure.alerts.plugins.loader import PluginRecord, PluginStatus
from facesecure.alerts.plugins.registry import Registry
from facesecure.alerts.speech.announcements import phrases_of
from facesecure.config import FacesecureConfig
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import DeliveryState
from facesecure.domain.errors import ConfigError, FacesecureError, PluginError, StoreError
from facesecure.domain.push import PUSH
from facesecure.services.push import send_to_browsers
from facesecure.storage.store import DATABASE_NAME, Store

_RECENT = timedelta(days=1)
_SPEAKER = "speaker"


@dataclass(frozen=True, slots=True)
class PluginOverview:
    """A plugin, how many alerts wait for it, and how many failed or expired in the last day."""

    record: PluginRecord
    waiting: int
    failed: int


def list_plugins(config: FacesecureConfig, state_dir: Path) -> list[PluginOverview]:
    """Return every plugin that is installed or configured, loaded and checked once, by name. Creates no store."""
    registry = Registry.load(config.plugins)
    for plugin in registry.enabled().values():
        plugin.close()
    counts = _delivery_counts(config, state_dir)
    return [_overview(record, counts.get(record.name, {})) for record in registry.records]


def send_test_alert(
    name: str, config: FacesecureConfig, state_dir: Path, speech: Speech, text: str | None = None
) -> float:
    """Send one alert through the plugin ``name``, and return the seconds until it was delivered.

    Without ``text`` the alert says that it is a test. No other plugin is loaded. ``push``, which is no plugin, sends it
    to the browsers that have subscribed on the page. Raises PluginError if it is not in use or does not deliver.

    Example::

        with SpeechService(config.speech, state_dir) as speech:
            seconds = send_test_alert("log", config, state_dir, speech)
    """
    alert = Alert(AlertKind.TEST, text or phrases_of(config).test())
    if name == PUSH:
        began = time.monotonic()
        send_to_browsers(config, state_dir, alert)
        return time.monotonic() - began
    tables = {name: config.plugins[name]} if name in config.plugins else {}
    record = _load(name, tables, config, state_dir, speech)
    if record.plugin is None:
        hint = record.hint or f"add [plugins.{name}] to the configuration"
        raise PluginError(f"plugin {name} cannot be tried, {record.status.value}: {record.reason}", hint)
    return _send(record, alert)


def play_aloud(text: str, config: FacesecureConfig, state_dir: Path, speech: Speech) -> None:
    """Say ``text`` through the loudspeaker of this machine with the settings in [plugins.speaker], even if disabled.

    Raises ConfigError if the settings are wrong, PluginError if the speaker cannot be used.
    """
    table = {key: value for key, value in config.plugins.get(_SPEAKER, {}).items() if key != "enabled"}
    record = _load(_SPEAKER, {_SPEAKER: table}, config, state_dir, speech)
    if record.status is PluginStatus.CONFIG_ERROR:
        raise ConfigError(f"[plugins.{_SPEAKER}] is wrong", hint="facesecure alerts list shows what is wrong with it")
    if record.plugin is None:
        raise PluginError(f"the loudspeaker cannot be used: {record.reason}", record.hint)
    _send(record, Alert(AlertKind.TEST, text))


def _load(
    name: str, tables: Mapping[str, Mapping[str, Any]], config: FacesecureConfig, state_dir: Path, speech: Speech
) -> PluginRecord:
    """Return the record of one plugin, loaded and attached if it has a table in ``tables``."""
    places = tuple(each.camera.name for each in config.each_camera())
    context = PluginContext(state_dir, places[0], config.speech.language, speech, lambda *_: None, places=places)
    return Registry.load(tables, context=context).record(name)


def _send(record: PluginRecord, alert: Alert) -> float:
    assert record.plugin is not None
    began = time.monotonic()
    try:
        record.plugin.send(alert)
    except FacesecureError:
        raise
    except Exception as error:
        raise PluginError(
            f"plugin {record.name} did not deliver: {error}",
            f"check its settings, [plugins.{record.name}], and that the device or service it uses is on",
        ) from error
    finally:
        record.plugin.close()
    return time.monotonic() - began


def _delivery_counts(config: FacesecureConfig, state_dir: Path) -> Mapping[str, Mapping[DeliveryState, int]]:
    """Return the counts by channel and state; empty if there is no store or it cannot be read: doctor reports that."""
    if not (state_dir / DATABASE_NAME).exists():
        return {}
    try:
        with Store.open(state_dir, keep_snapshots=config.store.snapshots) as store:
            return store.outbox.counts(datetime.now(UTC) - _RECENT)
    except StoreError:
        return {}


def _overview(record: PluginRecord, states: Mapping[DeliveryState, int]) -> PluginOverview:
    waiting = sum(count for state, count in states.items() if state.open)
    failed = sum(states.get(state, 0) for state in (DeliveryState.EXPIRED, DeliveryState.FAILED))
    return PluginOverview(record, waiting, failed)
