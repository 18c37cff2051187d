"""A configuration file is read, or all of its problems are reported at once."""

import re

import pytest

from facesecure.config import FacesecureConfig, paths
from facesecure.config.example import example_config
from facesecure.config.loader import load_config
from facesecure.domain.errors import ConfigError
from facesecure.services.config_check import checked_config


@pytest.fixture(autouse=True)
def nobody_elses_settings(tmp_path, monkeypatch):
    for name in ("FACESECURE_CONFIG", "FACESECURE_STATE_DIR", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(paths, "MACHINE_CONFIG", tmp_path / "etc" / "facesecure.toml")


def written(tmp_path, text):
    path = tmp_path / "facesecure.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path, text, overrides=None):
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text), overrides)
    return caught.value.problems


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path):
    config = load_config(written(tmp_path, '[camera]\nsource = "file:a.mp4"\n'))
    assert config.camera.source == "file:a.mp4"
    assert config.detector == FacesecureConfig().detector


def test_the_log_stays_when_another_plugin_is_added_unless_it_is_switched_off(tmp_path):
    rules = '[[policy.rules]]\nchannels = ["log", "webhook"]\n'
    config = load_config(written(tmp_path, rules + '[plugins.webhook]\nurl = "http://127.0.0.1/"\n'))
    assert config.plugins == {"log": {}, "webhook": {"url": "http://127.0.0.1/"}}
    assert load_config(written(tmp_path, "[plugins.log]\nenabled = false\n")).plugins == {"log": {"enabled": False}}


def test_no_file_at_all_is_the_defaults():
    assert load_config() == FacesecureConfig()


def test_the_command_line_wins_over_the_file(tmp_path):
    path = written(tmp_path, '[camera]\nsource = "file:a.mp4"\nname = "back"\n')
    config = load_config(path, {"camera.source": "dir:b", "verdict.min_faces": 4})
    assert (config.camera.source, config.camera.name, config.verdict.min_faces) == ("dir:b", "back", 4)


def test_every_problem_is_told_at_once_in_the_files_order_with_its_line(tmp_path):
    text = '[camera]\nwidht = 3\n\nfps = "many"\n[detector]\nkind = "mtcn"\n[motion]\nthreshold = 2\n'
    found = problems(tmp_path, text)
    assert [problem.split(":")[0] for problem in found] == ["line 2", "line 4", "line 6", "line 8"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[camera]\nwidht = 3", "line 2: camera.widht: there is no such setting; did you mean 'width'?"),
        ("[camra]\nwidth = 3", "line 1: camra: there is no such section or setting; did you mean 'camera'?"),
        ("[camera]\ninterval = 3", "did you mean 'interval' in [detector]?"),
        (
            "\n[detector]\nkind = 'yunett'",
            "line 3: detector.kind: must be 'mtcnn', 'haar' or 'yunet', not 'yunett'; did you",
        ),
        ("[camera]\nwidth = 1", "must be at least 64, not 1"),
        ("[camera]\nfps = nan", "camera.fps: must be at most 120, not nan"),
        ("[camera]\nname = ''", "camera.name: must not be empty"),
        ("[camera]\nwidth = 'a'", "must be a whole number, not 'a'"),
        ("[motion]\nenabled = 7", "must be true or false, not 7"),
        ("motion = 7", "must be a section that begins with [motion], not 7"),
        ("[plugins]\nlog = 7", "must be a section that begins with [plugins.log], not 7"),
        ("[motion]\nmask = [[0, 0, 1, 1],\n [0, 0, 1]]", "line 3: motion.mask[2]: must be four numbers, [left"),
        ("[store]\nzzz = 7", "line 2: store.zzz: there is no such setting"),
        (
            "[verdict]\nfalse_accept = '60%'",
            "line 2: verdict.false_accept: must be a rate above 0 and up to 0.5, such as 1/1000, 0.001 or 0.1%, not",
        ),
        ("[verdict]\nfalse_stranger = 0", "line 2: verdict.false_stranger: must be a rate above 0 and up to 0.5"),
        ("[verdict]\nfalse_accept = true", "line 2: verdict.false_accept: must be a rate above 0 and up to 0.5"),
    ],
)
def test_a_problem_says_where_what_and_what_was_meant(tmp_path, text, said):
    assert any(said in problem for problem in problems(tmp_path, text))


def test_rates_may_be_fractions_and_percentages(tmp_path):
    path = written(tmp_path, "[verdict]\nfalse_accept = '1/10000'\nfalse_stranger = '0.5 %'\n")
    verdict = load_config(path).verdict
    assert (verdict.false_accept, verdict.false_stranger) == (1e-4, 0.005)


