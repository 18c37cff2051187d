"""Every plugin ends in a record, and no plugin stops the others."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from facesecure.alerts.plugins.loader import PluginRecord, PluginStatus
from facesecure.alerts.plugins.registry import Registry
from facesecure.domain.errors import PluginError
from support.plugins import HangsInCheck, alert, entry
from support.store import environment

QUIET = entry("Quiet")


def the_record(class_name: str, table: Mapping[str, Any] | None = None) -> PluginRecord:
    """What becomes of one plugin, between two healthy ones."""
    name = class_name.lower()
    installed = [entry("NoSettings", "a"), entry(class_name), entry("NoSettings", "z")]
    registry = Registry.load({"a": {}, "z": {}, name: table or {}}, installed=installed, check_seconds=60.0)
    assert [registry.record(healthy).status for healthy in "az"] == [PluginStatus.ENABLED] * 2
    return registry.record(name)


def test_a_healthy_plugin_is_enabled_with_its_settings() -> None:
    record = the_record("Quiet", {"enabled": True, "volume": 7})
    assert (record.status, record.reason) == (PluginStatus.ENABLED, "")
    assert record.plugin is not None
    assert record.plugin.plugin.config.volume == 7
    assert record.description == "Delivers to no one."


def test_a_plugin_without_settings_needs_no_config() -> None:
    assert the_record("NoSettings").status is PluginStatus.ENABLED
    assert "x: there is no such setting" in the_record("NoSettings", {"x": 1}).reason


def test_the_bundled_plugin_comes_by_the_same_door() -> None:
    registry = Registry.load({"log": {}})
    assert registry.record("log").status is PluginStatus.ENABLED
    assert registry.record("log").origin.startswith("facesecure ")


@pytest.mark.parametrize(
    ("class_name", "status", "reason"),
    [
        ("CannotSend", PluginStatus.LOAD_ERROR, "not a class with a method send"),
        ("a_function", PluginStatus.LOAD_ERROR, "not a class with a method send"),
        ("Missing", PluginStatus.LOAD_ERROR, "has no attribute 'Missing'"),
        ("Exits", PluginStatus.LOAD_ERROR, "SystemExit: 3"),
        ("RefusesToStart", PluginStatus.LOAD_ERROR, "there is no sound card"),
        ("OddConfig", PluginStatus.LOAD_ERROR, "not a pydantic model"),
        ("Unreachable", PluginStatus.CHECK_FAILED, "the speaker does not answer"),
        ("Crashes", PluginStatus.CHECK_FAILED, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_broken_plugin_ends_in_a_record_that_says_why(class_name: str, status: PluginStatus, reason: str) -> None:
    record = the_record(class_name)
    assert record.status is status
    assert reason in record.reason
    assert record.hint
    assert record.status.broken


def test_what_a_plugin_says_to_do_is_the_hint() -> None:
    assert the_record("Unreachable").hint == "switch it on"
    assert the_record("RefusesToStart").hint == "plug one in"


def test_a_module_that_does_not_import_is_a_load_error() -> None:
    registry = Registry.load({"x": {}}, installed=[entry("X", "x", "no.such.module")])
    assert registry.record("x").status is PluginStatus.LOAD_ERROR
    assert "ModuleNotFoundError" in registry.record("x").reason


def test_all_wrong_settings_are_told_at_once_with_what_was_meant() -> None:
    record = the_record("Quiet", {"volum": 1, "volume": "loud"})
    assert record.status is PluginStatus.CONFIG_ERROR
    assert "did you mean 'volume'?" in record.reason
    assert "volume: must be a whole number" in record.reason
    assert record.hint == "its settings are: volume, greeting, enabled, attempt_seconds, expires"
    assert record.plugin is None


def test_a_wrong_setting_is_not_repeated_in_the_log_for_it_may_be_a_password(caplog: pytest.LogCaptureFixture) -> None:
    tables: dict[str, dict[str, Any]] = {
        "notify": {"urls": "tgram://123456:HIDDEN/chat"},
        "webhook": {"url": "htps://home/HIDDEN", "secret": "whsec_!HIDDEN", "headers": "Bearer HIDDEN"},
        "speaker": {"volume": 9},
    }
    with caplog.at_level(logging.INFO):
        registry = Registry.load(tables, check_seconds=0.0)
    assert {registry.record(name).status for name in tables} == {PluginStatus.CONFIG_ERROR}
    assert "HIDDEN" not in caplog.text
    assert "not 9" in registry.record("speaker").reason


def test_enabled_is_yes_or_no() -> None:
    record = the_record("Quiet", {"enabled": "maybe"})
    assert record.status is PluginStatus.CONFIG_ERROR
    assert record.reason == "enabled: must be true or false"


def test_a_table_for_a_plugin_nobody_installed_says_what_was_meant(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry.load({"quite": {}}, installed=[QUIET])
    record = registry.record("quite")
    assert record.status is PluginStatus.CONFIG_ERROR
    assert record.hint == "did you mean 'quiet'?"
    assert "did you mean 'quiet'?" in caplog.text


@pytest.mark.parametrize("tables", [{}, {"missing": {"enabled": False}}])
def test_a_disabled_plugin_is_not_even_imported(tables: dict[str, Any]) -> None:
    registry = Registry.load(tables, installed=[entry("Missing")])
    record = registry.record("missing")
    assert record.status is PluginStatus.DISABLED
    assert "missing" in record.reason or "enabled = false" in record.reason
    assert registry.enabled() == {}


def test_a_failed_check_keeps_the_plugin_in_use_for_the_speaker_may_be_on_later() -> None:
    registry = Registry.load({"unreachable": {}, "quiet": {}}, installed=[entry("Unreachable"), QUIET])
    assert list(registry.enabled()) == ["quiet", "unreachable"]
    registry.enabled()["unreachable"].send(alert())


@pytest.fixture
def released() -> Iterator[None]:
    HangsInCheck.released.clear()
    yield
    HangsInCheck.released.set()


@pytest.mark.usefixtures("released")
def test_checks_that_hang_cost_their_time_once_and_no_more() -> None:
    """Many hang: the difference between a second each and a second for all is larger than a machine's pauses."""
    names = [f"plugin {number}" for number in range(20)]
    before = time.monotonic()
    installed = [entry("HangsInCheck", name) for name in names]
    registry = Registry.load({name: {} for name in names}, installed=installed, check_seconds=1.0)
    assert time.monotonic() - before < 15
    assert {record.reason for record in registry.records} == {"no answer within 1 s"}
    assert [record.status for record in registry.records] == [PluginStatus.CHECK_FAILED] * len(names)


