"""The screen of masks and zones, as the server makes it: what is drawn is tried and saved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app.settings_access import SettingsAccess
from facesecure.domain.accounts import Role
from facesecure.services.settings_file import Place
from support.builders import frame_at
from support.page.served import Served
from support.page_cameras import ScriptedMovements, served_cameras

ROAD = [[0, 0], [1, 0], [1, 0.4], [0, 0.4]]
FILE = '# ours\n[[cameras]]\nname = "front door"\n[[cameras]]\nname = "gate"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facesecure.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def house(tmp_path: Path, file: Path) -> Iterator[Served]:
    access = SettingsAccess(Place(file, tmp_path), lambda _: False, lambda: False)
    with served_cameras(tmp_path, "front door", "gate", settings=access) as served:
        assert served.parts is not None
        gate = served.parts.cameras[1]
        gate.view.look(frame_at(0), [])
        assert isinstance(gate.movements, ScriptedMovements)
        gate.movements.happen(((0.1, 0.1, 0.4, 0.3), 0.02))
        gate.movements.happen(((0.1, 0.6, 0.4, 0.9), 0.02))
        yield served


def form_of(house: Served, role: Role = Role.OWNER) -> dict[str, str]:
    page = house.get("/zones/gate", role).text
    revision = re.search(r'name="revision" value="([0-9a-f]{32})"', page)
    assert revision
    return {"mask": json.dumps([ROAD]), "zones": "[]", "revision": revision[1]}


def test_the_cameras_are_offered(house: Served) -> None:
    page = house.get("/zones", Role.OWNER).text
    assert 'href="/zones/front-door"' in page
    assert 'href="/zones/gate"' in page


def test_of_a_single_camera_the_areas_are_shown_at_once(tmp_path: Path) -> None:
    with served_cameras(tmp_path, "Küche") as served:
        assert served.get("/zones", Role.OWNER).headers["location"] == "/zones/kuche"


def test_what_is_drawn_is_tried(house: Served, file: Path) -> None:
    answer = house.post("/zones/gate/try", form_of(house), Role.OWNER)
    assert "Of 2 movements in the last 10 s, 1 would be left out." in answer.text
    assert "+mask = [[[0.0, 0.0]" in answer.text
    assert file.read_text() == FILE


def test_what_is_drawn_is_saved_and_shown(house: Served, file: Path) -> None:
    saved = house.post("/zones/gate", form_of(house), Role.OWNER)
    assert saved.headers["location"] == "/zones/gate"
    assert "done=zones-later" in saved.headers["set-cookie"]
    assert "mask = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.4], [0.0, 0.4]]]" in file.read_text()
    assert file.read_text().startswith("# ours\n")
    assert "[[[0.0, 0.0], [1.0, 0.0], [1.0, 0.4], [0.0, 0.4]]]" in house.get("/zones/gate", Role.OWNER).text


@pytest.mark.parametrize("mask", ["", "{}", "[[[0,0]]]", '["<script>"]', "[[[0,0],[NaN,0],[1,1]]]", "[" * 2000])
def test_what_is_no_area_is_refused(house: Served, file: Path, mask: str) -> None:
    answer = house.post("/zones/gate", form_of(house) | {"mask": mask}, Role.OWNER)
    assert answer.status == 400
    assert "<script>" not in answer.text
    assert file.read_text() == FILE


def test_a_viewer_sees_areas_and_has_nothing_to_save_them_with(house: Served) -> None:
    page = house.get("/zones/gate", Role.VIEWER)
    assert page.status == 200
    assert 'id="save"' not in page.text


def test_a_camera_without_a_picture_says_so(house: Served) -> None:
    assert "No picture yet" in house.get("/zones/front-door", Role.OWNER).text
