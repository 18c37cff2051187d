"""The contract of alert plugins, for ours, the fake, and the one on the page for authors."""

from __future__ import annotations

import copy
import re
import sys
import threading
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.plugins.api import PluginConfig, SerializedPlugin
from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.domain import Alert, AlertKind
from facesecure_plugins.log import LogPlugin
from facesecure_plugins.notify import NotifyPlugin
from facesecure_plugins.speaker import SpeakerPlugin
from facesecure_plugins.webhook import WebhookPlugin
from support.cast.google_home import Announcer
from support.cast.receiver import cast_device
from support.http import serving
from support.mailbox import opened
from support.plugins import alert
from support.speech.alsa import without_a_card
from support.speech.plugin_context import plugin_context
from support.store import STRANGER, UNIDENTIFIED, known

# On Python 3.11 and 3.12 Apprise looks at a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

README = Path(__file__).parents[2] / "plugins" / "README.md"


def example() -> types.ModuleType:
    """The module that plugins/README.md shows."""
    code = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    module = types.ModuleType("doorbell_post")
    sys.modules[module.__name__] = module  # pydantic looks there for the names in annotations
    exec(compile("\n".join(code), str(README), "exec"), module.__dict__)
    return module


@pytest.fixture(params=["google_home", "log", "recording", "webhook", "notify", "speaker", "example"])
def plugin(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A plugin that can deliver, as the registry would make it."""
    if request.param == "google_home":
        with cast_device() as device, Announcer(tmp_path, devices=[device.address]) as announcer:
            yield announcer.plugin
    elif request.param == "log":
        yield LogPlugin(LogPlugin.Config(file=tmp_path / "alerts.jsonl"), journal_socket=tmp_path / "no-journal")
    elif request.param == "recording":
        yield RecordingPlugin(PluginConfig())
    elif request.param == "webhook":
        with opened(monkeypatch) as mailbox:
            yield WebhookPlugin(WebhookPlugin.Config(url=mailbox.url))
    elif request.param == "notify":
        with opened(monkeypatch) as mailbox:
            yield NotifyPlugin(NotifyPlugin.Config(urls=[SecretStr(f"json://127.0.0.1:{mailbox.port}")]))
    elif request.param == "speaker":
        without_a_card(tmp_path, monkeypatch)
        with plugin_context(tmp_path) as provided:
            SerializedPlugin(speaker := SpeakerPlugin(SpeakerPlugin.Config())).attach(provided.context)
            yield speaker
    else:
        with serving(b"", monkeypatch) as server:
            yield (shown := example().PostPlugin)(shown.Config(url=server.url))


def test_it_can_be_made_from_its_default_settings(plugin: Any) -> None:
    config = getattr(type(plugin), "Config", PluginConfig)
    assert callable(type(plugin)(config()).send)


def test_its_settings_refuse_what_they_do_not_know_and_never_change(plugin: Any) -> None:
    config = getattr(type(plugin), "Config", PluginConfig)
    with pytest.raises(ValidationError, match="extra"):
        config.model_validate({"no_such_setting": 1})
    for name, field in config.model_fields.items():
        assert field.description, f"{name} says what it is"
        with pytest.raises(ValidationError, match="frozen"):
            setattr(config(), name, None)


def test_it_says_in_a_line_what_it_does(plugin: Any) -> None:
    assert (type(plugin).__doc__ or "").strip().splitlines()[0].endswith(".")


@pytest.mark.parametrize("verdict", [known("Åsa 🦊"), STRANGER, UNIDENTIFIED], ids=lambda verdict: verdict.kind)
@pytest.mark.parametrize("bare", [False, True], ids=["with-picture", "without"])
def test_it_delivers_every_kind_of_alert(plugin: Any, verdict: Any, bare: bool, tmp_path: Path) -> None:
    one = replace(alert("Somebody's at the door: «Åsa»\nand 🦊", verdict), snapshot_path=tmp_path / "a.jpg")
    if bare:
        one = Alert.about(replace(one.sighting, box=None, track=None, supersedes="earlier"), one.text)
    assert plugin.send(one) is None


@pytest.mark.parametrize("kind", [AlertKind.CAMERA, AlertKind.SERVICE, AlertKind.TEST])
def test_it_delivers_what_is_about_nobody(plugin: Any, kind: AlertKind) -> None:
    assert plugin.send(Alert(kind, "The camera is offline")) is None


def test_it_leaves_the_alert_as_it_was(plugin: Any) -> None:
    one = alert()
    before = copy.deepcopy(one)
    plugin.send(one)
    assert one == before


def test_its_check_passes_where_all_is_well(plugin: Any) -> None:
    SerializedPlugin(plugin).check()


def test_it_may_be_closed_twice(plugin: Any) -> None:
    plugin.send(alert())
    SerializedPlugin(plugin).close()
    SerializedPlugin(plugin).close()


def test_it_works_on_a_thread_that_did_not_make_it(plugin: Any) -> None:
    with Dispatcher({"plugin": plugin}, close_seconds=60) as dispatcher:  # a slow machine may need more than two
        for number in range(3):
            dispatcher.send(alert(f"number {number}"))
    (report,) = dispatcher.reports()
    assert (report.sent, report.failed) == (3, 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("plugin-")]
