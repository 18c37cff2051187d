"""The screens of settings, hours and health, as the server makes them."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app.settings_access import SettingsAccess
from facesecure.domain.accounts import Role
from facesecure.services.settings_file import Place
from support.page.served import Answered, Served
from support.page_cameras import served_cameras

FILE = """\
# ours
[camera]
source = "rtsp://anna:hunter2secret@cam/main"
[policy]
quiet = ["22:00-07:00"]
[[policy.rules]]
when = { verdict = "known", name = "Anna", mode = "away", between = "22:00-07:00", quiet = true }
channels = "none"
cooldown = 900
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facesecure.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def house(tmp_path: Path, file: Path) -> Iterator[Served]:
    access = SettingsAccess(Place(file, tmp_path), lambda _: True, lambda: False)
    with served_cameras(tmp_path, "front door", settings=access) as served:
        yield served


def revision(page: Answered) -> str:
    found = re.search(r'name="revision" value="([0-9a-f]{32})"', page.text)
    assert found
    return found[1]


def typed(house: Served, section: str, **texts: str) -> dict[str, str]:
    """The form of ``section`` as a browser sends it, with ``texts`` typed; a __ stands for the dot."""
    page = house.get(f"/settings/{section}", Role.OWNER)
    fields = dict(re.findall(r'<input id="f\d+" name="([^"]+)" type="text" value="([^"]*)"', page.text))
    fields |= dict(re.findall(r'<textarea id="f\d+" name="([^"]+)"[^>]*>([^<]*)</textarea>', page.text))
    values = {key: html.unescape(value) for key, value in fields.items()}
    return values | {key.replace("__", "."): text for key, text in texts.items()} | {"revision": revision(page)}


def test_a_section_has_a_field_for_each_setting_and_no_secret(house: Served) -> None:
    page = house.get("/settings/camera", Role.OWNER).text
    assert 'value="rtsp://***@cam/main"' in page
    assert "hunter2secret" not in page
    assert "From 64 to 7680" in page
    assert "Only in the configuration file:" in page
    assert house.get("/settings/nonsense", Role.OWNER).status == 404
    assert house.get("/settings/camera", Role.MEMBER).status == 403


def test_a_search_finds_settings_by_all_words_of_their_description(house: Served) -> None:
    page = house.get("/settings?q=recognised+STRANGER", Role.OWNER).text
    assert "policy.stranger_cooldown" in page
    assert "camera.fps" not in page
    nothing = house.get("/settings?q=%3Cscript%3E", Role.OWNER).text
    assert "Nothing is called so" in nothing
    assert "<script>" not in nothing


def test_mistakes_stand_at_their_fields_with_what_was_typed(house: Served, file: Path) -> None:
    form = typed(house, "policy", policy__quiet="25:00-26:00", policy__known_cooldown='-1"><b>')
    page = house.post("/settings/policy", form, Role.OWNER).text
    assert "must be a number" in page
    assert 'value="-1&#34;&gt;&lt;b&gt;"' in page
    page = house.post("/settings/policy", form | {"policy.known_cooldown": "-1"}, Role.OWNER).text
    assert page.count('class="error"') == 2
    assert "is not a time of day" in page
    assert file.read_text() == FILE


def test_the_difference_is_shown_and_saved_with_what_was_typed(house: Served, file: Path) -> None:
    form = typed(house, "policy", policy__quiet="21:00-07:00", policy__known_cooldown="60")
    page = house.post("/settings/policy", form, Role.OWNER).text
    assert '<span class="removed">-quiet = [&#34;22:00-07:00&#34;]' in page
    assert file.read_text() == FILE
    saved = house.post("/settings/policy/save", form, Role.OWNER)
    assert (saved.status, saved.headers["location"]) == (303, "/settings/policy")
    assert tomllib.loads(file.read_text())["policy"]["known_cooldown"] == 60.0
    assert "hunter2secret" in file.read_text()
    undone = house.post("/settings/undo", {"revision": revision(house.get("/settings", Role.OWNER))}, Role.OWNER)
    assert undone.status == 303
    assert file.read_text() == FILE


def test_nothing_changed_is_nothing_saved(house: Served) -> None:
    same = house.post("/settings/policy", typed(house, "policy"), Role.OWNER)
    assert "done=settings-same" in same.headers["set-cookie"]


