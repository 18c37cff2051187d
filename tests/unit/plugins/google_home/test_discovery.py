"""Discovery by mDNS on the loopback."""

import asyncio
import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home import GoogleHomePlugin, discovery, speakers
from facesecure_plugins.google_home.discovery import Browser
from support.cast.google_home import Announcer
from support.cast.mdns import LOOPBACK, advertised
from support.cast.receiver import cast_device


@pytest.fixture
def name():
    """A name that no other test uses: they share the loopback."""
    return f"Kitchen {uuid.uuid4().hex[:8]}"


@contextlib.contextmanager
def found(name, **script):
    with cast_device(name=name, **script) as device, advertised(device.script, device.host, device.port) as record:
        yield device, record


def announcer(folder, *devices, **settings):
    return Announcer(folder, devices=devices, interfaces=[LOOPBACK], **settings)


def test_a_device_is_found_by_its_name(tmp_path, name):
    with found(name) as (device, _), announcer(tmp_path, name.upper()) as speaker:
        speaker.say()
        assert device.diary.played == 1


def hears(speaker, name, count=1):
    """Wait until devices of that name were heard: after that, the times of a search are no matter of luck."""

    def several(devices):
        return sum(one.name == name for one in devices) >= count

    assert several(speaker.plugin._speakers._browser.wait_for(several, 20))


def test_a_device_is_found_by_its_uuid(tmp_path, name):
    with found(name) as (device, _), announcer(tmp_path, f"uuid:{device.script.identifier}") as speaker:
        speaker.say()
        assert device.diary.played == 1


def test_a_group_is_found_by_its_name_and_on_whichever_port_it_has(tmp_path, name):
    with found(name, model="Google Cast Group", capabilities=36) as (group, _), announcer(tmp_path, name) as speaker:
        speaker.say()
        assert group.diary.played == 1


def test_a_device_named_twice_speaks_once(tmp_path, name):
    with found(name) as (device, _):
        with announcer(tmp_path, name, f"uuid:{device.script.identifier}", device.address) as speaker:
            speaker.say()
        assert device.diary.played == 1


def test_two_devices_of_one_name_both_speak(tmp_path, name):
    with found(name) as (one, _), found(name) as (other, _), announcer(tmp_path, name, confirm="all") as speaker:
        hears(speaker, name, count=2)
        speaker.say()
        assert (one.diary.played, other.diary.played) == (1, 1)


def at(device):
    """Whether what was heard is at the address of ``device``."""
    return lambda heard: heard.address == device.address


def test_a_device_that_tells_its_new_address_is_followed(tmp_path, name):
    with found(name) as (device, record), announcer(tmp_path, name) as speaker:
        speaker.say()
        with cast_device("127.0.0.2", name=name, identifier=device.script.identifier) as moved:
            record.move("127.0.0.2", moved.port)
            browser = speaker.plugin._speakers._browser
            assert any(at(moved)(one) for one in browser.wait_for(lambda found: any(map(at(moved), found)), 20))
            speaker.say()
            assert (device.diary.played, moved.diary.played) == (1, 1)


def test_a_device_that_moved_without_a_word_is_looked_for_again(tmp_path, name):
    with cast_device(name=name) as device, announcer(tmp_path, name) as speaker:
        nowhere = advertised(device.script, "127.0.0.1", 1)  # where nobody listens, as after a lease ran out
        with nowhere:
            hears(speaker, name)
            with pytest.raises(PluginError):
                speaker.plugin.check()
        deaf = speaker.plugin._speakers._browser
        assert [known.address for known in deaf.devices() if known.name == name] == ["127.0.0.1:1"]
        deaf.add_service = deaf.update_service = lambda *_: None
        with advertised(device.script, device.host, device.port):
            speaker.say()
        assert device.diary.played == 1


def test_a_name_that_nobody_has_is_told_with_those_that_are_there(tmp_path, name, monkeypatch):
    monkeypatch.setattr(speakers, "SEARCH_SECONDS", 0.6)
    with found(name), announcer(tmp_path, "Kitschen") as speaker:
        hears(speaker, name)
        error = speaker.fails()
    assert "'Kitschen': not on the network" in error.message
    assert name in error.hint


def test_those_that_are_there_speak_and_the_missing_are_told_of(tmp_path, name, monkeypatch, caplog):
    monkeypatch.setattr(speakers, "SEARCH_SECONDS", 0.6)
    with found(name) as (device, _), announcer(tmp_path, name, "Cellar") as speaker:
        hears(speaker, name)
        speaker.say()
        assert device.diary.played == 1
    assert "spoken elsewhere, but 'Cellar' is not on the network" in caplog.text


def test_a_missing_device_does_not_keep_the_others_waiting_long(tmp_path, name):
    with found(name), announcer(tmp_path, name, "Cellar") as speaker:
        speaker.say()
        began = time.monotonic()
        speaker.say()
        assert time.monotonic() - began < speakers.SEARCH_SECONDS / 2


