"""A camera that is added on the page: in the file, or beside a file that the daemon may not write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.config.changeable import MOST_CAMERAS
from facesecure.domain.errors import ConfigError
from facesecure.services import settings_file, settings_overlay
from facesecure.services.settings_file import Place, SettingsRefused, change_settings, preview, undo
from facesecure.storage.signed_documents import SignedDocuments

ONE = '# the door\n[camera]\nsource = "rtsp://anna:hunter2secret@cam/main"  # upstairs\nfps = 5.0\n'
GATE = {"name": "gate", "source": "rtsp://ben:tops3cretword@gate/main"}
Made = Callable[..., Place]


@pytest.fixture(params=["in the file", "beside it"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    def make(text: str = ONE) -> Place:
        (tmp_path / "etc").mkdir()
        (tmp_path / "state").mkdir()
        file = tmp_path / "etc" / "facesecure.toml"
        file.write_text(text)
        if request.param == "beside it":
            file.chmod(0o440)
            os.chown(file, 65534 if os.geteuid() == 0 else -1, -1)
        place = Place(file, tmp_path / "state")
        assert place.edits_file == (request.param == "in the file")
        return place

    return make


def config(place: Place) -> FacesecureConfig:
    return settings_overlay.load(place.config_file, {}, place.state_dir)


def names(place: Place) -> list[str]:
    return [one.camera.name for one in config(place).each_camera()]


def test_a_camera_beside_the_only_one(made: Made) -> None:
    place = made()
    shown = preview(place, {("cameras", 1): GATE})
    assert names(place) == ["front door"]
    assert '+name = "gate"' in shown.diff
    assert "tops3cret" not in shown.diff
    assert "hunter2" not in shown.diff
    change = change_settings(place, {("cameras", 1): GATE}, by="Olga")
    assert change.names == ("cameras[2]",)
    assert names(place) == ["front door", "gate"]
    assert config(place).cameras[0].fps == 5.0
    assert "# upstairs" in settings_file.merged(place)


def test_settings_of_both_are_changed_afterwards_and_taken_back(made: Made) -> None:
    place = made()
    change_settings(place, {("camera", "where"): "upstairs"})
    change_settings(place, {("cameras", 1): GATE})
    assert config(place).cameras[0].where == "upstairs"
    change_settings(place, {("cameras", 0, "fps"): 7.0, ("cameras", 1, "where"): "at the gate"})
    found = config(place).cameras
    assert [(one.name, one.fps, one.where) for one in found] == [
        ("front door", 7.0, "upstairs"),
        ("gate", 10.0, "at the gate"),
    ]
    undo(place)
    undo(place)
    assert names(place) == ["front door"]
    assert config(place).camera.where == "upstairs"


def test_more_are_added_until_there_are_enough(made: Made) -> None:
    place = made('[[cameras]]\nname = "door"\nsource = "rtsp://cam/0"\n')
    for number in range(1, MOST_CAMERAS):
        change_settings(place, {("cameras", number): {"name": f"cam {number}", "source": f"rtsp://cam/{number}"}})
    assert len(names(place)) == MOST_CAMERAS
    with pytest.raises(SettingsRefused):
        change_settings(place, {("cameras", MOST_CAMERAS): {"name": "one more", "source": "rtsp://cam/x"}})


@pytest.mark.parametrize(
    ("camera", "key"),
    [
        ({"name": "front door", "source": "rtsp://cam/1"}, "name"),
        ({"name": "FRONT  door", "source": "rtsp://cam/1"}, "name"),
        ({"name": "", "source": "rtsp://cam/1"}, "name"),
        ({"name": "x" * 65, "source": "rtsp://cam/1"}, "name"),
        ({"name": "gate"}, "source"),
        ({"name": "gate", "source": "rtsp:///nohost"}, "source"),
        ({"name": "gate", "source": "rtsp://anna:***@cam/main"}, "source"),
        ({"name": "gate", "source": "file:/etc/shadow"}, "source"),
        ({"name": "gate", "source": "dir:/etc"}, "source"),
        ({"name": "gate", "source": "v4l2:/dev/mem"}, "source"),
        ({"name": "gate", "source": "http://169.254.169.254/"}, "source"),
        ({"name": "gate", "source": "rtsp://cam/1", "detect": "/etc/passwd"}, "detect"),
        ({"name": "gate", "source": "rtsp://cam/1", "mask": []}, "mask"),
        ({"name": "gate", "source": "rtsp://cam/1", "health": {"moved": 0}}, "health"),
    ],
)
def test_what_is_no_camera_is_refused_at_its_field(made: Made, camera: dict[str, object], key: str) -> None:
    place = made()
    with pytest.raises(SettingsRefused) as refused:
        change_settings(place, {("cameras", 1): camera})
    assert [one.path[-1] for one in refused.value.found] == [key]
    assert names(place) == ["front door"]


def test_no_camera_is_put_in_the_place_of_another(made: Made) -> None:
    place = made()
    for path in (("cameras", 0), ("cameras", 2), ("cameras", -1)):
        with pytest.raises((ConfigError, SettingsRefused)):
            change_settings(place, {path: GATE})
    assert names(place) == ["front door"]


def test_a_camera_of_the_file_counts_before_one_of_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, state = tmp_path / "door.toml", tmp_path / "state"
    file.write_text('[[cameras]]\nname = "gate"\nsource = "rtsp://new/1"\n')
    documents = SignedDocuments(state)
    state.mkdir()
    made = [settings_overlay.PageSetting(("cameras", "gate"), GATE)]
    made += [settings_overlay.PageSetting(("cameras", "cellar"), {**GATE, "source": "file:/etc/shadow"})]
    documents.write(settings_overlay.FILE_NAME, settings_overlay.document(made))
    place = Place(file, state)
    assert [one.source for one in config(place).cameras] == ["rtsp://new/1"]
    assert "the file has a camera of this name" in caplog.text
    assert "cellar" in caplog.text
    assert json.loads((state / "settings.json").read_text())["values"]