def test_who_did_not_give_the_password_lately_is_asked_and_loses_nothing(house: Served, file: Path) -> None:
    form = typed(house, "policy", policy__quiet="21:00-07:00")
    page = house.post("/settings/policy/save", form, Role.OWNER, confirmed=False).text
    assert 'type="password"' in page
    assert "21:00-07:00</textarea>" in page.replace("\n", "")
    undo = house.post("/settings/undo", {"revision": form["revision"]}, Role.OWNER, confirmed=False).text
    assert 'type="password"' in undo
    assert file.read_text() == FILE


def test_a_form_that_is_too_old_is_refused(house: Served) -> None:
    form = typed(house, "policy", policy__quiet="21:00-07:00")
    house.post("/settings/policy/save", form, Role.OWNER)
    again = house.post("/settings/policy/save", form, Role.OWNER)
    assert again.status == 400
    assert "changed since this page was opened" in again.text


def test_back_to_the_default_and_a_switch_that_is_off(house: Served, file: Path) -> None:
    form = typed(house, "policy") | {"unset": "policy.quiet"}
    house.post("/settings/policy/save", form, Role.OWNER)
    assert "quiet" not in tomllib.loads(file.read_text())["policy"]
    house.post("/settings/subjects/save", typed_switch(house, "subjects"), Role.OWNER)
    assert tomllib.loads(file.read_text())["subjects"] == {"enabled": False}


def typed_switch(house: Served, section: str) -> dict[str, str]:
    """A form whose switches are off: a browser sends nothing of them."""
    return {"revision": revision(house.get(f"/settings/{section}", Role.OWNER))}


def test_the_week_and_the_rules_are_shown(house: Served) -> None:
    page = house.get("/arm", Role.VIEWER).text
    assert "Quiet hours: every day, 22:00-07:00." in page
    assert "Anna, while armed away, at 22:00-07:00, in quiet hours: nobody is notified; again after 15 min." in page
    assert '<rect class="quiet-hours" x="1320" y="12" width="120" height="12"/>' in page
    assert '<rect class="quiet-hours" x="0" y="12" width="420" height="12"/>' in page
    assert "Change the hours" not in page


def test_hours_are_typed_without_javascript(house: Served, file: Path) -> None:
    form = {
        "revision": revision(house.get("/arm", Role.MEMBER)),
        "away-0-days": "2", "away-0-start": "09:00", "away-0-end": "00:00",
        "quiet-0-days": "0", "quiet-0-start": "22:00", "quiet-0-end": "07:00", "quiet-0-remove": "yes",
        "quiet-1-start": "", "quiet-1-end": "",
    }  # fmt: skip
    saved = house.post("/arm", form, Role.MEMBER)
    assert saved.status == 303
    assert tomllib.loads(file.read_text())["policy"]["away"] == ["Wed 09:00-24:00"]
    assert tomllib.loads(file.read_text())["policy"]["quiet"] == []


def test_hours_without_a_day_are_shown_again(house: Served, file: Path) -> None:
    form = {"revision": revision(house.get("/arm", Role.MEMBER)), "away-0-start": "09:00", "away-0-end": "17:00"}
    page = house.post("/arm", form, Role.MEMBER).text
    assert "Each row needs a day, a start and an end." in page
    assert 'value="09:00"' in page
    assert file.read_text() == FILE


def test_what_would_happen_answers_any_address(house: Served) -> None:
    assert "the house is disarmed" in house.get("/arm?guest=stranger&mode=off", Role.VIEWER).text
    for wrong in ("guest=known&name=Nobody", "at=yesterday", "mode=xx", "guest=%00", "camera=cellar", "at=9999-01-01"):
        answer = house.get(f"/arm?{wrong}", Role.VIEWER)
        assert answer.status == 200, wrong


def test_health_is_for_viewers_and_the_checks_for_owners(house: Served) -> None:
    viewer = house.get("/health", Role.VIEWER).text
    assert "front door" in viewer
    assert "Check everything" not in viewer
    assert house.post("/health/check", {}, Role.VIEWER).status == 403
    owner = house.get("/health", Role.OWNER).text
    assert "I have a copy" in owner
    assert house.post("/health/key", {}, Role.OWNER).status == 303
    assert "I have a copy" not in house.get("/health", Role.OWNER).text


def test_settings_that_are_no_file_s_are_shown_and_cannot_be_changed(tmp_path: Path) -> None:
    with served_cameras(tmp_path, "front door") as served:
        assert "cannot be changed" in served.get("/settings", Role.OWNER).text
        page = served.get("/settings/policy", Role.OWNER).text
        assert "Not here:" in page
        assert "Show what changes" not in page
        assert served.get("/settings/state", Role.OWNER).status == 200
        assert served.get("/arm", Role.OWNER).status == 200
        assert served.get("/health", Role.OWNER).status == 200
