"""``facesecure alerts``: through a real plugin."""

import json

import pytest

from support.alsa import samples, without_a_card


@pytest.fixture
def configured(tmp_path):
    def write(text):
        file = tmp_path / "door.toml"
        file.write_text(text)
        return file

    return write


def test_the_log_plugin_is_listed_and_enabled(facesecure):
    listed = {plugin["name"]: plugin["status"] for plugin in facesecure("alerts", "list", "--json").json["plugins"]}
    assert listed["log"] == "enabled"
    assert "enabled" in facesecure("alerts", "list").out


def test_a_plugin_that_is_not_there_is_listed_with_what_to_do(facesecure, configured):
    file = configured("[plugins.logg]\n")
    plugins = facesecure("alerts", "list", "--json", "--config", file).json["plugins"]
    (wrong,) = [plugin for plugin in plugins if plugin["name"] == "logg"]
    assert (wrong["status"], wrong["hint"]) == ("config error", "did you mean 'log'?")


def test_a_test_alert_goes_through_the_plugin_and_says_that_it_is_one(facesecure, configured, tmp_path):
    told = tmp_path / "alerts.jsonl"
    file = configured(f'[plugins.log]\nfile = "{told}"\n')
    outcome = facesecure("alerts", "test", "log", "--json", "--config", file)
    assert (outcome.code, outcome.json["delivered"]) == (0, True)
    (line,) = told.read_text().splitlines()
    assert "test" in json.dumps(json.loads(line))


def test_a_plugin_that_cannot_deliver_fails_the_test(facesecure, configured, tmp_path):
    file = configured(f'[plugins.log]\nfile = "{tmp_path / "none" / "x" / "y.jsonl"}"\n')
    (tmp_path / "none").write_text("a file, so nothing can be made under it")
    outcome = facesecure("alerts", "test", "log", "--config", file)
    assert outcome.code == 1
    assert "\nerror: " in outcome.err


@pytest.mark.parametrize(("name", "said"), [("nobody", "there is no plugin"), ("log", "enabled = false")])
def test_a_plugin_that_is_not_in_use_cannot_be_tried(facesecure, configured, name, said):
    outcome = facesecure("alerts", "test", name, "--config", configured("[plugins.log]\nenabled = false\n"))
    assert outcome.code == 1
    assert said in outcome.err


def test_a_plugin_that_speaks_is_lent_a_voice_and_says_what_it_is_told_to(
    facesecure, configured, tmp_path, monkeypatch
):
    played = without_a_card(tmp_path, monkeypatch)
    file = configured('[speech]\nvoices = ["fake"]\n[plugins.speaker]\n')
    lengths = []
    for words in ([], ["--say", "Dinner"]):
        outcome = facesecure("alerts", "test", "speaker", *words, "--json", "--config", file)
        assert (outcome.code, outcome.json["delivered"]) == (0, True)
        assert abs(samples(played)).max() > 0.2
        lengths.append(len(samples(played)))
    assert lengths[1] < lengths[0], "one word, where a test has nine"
