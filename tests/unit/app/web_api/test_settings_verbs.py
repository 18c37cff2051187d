"""Settings, hours and health, asked on real files and a real store."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Refused
from facesecure.domain.accounts import Role
from facesecure.domain.errors import ConfigError
from facesecure.services import settings_overlay
from facesecure.services.audit import verify
from facesecure.services.settings_file import merged, revert
from facesecure.services.settings_trial import take_back_untried
from support.page_settings import SettingsPage, settings_page

TEXT = """\
# our house
[camera]
source = "rtsp://anna:hunter2secret@cam/main"  # the one at the door
name = "front door"

[policy]
# quiet = []
known_cooldown = 300.0

[plugins.webhook]
secret = "whsec_c2VjcmV0c2VjcmV0"
url = "https://example.org/hook"
"""


@pytest.fixture
def page(tmp_path):
    with settings_page(tmp_path, TEXT) as page:
        yield page


@pytest.fixture
def own(tmp_path):
    with settings_page(tmp_path, TEXT, writable=True) as page:
        yield page


def loaded(page: SettingsPage):
    return settings_overlay.load(page.file, {}, page.state)


def test_the_form_has_limits_help_and_where_each_value_is_from(page):
    fps = page.field("camera.fps")
    assert (fps["kind"], fps["low"], fps["above"], fps["high"], fps["text"]) == ("number", 0, True, 120, "10")
    assert fps["help"]
    assert (fps["where"], fps["reason"]) == ("default", None)
    assert page.field("camera.transport")["choices"] == ["tcp", "udp"]
    assert page.field("policy.known_cooldown")["where"] == "file"
    assert page.field("clips.enabled")["choices"] == ["auto", "true", "false"]
    assert page.field("inference.delegate")["reason"]


def test_no_secret_is_answered(page):
    answer = str(page.ask("settings-schema"))
    assert "hunter2secret" not in answer
    assert "c2VjcmV0" not in answer
    assert page.field("camera.source")["text"] == "rtsp://***@cam/main"


def test_what_root_s_file_says_is_replaced_beside_it_and_can_be_taken_back(page):
    done = page.save({"policy.quiet": "22:00-07:00\nweekends 22:00-09:00", "policy.known_cooldown": "60"})
    assert done["applying"]
    assert 'quiet = ["22:00-07:00", "weekends 22:00-09:00"]' in done["diff"]
    assert "-known_cooldown = 300.0\n" in done["diff"]
    assert "+known_cooldown = 60.0\n" in done["diff"]
    assert page.file.read_text() == TEXT
    assert (loaded(page).policy.quiet, loaded(page).policy.known_cooldown) == (
        ["22:00-07:00", "weekends 22:00-09:00"],
        60.0,
    )
    assert page.field("policy.quiet")["where"] == "page"
    state = page.ask("settings-state")
    assert state["last"]["undoable"]
    assert state["last"]["by"] == "owner"
    assert page.ask("settings-undo", {"revision": state["revision"]})["diff"]
    assert loaded(page).policy.quiet == []
    assert page.ask("settings-state")["last"] is None
    assert (page.state / "settings.json").stat().st_mode & 0o777 == 0o600
    assert (page.state / "settings-history.json").stat().st_mode & 0o777 == 0o600
    assert [entry.action for entry in verify(page.state).entries] == ["settings-changed", "settings-undone"]


def test_a_file_of_one_s_own_is_edited_in_place_and_restored_to_the_letter(own):
    own.save({"camera.fps": "5", "policy.quiet": "22:00-07:00"})
    text = own.file.read_text()
    assert "# our house" in text
    assert "# the one at the door" in text
    assert '# quiet = []\nquiet = ["22:00-07:00"]\n' in text
    assert not (own.state / "settings.json").exists()
    own.ask("settings-undo", {"revision": own.revision})
    assert own.file.read_text() == TEXT


def test_a_secret_that_is_left_as_it_is_shown_is_kept(own):
    own.save({"camera.source": "rtsp://***@cam/main", "camera.fps": "5"})
    assert tomllib.loads(own.file.read_text())["camera"]["source"] == "rtsp://anna:hunter2secret@cam/main"
    own.save({"camera.source": "rtsp://anna:another5ecret@cam/sub"})
    assert tomllib.loads(own.file.read_text())["camera"]["source"] == "rtsp://anna:another5ecret@cam/sub"
    assert "another5ecret" not in str(own.ask("settings-schema"))


def test_every_mistake_is_told_at_its_field_and_nothing_is_saved(own):
    texts = {
        "camera.fps": "-1",
        "camera.width": "wide",
        "policy.quiet": "22:00-07:00\n25:00-26:00",
        "speech.silence": "",
    }
    unreadable = {one["key"] for one in own.save(texts)["problems"]}
    assert unreadable == {"camera.width", "speech.silence"}
    found = {
        one["key"]: one["text"]
        for one in own.save({key: texts[key] for key in ("camera.fps", "policy.quiet")})["problems"]
    }
    assert found["camera.fps"] == "must be more than 0, not -1.0"
    assert "is not a time of day" in found["policy.quiet"]
    assert own.file.read_text() == TEXT
    assert not own.reloads.rejected


def test_a_preview_changes_nothing(own):
    asked = {"revision": own.revision, "texts": {"camera.fps": "5"}}
    assert "+fps = 5.0" in own.ask("settings-preview", asked)["diff"]
    assert own.file.read_text() == TEXT
    assert own.revision == asked["revision"]


def test_back_to_the_default_takes_the_setting_out(own):
    own.save({}, "policy.known_cooldown")
    assert "known_cooldown" not in own.file.read_text()
    assert own.save({}, "camera.fps")["diff"] == ""


def test_what_the_daemon_does_not_start_with_is_taken_back_and_the_error_is_shown(page):
    page.save({"camera.fps": "5"})
    page.reloads.rejected[-1](ConfigError("the camera is busy", hint="close the other program"))
    assert loaded(page).camera.fps == 10
    rejected = page.ask("settings-state")["rejected"]
    assert rejected["names"] == ["camera.fps"]
    assert "the camera is busy" in rejected["error"]
    page.save({"camera.fps": "6"})
    assert page.ask("settings-state")["rejected"] is None


def test_what_the_process_ended_with_is_taken_back_by_the_next_one(page):
    page.save({"camera.fps": "5"})
    place = page.page.parts.settings.place
    assert take_back_untried(place)
    assert loaded(page).camera.fps == 10
    assert "ended while it was starting" in page.ask("settings-state")["rejected"]["error"]
    page.save({"camera.fps": "6"})
    page.reloads.rejected[-1](None)  # the daemon is ready with it
    assert not take_back_untried(place)
    assert loaded(page).camera.fps == 6


def test_what_was_taken_back_stays_even_if_the_daemon_does_not_start_with_it(page):
    page.save({"camera.fps": "5"})
    page.save({"camera.fps": "6"})
    page.ask("settings-undo", {"revision": page.revision})
    page.reloads.rejected[-1](ConfigError("the camera is busy"))
    assert loaded(page).camera.fps == 5
    assert "the camera is busy" in page.ask("settings-state")["rejected"]["error"]


def test_at_most_twenty_versions_are_kept(own):
    for number in range(1, 24):
        own.save({"camera.fps": str(number)})
    for _ in range(20):
        own.ask("settings-undo", {"revision": own.revision})
    assert own.ask("settings-state")["last"] is None
    assert "fps = 3.0" in own.file.read_text()


def test_what_does_not_fit_root_s_file_any_more_keeps_no_daemon_from_starting(page, caplog):
    page.save({"policy.aloud": "log"})
    page.save({"speech.where": "at the gate"})
    page.file.chmod(0o640)
    page.file.write_text(
        '[[cameras]]\nname = "a"\nsource = "rtsp://a/"\n[[cameras]]\nname = "b"\nsource = "rtsp://b/"\n'
    )
    config = settings_overlay.load(page.file, {}, page.state)
    assert [camera.name for camera in config.cameras] == ["a", "b"]
    assert config.speech.where is None
    assert "do not fit the file any more" in caplog.text


def test_cameras_are_told_apart_by_their_names(tmp_path):
    text = '[[cameras]]\nname = "a"\nsource = "rtsp://a/"\n[[cameras]]\nname = "b"\nsource = "rtsp://b/"\n'
    with settings_page(tmp_path, text) as page:
        page.save({"cameras[2].min_face": "60", "cameras[1].health.moved": "0"})
        page.file.chmod(0o640)
        page.file.write_text(text.replace('"a"', '"c"').replace('"b"', '"a"').replace('"c"', '"b"'))
        first, second = loaded(page).cameras
        assert (first.name, first.min_face, first.health) == ("b", 60, None)
        assert second.health is not None
        assert second.health.moved == 0


def test_root_can_merge_what_the_page_set_and_revert_it(page):
    page.save({"camera.fps": "5", "policy.known_cooldown": "60"})
    place = page.page.parts.settings.place
    assert 'fps = 5.0\nsource = "rtsp://anna:hunter2secret@cam/main"  # the one at the door\n' in merged(place)
    assert revert(place, ["camera.fps"]) == ["camera.fps"]
    assert (loaded(page).camera.fps, loaded(page).policy.known_cooldown) == (10, 60.0)
    assert revert(place) == ["policy.known_cooldown"]


def test_hours_of_the_week_are_shown_and_changed_by_members(page):
    shown = page.ask("arming", role=Role.VIEWER)
    assert shown["hours"] == {"away": [], "quiet": []}
    week = {
        "revision": shown["revision"],
        "away": [{"days": [0, 1, 2, 3, 4], "start": "09:00", "end": "17:00"}],
        "quiet": [{"days": [0, 1, 2, 3, 4, 5, 6], "start": "22:00", "end": "07:00"}],
    }
    page.ask("arming-hours", week, role=Role.MEMBER)
    assert loaded(page).policy.away == ["Mon-Fri 09:00-17:00"]
    assert loaded(page).policy.quiet == ["22:00-07:00"]
    with pytest.raises(Refused) as caught:
        page.ask("arming-hours", week, role=Role.MEMBER)
    assert caught.value.argument == "revision"


def test_hours_that_begin_as_they_end_are_refused(page):
    week = {"revision": page.revision, "away": [{"days": [0], "start": "09:00", "end": "09:00"}], "quiet": []}
    with pytest.raises(Refused) as caught:
        page.ask("arming-hours", week)
    assert (caught.value.kind, caught.value.argument) == (Refusal.INVALID, "away")


def test_what_if_asks_the_policy_that_is_in_use(page):
    found = page.ask("what-if", {"guest": "stranger", "mode": "off"}, role=Role.VIEWER)
    assert (found["notified"], found["why"]) == (False, "off")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert page.ask("what-if", {"guest": "faceless", "at": tomorrow})["sentence"]
    never = ({"at": at} for at in ("2019-01-01T00:00:00Z", "0001-01-01T00:00", "9999-12-31T23:59"))
    for wrong in ({"guest": "known", "name": "Nobody"}, {"camera": "cellar"}, *never):
        with pytest.raises(Refused) as caught:
            page.ask("what-if", wrong)
        assert caught.value.kind is Refusal.INVALID


def test_health_reminds_of_a_copy_of_the_key_until_somebody_has_one(page):
    assert page.ask("health")["key"]["copied"] is False
    page.ask("health-key-kept")
    key = page.ask("health")["key"]
    assert (key["copied"], key["by"]) == (True, "owner")
    assert "path" not in page.ask("health", role=Role.VIEWER)["key"]


def test_health_shows_disk_memory_versions_cameras_and_channels(page):
    found = page.ask("health", role=Role.VIEWER)
    assert found["disk"]["total"] > found["disk"]["free"] > 0
    assert found["disk"]["folder"] == ""
    assert found["memory"]["daemon"] > 10_000_000
    assert found["versions"]["facesecure"]
    assert [camera["name"] for camera in found["cameras"]] == ["front door"]
