"""Several cameras in one file: their names, what each has of its own, and what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from facesecure.config import FacesecureConfig
from facesecure.config.loader import load_config
from facesecure.config.wording import problems_of
from facesecure.domain import Box
from facesecure.domain.errors import ConfigError
from facesecure.vision.detection.areas import WatchedArea

TWO = """\
[detector]
min_face = 30
[motion]
mask = [[0.0, 0.0, 0.1, 1.0]]
[health]
moved = 60
frozen = 90
[[cameras]]
name = "front door"
source = "rtsp://10.0.0.5/main"
detect = "rtsp://10.0.0.5/sub"
[[cameras]]
name = "garden  gate"
source = "file:gate.mp4"
where = "at the gate"
mask = [[[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]]]
zones = [[0.2, 0.2, 0.8, 1]]
min_face = 20
health = { moved = 0 }
clips = true
"""


def loaded(folder: Path, text: str) -> FacesecureConfig:
    path = folder / "facesecure.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return list(caught.value.problems)


def test_each_camera_has_its_own_settings_and_else_those_of_all(tmp_path: Path) -> None:
    config = loaded(tmp_path, TWO)
    door, gate = config.each_camera()
    assert [one.camera.name for one in (config, door, gate)] == ["front door", "front door", "garden gate"]
    assert (door.camera.detect, gate.camera.detect) == ("rtsp://10.0.0.5/sub", None)
    assert (door.detector.min_face, gate.detector.min_face) == (30, 20)
    assert door.motion.mask == [(0.0, 0.0, 0.1, 1.0)]
    assert gate.motion.mask == [[(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)]]
    assert (door.camera.zones, gate.camera.zones) == ([], [(0.2, 0.2, 0.8, 1.0)])
    assert (door.health.moved, gate.health.moved, gate.health.frozen, gate.health.offline) == (60, 0, 90, 20)
    assert (door.speech.where, gate.speech.where) == (None, "at the gate")
    assert (door.clips.enabled, gate.clips.enabled, gate.clips.before) == (True, True, 5)


def test_one_camera_is_a_list_of_one(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[camera]\nname = "hall"\nsource = "file:a.mp4"\n')
    assert [one.camera for one in config.each_camera()] == [config.camera]
    assert [one.camera.name for one in loaded(tmp_path, "").each_camera()] == ["front door"]


def test_the_empty_section_of_the_example_does_not_stand_in_the_way_of_several(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, "[camera]\n" + TWO).each_camera()) == 2


SECOND = '[[cameras]]\nname = "gate"\n[[cameras]]\nname = "door"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SECOND + "min_face = 3\n", "line 5: cameras[2].min_face: must be at least 12, not 3"),
        (
            SECOND + "health = { mved = 3 }\n",
            "line 5: cameras[2].health.mved: there is no such setting; did you mean 'mo",
        ),
        (SECOND + "\nwidht = 3\n", "line 6: cameras[2].widht: there is no such setting; did you mean 'width'?"),
        (SECOND + "[camera]\nfps = 3\n", "line 5: camera: stands beside [[cameras]]: move its settings into a table"),
        (
            SECOND + '[[cameras]]\nname = "Gate"\n',
            "line 6: cameras[3].name: 'Gate' is the name of cameras[1], too; give",
        ),
        ("[[cameras]]\n[[cameras]]\n", "line 2: cameras[2].name: 'front door' is the name of cameras[1], too"),
        (
            SECOND + '[speech]\nwhere = "here"\n',
            "line 6: speech.where: is for one camera: set where in each table [[cam",
        ),
        ("[cameras]\nfps = 3\n", "line 1: cameras: must be tables, each of which begins with [[cameras]]"),
        ("cameras = 7\n", "line 1: cameras: must be tables, each of which begins with [[cameras]]"),
        (
            "[[camera]]\nfps = 3\n",
            "line 1: camera: must be one section; for several cameras, begin each with [[cameras]]",
        ),
        ('[[cameras]]\nname = "a\\u202eb"\n', "line 2: cameras[1].name: must be text that can be read"),
    ],
)
def test_a_problem_of_one_of_several_cameras_says_which_and_where(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ("[0, 0, 1]", "mask[1]: must be four numbers, [left, top, right, bottom], not 3"),
        ("[0, 0, 0.5, 7]", "mask[1][4]: must be from 0 to 1, a fraction of the image, not 7"),
        ("[0, 0, 0.5, 1920]", "mask[1][4]: must be from 0 to 1, a fraction of the image, not 1920"),
        (f"[0, 0, 0.5, 1{'0' * 400}]", "mask[1][4]: must be from 0 to 1, a fraction of the image, not a larger number"),
        ("[0, 0, 0.5, nan]", "mask[1][4]: must be from 0 to 1, a fraction of the image, not nan"),
        ("[[0, 0], [1, 0]]", "mask[1]: must have at least three corners [x, y] to be a polygon, not 2"),
        ("[[0, 0], [1, 0], [1, 1.5]]", "mask[1][3][2]: must be from 0 to 1, a fraction of the image, not 1.5"),
        ("[[0, 0], [1, 0], [1]]", "mask[1][3]: must be a corner of two numbers, [x, y], not 1"),
        (
            "[[0, 0], [1, 0], 0.5, 1]",
            "mask[1][3]: mixes numbers and corners: an area is either [left, top, right, bottom]",
        ),
        ("[0, 0, [1, 0]]", "mask[1][3]: mixes numbers and corners"),
        ('[0, 0, 1, "a"]', "mask[1][4]: must be a number"),
        ("[0, 0, 1, true]", "mask[1][4]: must be a number"),
        (
            "0.3",
            "mask[1]: must be an area: [left, top, right, bottom], or the corners [[x, y], [x, y], [x, y]] of a poly",
        ),
        ("[]", "mask[1]: must be four numbers, [left, top, right, bottom], not 0"),
        (f"[{'[0.5, 0.5],' * 101}]", "mask[1]: must have at most 100 corners [x, y] to be a polygon, not 101"),
    ],
)
def test_what_is_no_area_is_said_once_in_plain_words(tmp_path: Path, area: str, said: str) -> None:
    for section, key in (("[motion]", "motion"), ("[[cameras]]", "cameras[1]")):
        (problem,) = problems(tmp_path, f"{section}\nmask = [{area}]\n")
        assert problem.startswith(f"line 2: {key}.{said}")


def test_the_line_of_a_wrong_corner_is_that_of_the_corner(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "[[cameras]]\nzones = [\n  [0, 0, 1, 1],\n  [[0, 0],\n   [3, 0],\n   [1, 1]],\n]\n")
    assert problem.startswith("line 5: cameras[1].zones[2][2][1]: must be from 0 to 1")


@pytest.mark.parametrize("area", ["[0.5, 0, 0.5, 1]", "[0, 0.9, 1, 0.1]", "[[0, 0], [0.5, 0.5], [1, 1]]"])
def test_a_zone_that_encloses_nothing_is_refused_and_a_mask_does_no_harm(tmp_path: Path, area: str) -> None:
    (problem,) = problems(tmp_path, f"[[cameras]]\nzones = [{area}]\n")
    assert problem.startswith("line 2: cameras[1].zones[1]: encloses nothing: ")
    assert loaded(tmp_path, f"[[cameras]]\nmask = [{area}]\n").cameras


def test_a_source_from_the_command_line_is_the_only_camera_and_has_no_sub_stream(tmp_path: Path) -> None:
    for text in (TWO, '[camera]\nname = "front door"\ndetect = "rtsp://10.0.0.5/sub"\n'):
        path = tmp_path / "facesecure.toml"
        path.write_text(text, encoding="utf-8")
        (only,) = load_config(path, {"camera.source": "file:clip.mp4"}).each_camera()
        assert (only.camera.name, only.camera.source, only.camera.detect) == ("front door", "file:clip.mp4", None)


def test_a_mistake_of_the_camera_that_is_kept_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "facesecure.toml"
    path.write_text(TWO.replace('source = "rtsp://10.0.0.5/main"', "fps = 0"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {"camera.source": "file:clip.mp4"})
    assert caught.value.problems == ("line 10: camera.fps: must be more than 0, not 0",)


NUMBERS = st.one_of(st.floats(0, 1), st.floats(), st.integers(), st.integers(0, 1))
ANYTHING = st.recursive(
    st.one_of(NUMBERS, st.booleans(), st.text(max_size=3), st.just({"x": 0.5})),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


@given(st.lists(st.one_of(ANYTHING, st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5)), max_size=3))
@settings(max_examples=300)
def test_whatever_stands_in_a_mask_and_in_zones_is_areas_or_is_refused_in_plain_words(areas: list[Any]) -> None:
    tables = {"cameras": [{"source": "dir:.", "mask": areas, "zones": areas}]}
    try:
        (camera,) = FacesecureConfig.model_validate(tables).cameras
    except ValidationError as error:
        found = problems_of(error.errors(), FacesecureConfig, tables)
        assert found
        assert not [text for _, text in found if re.search("Input|should|valid|tuple|float", text)]
        return
    for area in (WatchedArea(zones=camera.zones), WatchedArea(mask=camera.mask or [])):
        assert 0 <= area.share_of(Box(0, 0, 160, 90), (160, 90)) <= 1
        assert area.pixels((90, 160)).shape == (90, 160)


def test_the_visits_of_network_cameras_are_filmed_by_default():
    sources = {"network": "rtsp://door/1", "pi": "picamera2:0", "usb": "v4l2:/dev/video0"}
    config = FacesecureConfig.model_validate({"cameras": [{"name": n, "source": s} for n, s in sources.items()]})
    assert [one.clips.enabled for one in config.each_camera()] == [True, False, False]
    off = config.model_copy(update={"clips": config.clips.model_copy(update={"enabled": False})})
    assert not any(one.clips.enabled for one in off.each_camera())
