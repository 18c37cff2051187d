"""A device on the network that says it is the family's speaker, and would swallow the alarm."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from zeroconf import ServiceInfo

from facesecure.domain.errors import PluginError
from facesecure.storage.signed_documents import SignedDocuments
from facesecure_plugins.google_home import discovery, known_devices, speakers, volume
from facesecure_plugins.google_home.device import Device
from facesecure_plugins.google_home.discovery import Browser
from support.cast.google_home import Announcer
from support.cast.mdns import LOOPBACK, advertised
from support.cast.receiver import CastReceiver, cast_device
from support.faults.table import attack
from support.store import environment

Script = dict[str, Any]
Fails = Callable[[Announcer, str], PluginError]
PATIENCE = 60.0
"""Seconds in which a busy machine finds what is there, and begins to play on it."""


@pytest.fixture
def own() -> Script:
    """The family's speaker, under a name that no other test uses: they share the loopback."""
    return {"name": f"Kitchen {uuid.uuid4().hex[:8]}", "identifier": uuid.uuid4(), "key": "the family's"}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speakers, "SEARCH_SECONDS", PATIENCE)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """The error of an announcement by somebody who has heard of the device with a name, and searches no longer."""

    def error(home: Announcer, name: str) -> PluginError:
        def is_there(devices: list[Device]) -> bool:
            return name in [one.name for one in devices]

        assert is_there(home.plugin._speaker_group()._browser.wait_for(is_there, PATIENCE))
        with monkeypatch.context() as patch:
            patch.setattr(speakers, "SEARCH_SECONDS", 1.0)
            return home.fails()

    return error


@contextmanager
def found(**script: Any) -> Iterator[CastReceiver]:
    """A device that is found on the network."""
    with cast_device(**script) as device, advertised(device.script, device.host, device.port):
        yield device


def announcer(folder: Path, *devices: str) -> Announcer:
    return Announcer(folder, devices=devices, interfaces=[LOOPBACK], attempt_seconds=2 * PATIENCE)


def announce_once(folder: Path, speaker: Script) -> None:
    """``speaker`` makes an announcement."""
    with found(**speaker) as device, announcer(folder, speaker["name"]) as home:
        home.say()
        assert device.diary.played == 1


IMPOSTORS = {
    "with another UUID": {"identifier": uuid.uuid4()},
    "with its UUID and another certificate": {"key": "the impostor's"},
    "with its UUID and no certificate": {"key": ""},
    "with its certificate and another key": {"proves": "other"},
    "that relays its proof": {"proves": "relayed"},
    "with a certificate that is none": {"proves": "broken"},
}


@pytest.mark.parametrize("lie", IMPOSTORS.values(), ids=IMPOSTORS)
@attack(
    "impostor of a speaker",
    how="a Cast device called Kitchen, after the real one has spoken: with another UUID, with its UUID and another "
    "certificate or none, with its certificate and another key, one that relays its proof, a broken certificate",
)
def test_an_impostor_gets_no_announcement(
    tmp_path: Path, own: Script, lie: Script, fails: Fails, saw: Callable[[str], None]
) -> None:
    announce_once(tmp_path, own)
    with found(**own | lie) as impostor, announcer(tmp_path, own["name"]) as home:
        error = fails(home, own["name"])
        assert impostor.diary.loads == []
    saw(error.message.replace(str(impostor.port), "PORT").replace(own["name"], "Kitchen"))


def test_the_real_one_is_spoken_to_beside_its_impostor(tmp_path: Path, own: Script) -> None:
    announce_once(tmp_path, own)
    with found(**own | IMPOSTORS["with another UUID"]) as impostor, found(**own) as real:
        with announcer(tmp_path, own["name"]) as home:
            home.say()
        assert (real.diary.played, impostor.diary.loads) == (1, [])


