"""Everything that is wrong with a configuration is said at once, and what is missing on this machine, too."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import ConfigError
from facesecure.services.config_check import checked_config, config_warnings

ONE_OF_EACH = """\
bogus = "hunter2-at-the-top"
[camera]
source = "v4l2:/dev/video99"
fps = 0
pasword = "hunter2-misspelt"
width = hunter2
[detector]
kind = "yunet"
confidence = "high"
[recognizer]
model = "/nowhere/faces.tflite"
[speech]
language = "english!"
piper_model = "/nowhere/voice.onnx"
[policy]
aloud = ["speeker"]
[alerts]
fallback = { google_home = "speeker" }
[plugins]
telegram = "123456:hunter2-token"
[plugins.log]
file = "{folder}"
nosuch = "hunter2-setting"
[plugins.logg]
[plugins.webhook]
secrt = "hunter2-secret"
secret = 12345678
headers = { Authorization = 12345678 }
connect_seconds = 900
enabled = "hunter2"
[plugins.speaker]
volume = 9
[plugins.google_home]
volume = "hunter2"
devices = "hunter2"
"""


def problems(folder: Path, text: str) -> dict[str, str]:
    """Return what is wrong by line, without the line in front."""
    path = folder / "facesecure.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        checked_config(path, {}, lambda config: config.state_dir or folder / "state")
    return {place: text for place, _, text in (problem.partition(": ") for problem in caught.value.problems)}


def test_one_mistake_of_each_kind_is_said_each_with_its_line(tmp_path: Path) -> None:
    text = ONE_OF_EACH.replace("{folder}", str(tmp_path))
    found = problems(tmp_path, text)
    begins = {
        "line 1": "bogus: there is no such section or setting",
        "line 3": "camera.source: there is no camera at /dev/video99; ",
        "line 4": "camera.fps: must be more than 0, not 0",
        "line 5": "camera.pasword: there is no such setting",
        "line 6, column 9": "there is no value that could be read; text needs quotes",
        "line 8": "detector.kind: the YuNet detector is not installed",
        "line 9": "detector.confidence: must be a number, not 'high'",
        "line 11": "recognizer.model: cannot read model card /nowhere/faces.json",
        "line 13": "speech.language: cannot be 'english!'; it is: en | fr",
        "line 14": "speech.piper_model: there is no file /nowhere/voice.onnx",
        "line 16": "policy.aloud: no plugin called 'speeker' is installed; did you mean 'speaker'?",
        "line 18": "alerts.fallback: no plugin called 'speeker' is installed; did you mean 'speaker'?",
        "line 20": "plugins.telegram: must be a section that begins with [plugins.telegram], not text",
        "line 21": f"plugins.log: cannot write {tmp_path}: is a folder",
        "line 23": "plugins.log.nosuch: there is no such setting",
        "line 24": "plugins.logg: no plugin called 'logg' is installed; did you mean 'log'?",
        "line 26": "plugins.webhook.secrt: there is no such setting; did you mean 'secret'?",
        "line 27": "plugins.webhook.secret: must be text in quotes",
        "line 28": "plugins.webhook.headers: 'Authorization' must be text in quotes",
        "line 29": "plugins.webhook.connect_seconds: must be at most 60, not 900",
        "line 30": "plugins.webhook.enabled: must be true or false",
        "line 32": "plugins.speaker.volume: must be at most 1, not 9",
        "line 34": "plugins.google_home.volume: must be a number or 'keep'",
        "line 35": "plugins.google_home.devices: must be a list in square brackets",
    }
    assert list(found) == list(begins)
    assert [place for place, begin in begins.items() if not found[place].startswith(begin)] == []
    assert "hunter2" not in str(found)
    assert "12345678" not in str(found)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lines_are_right_in_every_encoding_of_an_editor(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "facesecure.toml"
    path.write_bytes("[camera]\r\nname = 'Zoë'\r\nfps = 0\r\n".encode(encoding))
    with pytest.raises(ConfigError) as caught:
        checked_config(path, {}, lambda _: tmp_path)
    assert caught.value.problems == ("line 3: camera.fps: must be more than 0, not 0",)


def test_a_state_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = problems(tmp_path, f'state_dir = "{tmp_path}/file/state"\n')
    assert found["line 1"].startswith(f"state_dir: {tmp_path}/file/state cannot be created")


def test_a_voice_must_be_installed_where_a_plugin_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    text = '[speech]\nvoices = ["espeak-ng"]\n[plugins.speaker]\n'
    assert problems(tmp_path, text) == {"line 2": "speech.voices: no voice can speak: espeak-ng is not installed"}
    path = tmp_path / "facesecure.toml"
    path.write_text(text.replace("[plugins.speaker]", ""), encoding="utf-8")
    assert checked_config(path, {}, lambda _: tmp_path).speech.voices == ["espeak-ng"]


def test_text_with_a_nul_is_refused_before_a_file_is_called_so(tmp_path: Path) -> None:
    found = problems(tmp_path, '[plugins.log]\nfile = "a\\u0000b"\n')
    assert found == {"line 2": "plugins.log.file: must not have a NUL character in it"}


def test_a_disabled_plugin_is_not_judged_by_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "facesecure.toml"
    path.write_text("[plugins.speaker]\nenabled = false\nvolume = 9\n", encoding="utf-8")
    assert checked_config(path, {}, lambda _: tmp_path).plugins["speaker"]["volume"] == 9


SEVERAL = """\
[[cameras]]
name = "door"
source = "v4l2:/dev/video99"
fps = 0
detect = "htp://me:hunter2-in-detect@cam/sub"
[[cameras]]
name = "gate"
source = "file:{folder}/nothing.mp4"
[[cameras]]
name = "yard"
source = "me:hunter2-misspelt@10.0.0.4"
detect = "dir:{folder}/none"
zones = [[0, 0, 1]]
"""


def test_each_camera_is_checked_and_named_with_its_own_line(tmp_path: Path) -> None:
    found = problems(tmp_path, SEVERAL.replace("{folder}", str(tmp_path)))
    begins = {
        "line 3": "cameras[1].source: there is no camera at /dev/video99; ",
        "line 4": "cameras[1].fps: must be more than 0, not 0",
        "line 5": "cameras[1].detect: 'htp://***@cam/sub' starts with 'htp:', which is no kind of source; known",
        "line 8": f"cameras[2].source: there is no file {tmp_path}/nothing.mp4; ",
        "line 11": "cameras[3].source: 'me:***10.0.0.4' starts with 'me:', which is no kind of source",
        "line 12": f"cameras[3].detect: there is no folder {tmp_path}/none; ",
        "line 13": "cameras[3].zones[1]: must be four numbers, [left, top, right, bottom], not 3",
    }
    assert list(found) == list(begins)
    assert [place for place, begin in begins.items() if not found[place].startswith(begin)] == []
    assert "hunter2" not in str(found)


def test_two_cameras_cannot_share_a_device(tmp_path: Path) -> None:
    found = problems(tmp_path, '[[cameras]]\nname = "a"\n[[cameras]]\nname = "b"\nsource = "picamera2:0"\n')
    assert found == {"line 5": "cameras[2].source: picamera2:0 can be opened only once, and is cameras[1].source, too"}


def test_a_source_that_is_no_text_is_one_problem(tmp_path: Path) -> None:
    found = problems(tmp_path, '[[cameras]]\nname = "a"\nsource = 3\n[[cameras]]\nname = "b"\n')
    assert found == {"line 3": "cameras[1].source: must be text in quotes, not 3"}


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("mask = [[0, 0, 1, 1]]", "nothing of its image is watched"),
        ("mask = [[0, 0, 0.6, 1]]\nzones = [[[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]]", "nothing of its image is watched"),
        ('detect = " picamera2:0"', "detect is the same stream as source"),
        ("mask = [[0, 0, 0.6, 1]]\nzones = [[[0.1, 0.1], [0.9, 0.1], [0.5, 0.5]]]", ""),
    ],
)
def test_a_camera_that_watches_nothing_or_one_stream_twice_is_warned_of(settings: str, warning: str) -> None:
    tables = tomllib.loads(f'[[cameras]]\nname = "a"\nsource = "dir:."\n[[cameras]]\nname = "b"\n{settings}\n')
    warnings = config_warnings(FacesecureConfig.model_validate(tables))
    assert [text.startswith(f"camera 'b': {warning}") for text in warnings] == ([True] if warning else [])
