"""The list of what lies on the broker survives a restart, and leads nowhere if others changed it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from facesecure.mqtt.left_behind import FILE_NAME, LeftBehind
from facesecure.storage.store import Store


@pytest.fixture
def state(tmp_path: Path) -> Path:
    Store.open(tmp_path).close()
    return tmp_path


def test_what_was_added_is_there_after_a_restart_until_it_is_removed(state: Path) -> None:
    left = LeftBehind(state)
    left.add("facesecure/pi1/state", "facesecure/pi1/availability")
    left.add_face("facesecure/pi1/gate/face", "a-visit", "a-hash")
    again = LeftBehind(state)
    assert again.topics == {"facesecure/pi1/state", "facesecure/pi1/availability", "facesecure/pi1/gate/face"}
    assert again.faces == {"facesecure/pi1/gate/face": ("a-visit", "a-hash")}
    again.remove(["facesecure/pi1/gate/face", "facesecure/pi1/state"])
    assert LeftBehind(state).topics == {"facesecure/pi1/availability"}
    assert LeftBehind(state).faces == {}
    assert (state / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_list_that_others_wrote_is_not_used(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    LeftBehind(state).add("facesecure/pi1/state")
    document = json.loads((state / FILE_NAME).read_text())
    document["topics"].append("homeassistant/device/of_somebody_else/config")
    (state / FILE_NAME).write_text(json.dumps(document))
    with caplog.at_level(logging.WARNING):
        assert LeftBehind(state).topics == frozenset()
    assert "mqtt.json cannot be read" in caplog.text
    for content in ("", "[]", '{"topics": 7}', '{"topics": [], "faces": []}'):
        (state / FILE_NAME).write_text(content)
        assert LeftBehind(state).topics == frozenset()


def test_a_disk_that_is_full_is_logged(state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    left = LeftBehind(state)
    monkeypatch.setattr("facesecure.storage.signed_documents.write_durably", _full)
    left.add("facesecure/pi1/state")
    assert left.topics == {"facesecure/pi1/state"}
    assert "cannot be written" in caplog.text


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