def test_an_address_is_held_to_its_certificate_too(tmp_path: Path) -> None:
    with (
        cast_device(key="the family's") as device,
        Announcer(tmp_path, devices=[device.address], attempt_seconds=2 * PATIENCE) as home,
    ):
        home.say()
        device.script = dataclasses.replace(device.script, key="the impostor's")
        error = home.fails()
        assert "shows another certificate than when it was first announced on" in error.message
        assert device.diary.played == 1


def test_the_only_device_has_to_stay_the_only_one(
    tmp_path: Path, own: Script, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Browser._add

    def only_own(self: Browser, name: str, info: ServiceInfo) -> None:
        if (device := discovery._device(info)) is not None and device.name == own["name"]:
            add(self, name, info)

    monkeypatch.setattr(Browser, "_add", only_own)
    with found(**own) as device, announcer(tmp_path) as home:
        home.say()
        assert device.diary.played == 1
    with found(**own | IMPOSTORS["with another UUID"]) as other, announcer(tmp_path) as home:
        assert "another device than the only one before" in fails(home, own["name"]).message
        assert other.diary.loads == []


def test_a_device_that_was_replaced_is_accepted_on_demand(tmp_path: Path, own: Script, fails: Fails) -> None:
    announce_once(tmp_path, own)
    with found(**own | IMPOSTORS["with another UUID"]) as new, announcer(tmp_path, own["name"]) as home:
        assert "facesecure alerts devices --accept" in (fails(home, own["name"]).hint or "")
        command = ["facesecure", "--state-dir", str(tmp_path), "alerts", "devices", "--accept", own["name"].upper()]
        subprocess.run([sys.executable, "-m", *command], check=True, env=environment())
        home.say()
        assert new.diary.played == 1


@pytest.mark.parametrize("script", [{"proves": "old"}, {"key": ""}, {"capabilities": 32}], ids=str)
def test_devices_of_every_kind_are_spoken_to_again(tmp_path: Path, own: Script, script: Script) -> None:
    announce_once(tmp_path, own | script)
    announce_once(tmp_path, own | script)


def test_a_group_may_be_led_by_another_member(tmp_path: Path, own: Script) -> None:
    announce_once(tmp_path, own | {"capabilities": 32})
    announce_once(tmp_path, own | {"capabilities": 32, "key": "the other member's"})


@attack(
    "what is known of speakers is changed in the state directory",
    how="google_home/devices.json names the impostor's UUID and certificate, is no JSON, is nested 100,000 deep; "
    "pending_volumes.json mutes the family's speaker",
)
def test_planted_knowledge_of_speakers_is_not_believed(
    tmp_path: Path, own: Script, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    announce_once(tmp_path, own)
    path, documents = tmp_path / known_devices.FILE_NAME, SignedDocuments(tmp_path)
    forged = json.loads(path.read_bytes())
    forged["names"] = {name: [str(uuid.uuid4())] for name in forged["names"]}
    forged["certificates"] = {str(own["identifier"]): 64 * "0"}
    for planted in (json.dumps(forged), "what", 100_000 * "[", '{"signature": {"a": 1}, "names": 5}'):
        path.write_text(planted)
        assert len(documents.problems()) == 1
        caplog.clear()
        announce_once(tmp_path, own)
        assert "any device of the right name is accepted again" in caplog.text
        assert documents.problems() == []
    with found(**own) as device:
        row = {"name": own["name"], "addresses": [[device.host, device.port]], "uuid": None, "level": 0, "muted": True}
        volumes = [{**row, "since": "9999-01-01T00:00:00+00:00"}]
        for planted in (json.dumps({"volumes": volumes}), json.dumps(volumes), 100_000 * "["):
            (tmp_path / volume.FILE_NAME).write_text(planted)
            caplog.clear()
            assert volume.PendingRestores(tmp_path).open() == []
            assert "no volume of an earlier run is restored" in caplog.text
            assert len(documents.problems()) == 1
        with announcer(tmp_path, own["name"]) as home:
            home.say()
        assert device.loudness[1] is False
        assert device.diary.played == 1
    saw("not believed, and the log and status say so: the alarm is announced as at first use, no volume is changed")
