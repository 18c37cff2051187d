"""The page for plugin authors: its example, installed as a package, works as described."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.plugins.loader import PluginStatus
from facesecure.alerts.plugins.registry import Registry
from facesecure.domain.interfaces import ENTRY_POINT_GROUP
from support.http import FileServer, refused_url, serving
from support.plugins import alert

README = Path(__file__).parents[3] / "plugins" / "README.md"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's files in a folder of sys.path, as an installer lays them: a module and its entry points."""
    blocks = re.findall(r"```(\w+)\n(.*?)```", README.read_text(), re.DOTALL)
    code = [text for language, text in blocks if language == "python"]
    project = next(text for language, text in blocks if "entry-points" in text)
    (tmp_path / "doorbell_post.py").write_text("\n".join(code))
    metadata = tmp_path / "doorbell_post-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: doorbell-post\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        re.sub(r'\[project\.entry-points\."(.*)"\]', r"[\1]", project).replace('"', "")
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("doorbell_post", None)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serving(b"", monkeypatch) as running:
        yield running


@pytest.mark.usefixtures("installed")
def test_the_example_is_found_configured_and_delivers(server: FileServer) -> None:
    registry = Registry.load({"doorbell": {"url": server.url}})
    record = registry.record("doorbell")
    assert (record.status, record.origin) == (PluginStatus.ENABLED, "doorbell-post 1.0")
    with Dispatcher(registry.enabled(), close_seconds=30) as dispatcher:
        dispatcher.send(told := alert("A stranger is at the front door"))
    assert [json.loads(body) for body in server.posted] == [
        {"text": "A stranger is at the front door", "kind": "stranger", "alert": told.identifier}
    ]


@pytest.mark.usefixtures("installed")
def test_the_example_tells_what_is_wrong_with_its_settings() -> None:
    assert Registry.load({"doorbell": {"ulr": "x"}}).record("doorbell").reason.endswith("did you mean 'url'?")
    record = Registry.load({"doorbell": {"url": "front door"}}).record("doorbell")
    assert record.status is PluginStatus.CHECK_FAILED
    assert "set [plugins.doorbell]" in record.hint


@pytest.mark.usefixtures("installed")
def test_the_example_tells_what_it_could_not_deliver(server: FileServer) -> None:
    server.status = 500
    for address, words in ((server.url, "answered 500"), (refused_url(), "cannot be reached")):
        registry = Registry.load({"doorbell": {"url": address}})
        with Dispatcher(registry.enabled(), close_seconds=30) as dispatcher:
            dispatcher.send(alert())
        (report,) = dispatcher.reports()
        assert (report.failed, words in report.last_error) == (1, True)


def test_nothing_of_it_is_left_when_it_is_uninstalled() -> None:
    assert "doorbell" not in {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