def test_an_address_is_spoken_to_though_nobody_can_be_asked_for_names(tmp_path, monkeypatch, caplog):
    def without(interfaces):
        raise OSError("no network")

    monkeypatch.setattr(discovery, "_zeroconf", without)
    with cast_device() as device, announcer(tmp_path, device.address, "Cellar") as speaker:
        speaker.say()
        assert device.diary.played == 1


def test_nobody_is_missed_when_everybody_was_asked_for(tmp_path, name, monkeypatch):
    monkeypatch.setattr(speakers, "SEARCH_SECONDS", 0.6)
    with found(name), announcer(tmp_path, name, "Cellar", confirm="all") as speaker:
        assert "Cellar" in speaker.fails().message


def only(monkeypatch, *names):
    """Other tests' devices on the loopback do not count; and nobody waits long for more."""
    monkeypatch.setattr(speakers, "LISTEN_SECONDS", 0.7)
    heard = Browser.devices
    monkeypatch.setattr(Browser, "devices", lambda discovery: [d for d in heard(discovery) if d.name in names])


def test_without_a_name_the_only_device_speaks(tmp_path, name, monkeypatch):
    only(monkeypatch, name)
    with found(name) as (device, _), announcer(tmp_path) as speaker:
        speaker.say()
        assert device.diary.played == 1


def test_without_a_name_several_devices_are_asked_which(tmp_path, name, monkeypatch):
    only(monkeypatch, name, f"{name} 2")
    with found(name) as (one, _), found(f"{name} 2") as (other, _), announcer(tmp_path) as speaker:
        for one_of_them in (name, f"{name} 2"):
            hears(speaker, one_of_them)
        error = speaker.fails()
        assert (one.diary.played, other.diary.played) == (0, 0)
    assert error.hint == f'say which: devices = ["{name}", "{name} 2"]'


def test_without_any_device_that_is_what_it_says(tmp_path, monkeypatch):
    only(monkeypatch)
    with announcer(tmp_path, attempt_seconds=2) as speaker:
        assert "no Cast device found" in speaker.fails().message


def test_the_check_passes_when_all_are_there_and_names_who_is_not(tmp_path, name):
    with found(name) as (device, _), announcer(tmp_path, name, device.address) as speaker:
        hears(speaker, name)
        speaker.plugin.check()
    with announcer(tmp_path, name) as speaker, pytest.raises(PluginError, match="not on the network"):
        speaker.plugin.check()
    with (
        announcer(tmp_path, device.address) as speaker,
        pytest.raises(PluginError, match="does not accept a connection"),
    ):
        speaker.plugin.check()


def test_the_check_does_not_keep_the_start_waiting(tmp_path, name):
    with announcer(tmp_path, name) as speaker:
        began = time.monotonic()
        with pytest.raises(PluginError):
            speaker.plugin.check()
        assert time.monotonic() - began < speakers.SEARCH_SECONDS / 2, "an alert is worth more time"


def test_devices_given_by_their_addresses_need_no_mdns(tmp_path, monkeypatch):
    monkeypatch.setattr(Browser, "start", lambda discovery: pytest.fail("it asked"))
    with cast_device() as device, Announcer(tmp_path, devices=[device.address]) as speaker:
        speaker.plugin.check()
        speaker.say()
        assert device.diary.played == 1


def test_a_network_that_comes_up_later_is_listened_to_then(tmp_path, name, monkeypatch):
    working = discovery._zeroconf

    def without(interfaces):
        raise RuntimeError("No interfaces to listen on")

    monkeypatch.setattr(discovery, "_zeroconf", without)
    with found(name) as (device, _), announcer(tmp_path, name) as speaker:
        assert "cannot search for Cast devices" in speaker.fails().message
        monkeypatch.setattr(discovery, "_zeroconf", working)
        speaker.say()
        assert device.diary.played == 1


def test_another_address_of_this_machine_makes_it_listen_anew(tmp_path, name, monkeypatch):
    with found(name), announcer(tmp_path, name) as speaker:
        speaker.say()
        deaf = speaker.plugin._speakers._browser._zeroconf
        speaker.say()
        assert speaker.plugin._speakers._browser._zeroconf is deaf
        monkeypatch.setattr(discovery, "own_addresses", lambda: frozenset({"192.0.2.1"}))
        speaker.say()
        assert speaker.plugin._speakers._browser._zeroconf is not deaf


def test_a_machine_without_a_network_is_told_so_and_can_be_asked_again(tmp_path):
    plugin = GoogleHomePlugin(GoogleHomePlugin.Config(interfaces=["192.0.2.7"]))
    with contextlib.closing(plugin), pytest.raises(PluginError, match="cannot search for Cast devices"):
        plugin.check()


def test_a_fake_device_answers_although_its_own_thread_has_an_event_loop_that_waits(name):
    def search():
        with contextlib.closing(Browser([LOOPBACK])) as browser:
            browser.start()
            return browser.wait_for(lambda devices: any(one.name == name for one in devices), 10.0)

    async def waiting():
        with found(name), ThreadPoolExecutor(1) as elsewhere:
            return elsewhere.submit(search).result()

    assert name in {device.name for device in asyncio.run(waiting())}
