"""Masks and zones from the page: shown, tried on what moved, and saved as settings in the file."""

import tomllib
from dataclasses import replace

import pytest

from facesecure.app.settings_access import SettingsAccess
from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Client, Refused
from facesecure.app.web_api.verbs import zones
from facesecure.config.loader import load_config
from facesecure.domain.accounts import Role
from facesecure.services.settings_file import Place
from support.builders import frame_at
from support.page_cameras import cameras
from support.page_socket import SignedIn, page_parts, token_of

ROAD = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.4], [0.0, 0.4]]
DOOR = [[0.2, 0.5], [0.8, 0.5], [0.8, 1.0], [0.2, 1.0]]
ON_ROAD, AT_DOOR = ((0.1, 0.1, 0.4, 0.3), 0.02), ((0.3, 0.6, 0.6, 0.9), 0.05)
FILE = """# our house
[[cameras]]
name = "gate"
source = "rtsp://10.0.0.2/1" # the old one

[[cameras]]
name = "front door"
source = "rtsp://10.0.0.3/1"
"""


@pytest.fixture
def house(tmp_path):
    file = tmp_path / "facesecure.toml"
    file.write_text(FILE)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    config = load_config(file)
    with page_parts(state, **config.model_dump(exclude_unset=True)) as parts:
        applied = []
        access = SettingsAccess(Place(file, state), lambda back: applied.append(back) or True, lambda: False)
        parts = replace(parts, cameras=cameras(parts.config), settings=access)
        yield parts, Guard(all_verbs(zones.VERBS), parts, SignedIn()), file, applied


@pytest.fixture
def ask(house):
    _, guard, _, _ = house

    def ask(verb, role=Role.OWNER, confirmed=True, **arguments):
        request = Request(verb, {"camera": "front-door", **arguments}, token_of(role, confirmed), Client(), 0)
        return guard.answer(guard.admit(request)).result

    return ask


def test_areas_and_movements_are_shown(house, ask):
    parts, _, _, _ = house
    door = parts.cameras[1]
    door.view.look(frame_at(0), [])
    for change in (ON_ROAD, AT_DOOR):
        door.movements.happen(change)
    shown = ask("zones", Role.VIEWER)
    assert (shown["mask"], shown["zones"], shown["size"], shown["left_out"]) == ([], [], (320, 240), 0)
    assert (len(shown["moved"]), shown["movements"]) == (2, 2)


def test_what_was_drawn_is_tried_on_the_last_hour(house, ask):
    parts, _, file, _ = house
    for change in (ON_ROAD, ON_ROAD, AT_DOOR):
        parts.cameras[1].movements.happen(change)
    tried = ask("zones-try", confirmed=False, mask=[ROAD], zones=[])
    assert (tried["movements"], tried["left_out"]) == (3, 2)
    assert "+mask = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.4], [0.0, 0.4]]]" in tried["diff"]
    assert file.read_text() == FILE


def test_what_is_saved_is_in_the_file_with_its_comments_and_in_use(house, ask):
    _, _, file, applied = house
    shown = ask("zones", Role.VIEWER)
    saved = ask("zones-save", mask=[ROAD], zones=[DOOR], revision=shown["revision"])
    assert (saved["changed"], saved["applying"], len(applied)) == (True, True, 1)
    written = file.read_text()
    assert "# our house" in written
    assert "# the old one" in written
    gate, door = tomllib.loads(written)["cameras"]
    assert (door["mask"], door["zones"]) == ([ROAD], [DOOR])
    assert "mask" not in gate
    assert [[list(corner) for corner in corners] for corners in ask("zones")["mask"]] == [ROAD]


def test_what_was_not_changed_stays_as_it_is_written(house, ask):
    _, _, file, applied = house
    saved = ask("zones-save", mask=[], zones=[], revision=ask("zones")["revision"])
    assert (saved["changed"], applied, file.read_text()) == (False, [], FILE)


def test_settings_that_changed_meanwhile_are_not_overwritten(house, ask):
    _, _, file, _ = house
    revision = ask("zones")["revision"]
    file.write_text(FILE + "min_face = 40\n")
    with pytest.raises(Refused, match="changed since this page was opened"):
        ask("zones-save", mask=[ROAD], zones=[], revision=revision)
    assert file.read_text() == FILE + "min_face = 40\n"


def test_only_an_owner_whose_password_was_just_given_saves(house, ask):
    _, _, file, _ = house
    revision = ask("zones")["revision"]
    for role, confirmed, kind in (
        (Role.KIOSK, True, Refusal.FORBIDDEN),
        (Role.MEMBER, True, Refusal.FORBIDDEN),
        (Role.OWNER, False, Refusal.CONFIRM),
    ):
        with pytest.raises(Refused) as refused:
            ask("zones-save", role, confirmed, mask=[ROAD], zones=[], revision=revision)
        assert refused.value.kind is kind
    assert file.read_text() == FILE


@pytest.mark.parametrize(
    "area",
    [
        [[0.0, 0.0], [1.0, 1.0]],
        [[0.0, 0.0], [2.0, 0.0], [1.0, 1.0]],
        [[0.1, 0.1]] * 101,
        "everything",
        {"left": 0},
        [["0", "0"], ["1", "0"], ["1", "1"]],
        [[[0.0, 0.0], [1.0, 0.0]], [1.0, 1.0], [0.0, 0.0]],
    ],
)
def test_what_is_no_area_is_refused(ask, area):
    for areas in ({"mask": [area], "zones": []}, {"mask": [], "zones": [area]}):
        with pytest.raises(Refused) as refused:
            ask("zones-try", **areas)
        assert refused.value.kind is Refusal.INVALID


def test_there_is_a_limit_to_areas(ask):
    with pytest.raises(Refused) as refused:
        ask("zones-try", mask=[ROAD] * 33, zones=[])
    assert refused.value.kind is Refusal.INVALID