def test_two_packages_with_the_same_name_are_not_chosen_between() -> None:
    registry = Registry.load({"quiet": {}}, installed=[QUIET, entry("NoSettings", "quiet")])
    record = registry.record("quiet")
    assert record.status is PluginStatus.LOAD_ERROR
    assert "several packages" in record.reason


def test_a_package_found_twice_counts_once() -> None:
    assert len(Registry.load({"quiet": {}}, installed=[QUIET, QUIET]).records) == 1


def test_one_line_sums_up_and_the_broken_ones_are_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        registry = Registry.load(
            {"quiet": {}, "unreachable": {}}, installed=[QUIET, entry("Unreachable"), entry("NoSettings")]
        )
    summary = "plugins: nosettings disabled; quiet enabled; unreachable check failed (the speaker does not answer)"
    assert registry.summary() == summary
    assert [record.message for record in caplog.records if record.levelno == logging.INFO] == [summary]
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "plugin unreachable: check failed: the speaker does not answer - switch it on"
    ]


def test_asking_for_a_plugin_there_is_not_says_which_there_are() -> None:
    registry = Registry.load({}, installed=[QUIET])
    with pytest.raises(PluginError) as caught:
        registry.record("quiat")
    assert caught.value.hint == "did you mean 'quiet'?"


def test_no_plugins_at_all_is_a_summary_too() -> None:
    assert Registry.load({}, installed=[]).summary() == "plugins: none"


def test_a_check_that_hangs_does_not_keep_the_process() -> None:
    code = """
from facesecure.alerts.plugins.registry import Registry
from support.plugins import entry
Registry.load({"x": {}}, installed=[entry("HangsInCheck", "x")], check_seconds=0.01)
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), timeout=60, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
