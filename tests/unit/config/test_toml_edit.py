"""Single values of a TOML file change, and everything else in it stays."""

import tomllib

import pytest

from facesecure.config.changeable import locked, value_problem
from facesecure.config.example import example_config
from facesecure.config.toml_edit import edited, written
from facesecure.domain.errors import ConfigError

CAMERAS = '# two\n[[cameras]]\nname = "a"  # front\nfps = 5 # five\n[[cameras]]\nname="b"\n[cameras.health]\nmoved=0\n'


def test_a_value_changes_and_its_comment_stays():
    assert edited("[camera]\nfps = 5.0  # slow\n", [(("camera", "fps"), 7.5)]) == "[camera]\nfps = 7.5  # slow\n"


def test_a_new_setting_stands_below_its_commented_default():
    text = edited(example_config(), [(("policy", "quiet"), ["22:00-07:00"])])
    assert '#quiet = []\nquiet = ["22:00-07:00"]\n' in text
    assert len(text.splitlines()) == len(example_config().splitlines()) + 1


def test_each_of_several_cameras_is_changed_for_itself():
    text = edited(CAMERAS, [(("cameras", 1, "fps"), 7.0), (("cameras", 0, "fps"), 8.0)])
    assert text.startswith('# two\n[[cameras]]\nname = "a"  # front\nfps = 8.0 # five\n')
    assert [camera["fps"] for camera in tomllib.loads(text)["cameras"]] == [8.0, 7.0]


def test_a_table_of_one_camera_is_added_to_that_one():
    text = edited('[[cameras]]\nname = "a"\n[[cameras]]\nname = "b"\n', [(("cameras", 0, "health", "moved"), 0.0)])
    assert text == '[[cameras]]\nhealth = { moved = 0.0 }\nname = "a"\n[[cameras]]\nname = "b"\n'


def test_inline_tables_dotted_keys_and_the_ends_of_lines_are_kept():
    text = 'camera = {fps = 3.0, name = "x"} # c\r\npolicy.quiet = ["22:00-07:00"]\r\n'
    changed = edited(text, [(("camera", "width"), 640), (("policy", "away"), ["09:00-10:00"])])
    assert changed.count("\r\n") == changed.count("\n") == 3
    assert tomllib.loads(changed)["camera"] == {"fps": 3.0, "name": "x", "width": 640}
    assert tomllib.loads(changed)["policy"] == {"quiet": ["22:00-07:00"], "away": ["09:00-10:00"]}


def test_none_takes_a_setting_out():
    assert edited("[camera]\nfps = 5.0\nwidth = 640\n", [(("camera", "fps"), None)]) == "[camera]\nwidth = 640\n"


@pytest.mark.parametrize(
    "text", ['"]\nstate_dir = "/', 'a"\n[plugins.log]\nfile = "/etc/x', "'''", "\x7f\u2028é\\", "#"]
)
def test_no_text_brings_a_setting_along(text):
    changed = edited("[camera]\nfps = 5.0\n", [(("camera", "where"), text), (("speech", "phrases"), {text: text})])
    assert tomllib.loads(changed) == {"camera": {"fps": 5.0, "where": text}, "speech": {"phrases": {text: text}}}
    assert tomllib.loads(f"x = {written([text, {text: 1}])}") == {"x": [text, {text: 1}]}


def test_a_path_through_a_value_is_refused():
    with pytest.raises(ConfigError):
        edited("camera = 5\n", [(("camera", "fps"), 7.5)])
    with pytest.raises(ConfigError):
        edited(CAMERAS, [(("cameras", 2, "fps"), 7.5)])


@pytest.mark.parametrize(
    "path",
    [
        ("state_dir",), ("inference", "delegate"), ("recognizer", "model"), ("speech", "piper_model"),
        ("plugins", "log", "file"), ("plugins", "speaker", "device"), ("plugins", "webhook", "url"),
        ("plugins", "webhook", "headers"), ("plugins", "notify", "urls"), ("plugins", "stranger", "program"),
        ("store", "audit_days"), ("web", "hosts"), ("policy", "rules"), ("cameras", 0, "name"), ("cameras", 0),
        ("camera",), ("plugins", "log"), ("plugins",), ("policy", "quiet", 0), ("nonsense",), ("nonsense", "x"),
        ("plugins", "log", "enabled", "x"),
    ],
)  # fmt: skip
def test_what_runs_reads_writes_or_sends_is_changed_in_the_file_only(path):
    assert locked(path)


def test_other_settings_are_changed_on_the_page():
    for path in [
        ("policy", "quiet"), ("camera", "fps"), ("cameras", 3, "mask"), ("cameras", 0, "health", "moved"),
        ("plugins", "log", "enabled"), ("plugins", "anything", "expires"), ("detector", "kind"),
    ]:  # fmt: skip
        assert locked(path) is None, path


@pytest.mark.parametrize(
    "source", ["file:/etc/shadow", "dir:/", "/etc/passwd", "v4l2:/dev/mem", "http://x", "rtsp://a b", 5, "picamera2:/x"]
)
def test_a_camera_is_an_address_and_no_file(source):
    assert value_problem(("cameras", 0, "source"), source)
    assert value_problem(("camera", "detect"), source)
    assert value_problem(("camera", "detect"), "rtsp://user:secret@camera/sub") is None


GATE = {"name": "gate", "source": "rtsp://gate/1"}


@pytest.mark.parametrize(
    ("text", "number", "before"),
    [
        ("", 1, [{}]),
        ("[policy]\nmode = 'away'\n", 1, [{}]),
        ("# my door\n[camera]  # one\nfps = 5.0\n[camera.health]\nmoved = 0\n[store]\nkeep_days = 3\n", 1, None),
        (CAMERAS, 2, None),
    ],
)
def test_a_camera_is_added_and_everything_else_stays(text, number, before):
    tables = tomllib.loads(text)
    cameras = before or tables.get("cameras") or [tables["camera"]]
    changed = edited(text, [(("cameras", number), GATE)])
    found = tomllib.loads(changed)
    assert found.pop("cameras") == [*cameras, GATE]
    assert found == {key: value for key, value in tables.items() if not key.startswith("camera")}
    assert [line for line in text.splitlines() if "camera" not in line and line not in changed] == []
    assert "# " not in text or "# " in changed


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('camera.source = "rtsp://x/1"\n', ("cameras", 1)),
        ("camera = { fps = 5.0 }\n", ("cameras", 1)),
        ('cameras = [{ name = "a" }]\n', ("cameras", 1)),
        (CAMERAS, ("cameras", 1)),
        (CAMERAS, ("cameras", 7)),
        ("cameras = 5\n", ("cameras", 1)),
        ("[camera]\nwhere = '''\n[camera]\n'''\n", ("cameras", 1)),
    ],
)
def test_a_camera_that_cannot_be_added_without_other_changes_is_refused(text, path):
    with pytest.raises(ConfigError):
        edited(text, [(path, GATE)])


def test_the_values_of_an_added_camera_bring_nothing_along():
    evil = {"name": 'x"\n[inference]\ndelegate = "/evil.so', "source": "'''"}
    assert tomllib.loads(edited("", [(("cameras", 1), evil)])) == {"cameras": [{}, evil]}
