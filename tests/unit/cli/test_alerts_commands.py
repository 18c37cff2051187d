"""``facesecure alerts``: through a real plugin."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from support.speech.alsa import samples, without_a_card


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


@pytest.fixture
def told(facesecure):
    """Two alerts of today: one that its fallback told, one that waits for its second plugin."""
    from facesecure.domain import Alert, AlertKind
    from facesecure.domain.deliveries import DeliveryState, DeliveryStatus, PlannedDelivery
    from facesecure.storage.store import Store

    later, earlier = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (60, -2))
    with Store.open(facesecure.state) as store:
        one = Alert(AlertKind.STRANGER, "A stranger is at the door", created_at=earlier)
        two = Alert(AlertKind.CAMERA, "The camera is offline")
        store.outbox.write(one, [PlannedDelivery("google_home", later)])
        store.outbox.write(two, [PlannedDelivery("log", later), PlannedDelivery("notify", later)])
        store.outbox.mark(
            one.identifier, "google_home", DeliveryStatus(DeliveryState.PENDING, 1, "google_home", "no device")
        )
        store.outbox.mark(one.identifier, "google_home", DeliveryStatus(DeliveryState.DELIVERED, 2, "speaker"))
        store.outbox.mark(
            two.identifier, "log", DeliveryStatus(DeliveryState.EXPIRED, 3, error="log: the disk is full")
        )


@pytest.mark.usefixtures("told")
def test_the_history_says_what_was_told_to_whom_and_what_was_not(facesecure):
    newest, other = facesecure("alerts", "history", "--json").json["alerts"]
    assert (newest["kind"], newest["text"]) == ("camera", "The camera is offline")
    assert [(one["plugin"], one["state"], one["error"]) for one in newest["deliveries"]] == [
        ("log", "expired", "log: the disk is full"),
        ("notify", "pending", None),
    ]
    (delivery,) = other["deliveries"]
    assert (delivery["state"], delivery["by"], delivery["attempts"]) == ("delivered", "speaker", 2)
    shown = facesecure("alerts", "history").out
    assert "speaker" in shown
    assert "the disk is full" in shown


@pytest.mark.usefixtures("told")
def test_the_history_can_be_asked_for_one_plugin_or_a_while(facesecure):
    assert len(facesecure("alerts", "history", "--plugin", "notify", "--json").json["alerts"]) == 1
    assert len(facesecure("alerts", "history", "--since", "1m", "--json").json["alerts"]) == 1
    assert "no alert matches" in facesecure("alerts", "history", "--plugin", "nobody").err


@pytest.mark.usefixtures("told")
def test_the_list_tells_what_waits_and_what_was_never_told(facesecure):
    listed = {plugin["name"]: plugin for plugin in facesecure("alerts", "list", "--json").json["plugins"]}
    assert (listed["log"]["waiting"], listed["log"]["failed"]) == (0, 1)
    assert (listed["notify"]["waiting"], listed["notify"]["failed"]) == (1, 0)


def test_the_list_makes_no_store(facesecure):
    facesecure("alerts", "list")
    assert not facesecure.state.exists()