def test_a_wrong_word_on_the_command_line_is_not_blamed_on_the_file(tmp_path):
    found = problems(tmp_path, "[verdict]\nmin_faces = 3\n", {"verdict.min_faces": 0})
    assert found == ("command line: verdict.min_faces: must be at least 1, not 0",)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = \n", 1), ("\n\nkey value\n", 3), ("[camera]\nfps = 1\nfps = 2\n", 3), ('x = """never ends', 1)],
)
def test_a_file_that_is_not_toml_is_told_by_line(tmp_path, text, line):
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"line {line}")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "facesecure.toml"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "facesecure.toml"
    path.write_bytes(b"\xef\xbb\xbf[camera]\nfps = 3\n")
    assert load_config(path).camera.fps == 3


def test_a_file_that_was_named_must_be_there(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"none\.toml does not exist \(named by --config\)"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="is a directory") as caught:
        load_config(tmp_path)
    assert caught.value.hint == f"Make one with: facesecure config example > {tmp_path / 'facesecure.toml'}"
    monkeypatch.setenv("FACESECURE_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match="named by FACESECURE_CONFIG"):
        load_config()


def test_files_are_looked_for_in_their_order(tmp_path, monkeypatch):
    def put(path, name):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f'camera.name = "{name}"\n')
        return path

    found = []
    put(paths.user_config(), "user")
    found.append(load_config().camera.name)
    put(paths.MACHINE_CONFIG, "machine")
    found.append(load_config().camera.name)
    monkeypatch.setenv("FACESECURE_CONFIG", str(put(tmp_path / "environment.toml", "environment")))
    found.append(load_config().camera.name)
    found.append(load_config(put(tmp_path / "named.toml", "named")).camera.name)
    assert found == ["user", "machine", "environment", "named"]


def test_the_example_loads_to_the_defaults_as_it_is_and_with_every_setting_uncommented(tmp_path):
    example = example_config()
    uncommented = re.sub(r"^#(?=\w)", "", example, flags=re.MULTILINE)
    assert uncommented != example
    assert load_config(written(tmp_path, example)) == FacesecureConfig()
    assert load_config(written(tmp_path, uncommented)) == FacesecureConfig()


def test_the_example_s_plugins_load_to_their_defaults_with_every_setting_uncommented(tmp_path):
    plugins = "[plugins." + example_config().partition("\n[plugins.")[2]
    path = written(tmp_path, re.sub(r"^# ?(?=\[plugins|\w+ = )", "", plugins, flags=re.MULTILINE))
    tables = checked_config(path, {}, lambda _: tmp_path).plugins
    assert {"google_home", "log", "notify", "speaker", "webhook"} <= set(tables)
    assert tables["webhook"]["secret"] == ""


def test_every_line_of_the_example_that_looks_like_a_setting_may_be_uncommented(tmp_path):
    one_camera = re.sub(r"^# \[\[cameras\]\]\n(# .*\n)+", "", example_config(), flags=re.MULTILINE)
    uncommented, count = re.subn(r"^# *(?=\[|[\w.]+ *=)", "", one_camera, flags=re.MULTILINE)
    assert count > 100
    assert "\n[[cameras]]" not in uncommented
    with pytest.raises(ConfigError) as caught:
        checked_config(written(tmp_path, uncommented), {}, lambda _: tmp_path)
    missing, *others = (problem.split(": ", 1)[1] for problem in caught.value.problems)
    assert re.fullmatch(r"speech\.piper_model: there is no file /usr/.*\.onnx", missing)
    assert all("cannot write /var/lib/facesecure/" in other for other in others)  # unless root runs this


def test_the_cameras_of_the_example_may_be_uncommented_beside_its_empty_section(tmp_path):
    block = re.search(r"^# \[\[cameras\]\]\n(# .*\n)+", example_config(), re.MULTILINE)
    assert block is not None
    uncommented = example_config().replace(block[0], re.sub(r"^# ", "", block[0], flags=re.MULTILINE))
    assert [one.camera.name for one in load_config(written(tmp_path, uncommented)).each_camera()] == [
        "front door",
        "garden gate",
    ]


def test_the_example_names_every_setting_and_what_it_means():
    example = example_config()
    for section, field in FacesecureConfig.model_fields.items():
        assert section in example
        for name, setting in getattr(field.annotation, "model_fields", {}).items():
            assert re.search(rf"^# ?{name} = ", example, re.MULTILINE), f"{section}.{name} is not in the example"
            assert setting.description, f"{section}.{name} has no description"


def test_state_is_kept_where_the_nearest_word_says(tmp_path, monkeypatch):
    plain, configured = FacesecureConfig(), FacesecureConfig(state_dir=tmp_path / "config")
    found = [paths.state_directory(plain)]
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'systemd'}:/other")
    found.append(paths.state_directory(plain))
    found.append(paths.state_directory(configured))
    monkeypatch.setenv("FACESECURE_STATE_DIR", str(tmp_path / "environment"))
    found.append(paths.state_directory(configured))
    found.append(paths.state_directory(configured, tmp_path / "named"))
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "state/facesecure", "systemd", "config", "environment", "named",
    ]  # fmt: skip
