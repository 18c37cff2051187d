"""``facesecure config``."""

import tomllib

import pytest

from facesecure.services.settings_file import Place, change_settings


def test_a_good_file_is_called_good(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text("[camera]\nfps = 5\n")
    outcome = facesecure("config", "check", file)
    assert (outcome.code, outcome.out) == (0, f"ok: {file}\n")
    assert facesecure("config", "check", file, "--json").json == {
        "file": str(file),
        "ok": True,
        "problems": [],
        "warnings": [],
        "overrides": [],
    }


@pytest.fixture
def overridden(tmp_path, state, monkeypatch):
    """A file that facesecure may not change, and two settings made on the page."""
    monkeypatch.setattr(Place, "edits_file", property(lambda _: False))
    file = tmp_path / "door.toml"
    file.write_text('# ours\n[camera]\nsource = "rtsp://u:hunter2secret@cam/main"\n')
    changes = {("camera", "detect"): "rtsp://u:hunter2secret@cam/sub", ("policy", "quiet"): ["22:00-07:00"]}
    state.mkdir(mode=0o700, exist_ok=True)
    change_settings(Place(file, state), changes)
    return file


def test_what_the_page_set_is_listed_without_passwords_and_named_by_the_check(facesecure, overridden):
    listed = facesecure("--config", overridden, "config", "overrides", "--json").json
    assert listed["overrides"] == {"camera.detect": "rtsp://***@cam/sub", "policy.quiet": ["22:00-07:00"]}
    assert "hunter2secret" not in facesecure("--config", overridden, "config", "overrides").out
    assert "camera.detect, policy.quiet" in facesecure("--config", overridden, "config", "check").err
    checks = facesecure("--config", overridden, "doctor", "--json").json["checks"]
    (found,) = [one for one in checks if one["check"] == "settings"]
    assert found["status"] == "ok"
    assert found["message"].endswith("from the page: camera.detect, policy.quiet")


def test_what_the_page_set_is_merged_and_forgotten(facesecure, overridden):
    merged = facesecure("--config", overridden, "config", "merge").out
    assert merged.startswith("# ours\n[camera]\n")
    assert tomllib.loads(merged)["policy"] == {"quiet": ["22:00-07:00"]}
    assert facesecure("--config", overridden, "config", "revert", "policy.quite").code == 2
    assert facesecure("--config", overridden, "config", "revert", "policy.quiet").out == "reverted: policy.quiet\n"
    assert facesecure("--config", overridden, "config", "revert").out == "reverted: camera.detect\n"
    assert facesecure("--config", overridden, "config", "overrides", "--json").json["overrides"] == {}


def test_no_file_is_good_too_and_said_so(facesecure):
    assert "default" in facesecure("config", "check").out


def test_a_bad_file_is_told_on_stderr_with_lines_and_ends_with_2(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text("[camera]\nfps = 0\nwidht = 5\n")
    outcome = facesecure("--config", file, "config", "check")
    assert (outcome.code, outcome.out) == (2, "")
    assert "line 2: camera.fps" in outcome.err
    assert "line 3: camera.widht" in outcome.err
    in_json = facesecure("--config", file, "config", "check", "--json")
    assert in_json.code == 2
    assert len(in_json.json["problems"]) == 2


def test_every_command_that_needs_the_settings_refuses_a_bad_file(facesecure, tmp_path, state):
    file = tmp_path / "door.toml"
    file.write_text("nonsense")
    outcome = facesecure("people", "list", "--config", file)
    assert outcome.code == 2
    assert "line 1" in outcome.err
    assert not state.exists()


def test_the_example_can_be_checked(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text(facesecure("config", "example").out)
    assert facesecure("config", "check", file).code == 0


def test_a_plugins_settings_are_checked_too_with_their_line(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text("[plugins.log]\nnosuch = 1\n[plugins.logg]\n")
    problems = facesecure("config", "check", file, "--json").json["problems"]
    assert problems[0] == "line 2: plugins.log.nosuch: there is no such setting"
    assert problems[1] == "line 3: plugins.logg: no plugin called 'logg' is installed; did you mean 'log'?"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise imports it
@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('webhook]\nurl = "https://user:hidden@front door/x"', "no host can have the name in its url"),
        ('webhook]\nurl = "https://.../x"', "no host can have the name in its url"),
        (
            'notify]\nurls = ["nosuch://hidden", "ntfy://topic", "mail:hidden"]',
            "address 1 of urls is not known to Apprise; address 3 of urls is not known to Apprise",
        ),
    ],
)
def test_an_address_that_can_never_be_reached_is_refused_without_being_shown(facesecure, tmp_path, table, said):
    file = tmp_path / "door.toml"
    file.write_text(f"[plugins.{table}\n")
    (problem,) = facesecure("config", "check", file, "--json").json["problems"]
    assert said in problem
    assert "hidden" not in problem


@pytest.mark.parametrize("table", ['webhook]\nurl = "HTTPS://bücher.example/door"', "notify]", "webhook]"])
def test_an_address_that_may_be_right_or_is_not_set_yet_is_accepted(facesecure, tmp_path, table):
    file = tmp_path / "door.toml"
    file.write_text(f"[plugins.{table}\n")
    assert facesecure("config", "check", file).code == 0


def test_a_fallback_that_is_no_plugin_is_told_and_one_that_goes_in_a_circle(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text('[alerts]\nfallback = { google_home = "speeker" }\n')
    (problem,) = facesecure("config", "check", file, "--json").json["problems"]
    assert problem == "line 2: alerts.fallback: no plugin called 'speeker' is installed; did you mean 'speaker'?"
    file.write_text('[alerts]\nfallback = { speaker = "log", log = "speaker" }\n')
    (problem,) = facesecure("config", "check", file, "--json").json["problems"]
    assert "the fallbacks form a circle: speaker > log > speaker" in problem


def test_the_example_shows_the_plugins_that_are_installed_and_their_settings(facesecure):
    example = facesecure("config", "example").out
    assert "\n[plugins.log]\n" in example
    assert "\n# file = " in example


def test_a_rate_that_makes_no_sense_for_a_door_is_warned_of(facesecure, tmp_path):
    file = tmp_path / "facesecure.toml"
    file.write_text('[verdict]\nfalse_accept = "1/4"\n', encoding="utf-8")
    outcome = facesecure("config", "check", file, "--json")
    assert (outcome.code, outcome.json["ok"]) == (0, True)
    (warning,) = outcome.json["warnings"]
    assert warning == "verdict.false_accept: 1 stranger in 4 is let in as one of you; 1 in 100 is lax already"
    assert warning in " ".join(outcome.err.split())


@pytest.mark.parametrize("words", [("doctor",), ("run",), ("people", "list"), ("status",)])
def test_every_command_says_the_same_of_a_bad_file(facesecure, tmp_path, words):
    file = tmp_path / "door.toml"
    file.write_text("[camera]\nfps = 0\n[detector]\nkind = 'yunet'\n[plugins.speaker]\nvolume = 9\n")
    checked = facesecure("config", "check", "--config", file)
    assert len(facesecure("config", "check", "--config", file, "--json").json["problems"]) == 3
    said = facesecure(*words, "--config", file)
    assert (said.code, said.out, said.err) == (2, "", checked.err)


def test_the_log_says_of_a_plugin_s_settings_what_the_check_says(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text("[plugins.speaker]\nvolume = 9\nvolum = 1\n")
    listed = facesecure("alerts", "list", "--config", file, "--json").json
    for problem in facesecure("config", "check", file, "--json").json["problems"]:
        assert problem.split("plugins.speaker.")[1] in str(listed)
