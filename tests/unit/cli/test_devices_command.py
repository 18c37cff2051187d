"""``facesecure alerts devices``: what really is on the loopback."""

import logging
import uuid

import pytest

from facesecure_plugins.google_home import command
from facesecure_plugins.google_home.discovery import Browser
from support.cast.mdns import LOOPBACK, advertised
from support.cast.receiver import cast_device


@pytest.fixture
def configured(tmp_path):
    file = tmp_path / "door.toml"
    file.write_text(f'[plugins.google_home]\ninterfaces = ["{LOOPBACK}"]\n')
    return file


@pytest.fixture
def device(monkeypatch):
    """A device on the loopback; who listens for devices does so until it is heard, however slow the machine is."""
    name = f"Hall {uuid.uuid4().hex[:8]}"
    script = {"model": "Google Nest Hub", "capabilities": 5, "volume": 0.25, "muted": True}
    with cast_device(name=name, **script) as running, advertised(running.script, running.host, running.port):
        heard = Browser.wait_for

        def until_heard(browser, enough, seconds):
            return heard(browser, lambda found: enough(found) or name in {one.name for one in found}, seconds)

        monkeypatch.setattr(Browser, "wait_for", until_heard)
        monkeypatch.setattr(command, "STATUS_SECONDS", 30.0)
        yield running


def test_a_device_is_listed_as_the_settings_would_name_it(facesecure, configured, device):
    listed = facesecure("alerts", "devices", "--json", "--timeout", 30, "--config", configured).json["devices"]
    (mine,) = [one for one in listed if one["name"] == device.script.name]
    assert mine == {
        "name": device.script.name,
        "uuid": str(device.script.identifier),
        "kind": "display",
        "model": "Google Nest Hub",
        "address": device.address,
        "addresses": [device.host],
        "volume": None,
        "muted": None,
    }


def test_its_volume_is_asked_for_on_demand(facesecure, configured, device):
    outcome = facesecure("alerts", "devices", "--volume", "--json", "--timeout", 30, "--config", configured)
    (mine,) = [one for one in outcome.json["devices"] if one["name"] == device.script.name]
    assert (mine["volume"], mine["muted"]) == (0.25, True)


def test_a_person_gets_a_table_and_the_line_to_write(facesecure, configured, device):
    outcome = facesecure("alerts", "devices", "--volume", "--timeout", 30, "--config", configured)
    assert device.script.name in outcome.out
    assert "25%, muted" in outcome.out
    assert "[plugins.google_home] devices = [" in outcome.err


def test_an_empty_network_is_no_failure_and_says_what_to_look_at(facesecure, configured, monkeypatch):
    def nearby(*_):
        logging.getLogger("zeroconf").warning("Error with socket 6")
        return []

    monkeypatch.setattr("facesecure_plugins.google_home.command.nearby", nearby)
    outcome = facesecure("alerts", "devices", "--timeout", 0.2, "--config", configured)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (0, "", 1)
    assert "no Cast device answered within 0.2 s" in outcome.err
