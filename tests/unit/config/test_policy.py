"""The section [policy]: valid settings, and every mistake reported at once."""

import pytest

from facesecure.config import FacesecureConfig
from facesecure.config.loader import load_config
from facesecure.domain.errors import ConfigError


def written(tmp_path, text):
    path = tmp_path / "facesecure.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    return caught.value.problems


COMPLETE = """\
[policy]
mode = "away"
quiet = ["22:00-07:00", "weekends 22:00-09:00"]
away = ["Mon-Fri 09:00-17:00"]
aloud = ["bell"]
known_cooldown = 0
[[policy.rules]]
when = { verdict = "known", name = "Anna", mode = "away", between = "22:00-07:00" }
channels = ["notify"]
say = "{name} is home"
cooldown = 300
[[policy.rules]]
when = { verdict = ["stranger", "unidentified"], mode = ["home", "away", "off"], quiet = false }
channels = "all"
[[policy.rules]]
channels = "none"
[plugins.notify]
"""


def test_one_word_stands_for_a_list_and_a_list_for_several(tmp_path):
    policy = load_config(written(tmp_path, COMPLETE)).policy
    first, second, third = policy.rules
    assert (first.when.verdict, first.when.name, first.when.mode) == (("known",), ("Anna",), ("away",))
    assert (first.channels, first.say, first.cooldown) == (("notify",), "{name} is home", 300)
    assert second.when.verdict == ("stranger", "unidentified")
    assert (second.channels, third.channels) == (("all",), ("none",))
    assert third.when.mode == ("home", "away"), "off is off unless a rule names it"


def test_without_the_section_everybody_is_told_of_by_everything():
    policy = FacesecureConfig().policy
    assert (policy.mode, policy.quiet, policy.away, policy.rules) == ("home", [], [], [])


MISTAKES = """\
[policy]
mode = "hom"
quiet = ["22-7"]
known_coldown = 3
[plugins.log]
[plugins.notify]
[[policy.rules]]
when = { verdit = "known", mode = "awy" }
channels = ["notfy"]
[[policy.rules]]
when = { verdict = "strangr", between = "24:00-07:00" }
channels = "al"
"""


def test_every_mistake_is_told_at_once_with_its_line_and_what_was_meant(tmp_path):
    found = problems(tmp_path, MISTAKES)
    assert [problem.split(":")[0] for problem in found] == [
        "line 2", "line 3", "line 4", "line 8", "line 8", "line 9", "line 11", "line 11", "line 12",
    ]  # fmt: skip
    for meant in ("home", "known_cooldown", "verdict", "away", "notify", "stranger", "all"):
        assert any(f"did you mean {meant!r}?" in problem for problem in found), meant


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("cooldown = -1", "must be at least 0"),
        ("", "it changes nothing"),
        ('when = { verdict = "known" }', "it changes nothing"),
        ('when = { verdict = "stranger", name = "Anna" }\nchannels = "all"', "only a known person has a name"),
        ('when = { name = "a/b" }\nchannels = "all"', "cannot be a person's name"),
        ('when = "always"\nchannels = "all"', "must be settings in braces"),
        ('channels = ["all", "log"]', "'all' cannot be combined with others"),
        ('channels = "pager"', "there is no [plugins.pager] in the configuration; there are: log"),
        ('say = "hallo"', "list the verdicts"),
        ('when = { verdict = "camera" }\nsay = "hallo"', "sentences about the camera and the service are in [speech"),
        ('when = { verdict = "stranger" }\nsay = "{name} is {where}"', "there is no {name} where the verdict is stra"),
        ('when = { verdict = "known" }\nsay = "{nam} is {where}"', "did you mean {name}?"),
        ('when = { verdict = "known" }\nsay = "{name!r}"', "there is no {name}"),
        ('when = { verdict = "known" }\nsay = "{name"', "a slot is written {where}"),
        ('when = { verdict = "known" }\nsay = " ... "', "it has no words"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_and_says_why(tmp_path, rule, said):
    (problem,) = problems(tmp_path, f"[[policy.rules]]\n{rule}\n")
    assert said in problem


def test_the_documented_rules_are_good_ones(tmp_path):
    from pathlib import Path

    page = Path(__file__).resolve().parents[3] / "docs" / "arming.md"
    blocks = page.read_text(encoding="utf-8").split("```toml\n")[1:]
    assert len(blocks) >= 3
    plugins = "[plugins.log]\n[plugins.notify]\n[plugins.google_home]\n[plugins.speaker]\n"
    for block in blocks:
        load_config(written(tmp_path, block.split("```")[0] + plugins))


CAMERAS = """\
[[cameras]]
name = "gate"
[[cameras]]
name = "front door"
[[policy.rules]]
when = { camera = %s }
channels = "all"
"""


@pytest.mark.parametrize(
    ("camera", "kept"), [('"gate"', ("gate",)), ('["Gate", "front  door"]', ("Gate", "front  door"))]
)
def test_a_rule_names_cameras_as_they_are_configured_in_any_case(tmp_path, camera, kept):
    assert load_config(written(tmp_path, CAMERAS % camera)).policy.rules[0].when.camera == kept


def test_a_rule_about_the_only_camera_names_it_too(tmp_path):
    rule = '[[policy.rules]]\nwhen = { camera = "front door" }\nchannels = "all"\n'
    assert load_config(written(tmp_path, rule)).policy.rules[0].when.camera == ("front door",)


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ('"gaet"', "there is no camera called 'gaet'; did you mean 'gate'?"),
        ('["gate", "cellar"]', "there is no camera called 'cellar'; there are: 'gate', 'front door'"),
        ("7", "camera"),
    ],
)
def test_a_rule_about_a_camera_that_is_not_there_is_refused(tmp_path, camera, said):
    (problem,) = problems(tmp_path, CAMERAS % camera)
    assert said in problem


def test_a_rule_about_the_service_names_no_camera(tmp_path):
    (problem,) = problems(tmp_path, CAMERAS % '"gate", verdict = "service"')
    assert "at no camera" in problem


def test_a_rule_may_name_a_camera_of_the_file_when_the_command_line_chooses_another_source(tmp_path):
    config = load_config(written(tmp_path, CAMERAS % '"front door"'), {"camera.source": "file:clip.mp4"})
    assert config.policy.rules[0].when.camera == ("front door",)


def test_a_face_disarms_only_during_an_entry_delay(tmp_path):
    (problem,) = problems(tmp_path, '[policy]\nknown_disarms = ["Anna"]\n')
    assert "needs an entry_delay" in problem
    text = '[policy]\nknown_disarms = [" Anna "]\nentry_delay = 30\nentry_delay_for = "known"\n'
    found = load_config(written(tmp_path, text)).policy
    assert (found.known_disarms, found.entry_delay_for) == (["Anna"], ["known"])
