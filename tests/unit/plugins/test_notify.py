"""Messages through Apprise, to services simulated by a web server on the loopback."""

from __future__ import annotations

import base64
import json
import logging
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.plugins.api import PluginContext
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure_plugins.notify import NotifyPlugin
from support.mailbox import Mailbox, opened
from support.plugins import alert
from support.store import known

# On Python 3.11 and 3.12 Apprise looks at a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with opened(monkeypatch) as mailbox:
        yield mailbox


def notify(*urls: str, **settings: Any) -> NotifyPlugin:
    return NotifyPlugin(NotifyPlugin.Config.model_validate({"urls": list(urls), **settings}))


def as_json(mailbox: Mailbox, path: str = "") -> str:
    """Apprise's address of a service that takes JSON, picture included."""
    return f"json://127.0.0.1:{mailbox.port}/{path}"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 a picture \xff\xd9")
    return path


def test_the_words_the_place_and_the_picture_arrive(mailbox: Mailbox, picture: Path) -> None:
    plugin = notify(as_json(mailbox))
    plugin.attach(PluginContext(picture.parent, "front door", "en", None, lambda *_: None))  # type: ignore[arg-type]
    plugin.send(replace(alert("A stranger is at the front door"), snapshot_path=picture))
    content = json.loads(mailbox.posts[0].body)
    assert (content["title"], content["message"]) == ("facesecure: front door", "A stranger is at the front door")
    assert content["type"] == "warning"
    assert base64.b64decode(content["attachments"][0]["base64"]) == picture.read_bytes()


def test_of_several_cameras_the_title_names_the_one_that_saw_the_visit(mailbox: Mailbox, picture: Path) -> None:
    plugin, places = notify(as_json(mailbox)), ("gate", "front door")
    plugin.attach(PluginContext(picture.parent, "gate", "en", None, lambda *_: None, places=places))  # type: ignore[arg-type]
    plugin.send(alert("A stranger is at the front door"))
    plugin.send(Alert(AlertKind.CAMERA, "The gate camera is offline"))
    titles = [json.loads(post.body)["title"] for post in mailbox.posts]
    assert titles == ["facesecure: front door", "facesecure"]


@pytest.mark.parametrize(
    ("told", "weight"),
    [(alert("Tom", known("Tom")), "info"), (Alert(AlertKind.CAMERA, "The camera is offline"), "warning")],
    ids=["family", "camera"],
)
def test_the_family_weighs_less_than_trouble(mailbox: Mailbox, told: Alert, weight: str) -> None:
    notify(as_json(mailbox)).send(told)
    assert json.loads(mailbox.posts[0].body)["type"] == weight


def test_ntfy_gets_the_message_on_its_topic(mailbox: Mailbox) -> None:
    notify(f"ntfy://127.0.0.1:{mailbox.port}/our-door").send(alert("A stranger is at the front door"))
    (post,) = mailbox.posts
    assert json.loads(post.body) | {"topic": "our-door"} == json.loads(post.body)
    assert "A stranger is at the front door" in post.body.decode()


def test_a_picture_that_is_gone_or_unwanted_stops_no_message(mailbox: Mailbox, picture: Path) -> None:
    notify(as_json(mailbox)).send(replace(alert(), snapshot_path=picture.with_name("pruned.jpg")))
    notify(as_json(mailbox), picture=False).send(replace(alert(), snapshot_path=picture))
    assert [json.loads(post.body)["attachments"] for post in mailbox.posts] == [[], []]


def test_a_service_that_refuses_the_picture_still_gets_the_words(mailbox: Mailbox, picture: Path) -> None:
    mailbox.answers = [413]
    notify(as_json(mailbox)).send(replace(alert(), snapshot_path=picture))
    assert [len(json.loads(post.body)["attachments"]) for post in mailbox.posts] == [1, 0]


class Films:
    """Provides ``film`` for every alert, while it is sent."""

    def __init__(self, film: Path) -> None:
        self._film = film
        self.most_bytes = 0

    @contextmanager
    def film(self, alert: Alert, most_bytes: int) -> Iterator[Path | None]:
        self.most_bytes = most_bytes
        yield self._film if alert.clip else None


@pytest.fixture
def films(tmp_path: Path) -> Films:
    (tmp_path / "7").write_bytes(b"a film")  # as /proc/self/fd/7 is called
    return Films(tmp_path / "7")


def filmed(mailbox: Mailbox, films: Films, **settings: Any) -> NotifyPlugin:
    plugin = notify(as_json(mailbox), **settings)
    plugin.attach(PluginContext(Path(), "door", "en", None, lambda *_: None, clips=films))  # type: ignore[arg-type]
    return plugin


def test_the_film_so_far_arrives_beside_the_picture(mailbox: Mailbox, picture: Path, films: Films) -> None:
    filmed(mailbox, films).send(replace(alert(), snapshot_path=picture, clip="20310530T181502Z-1f3a9c04"))
    attached = json.loads(mailbox.posts[0].body)["attachments"]
    assert [one["filename"] for one in attached] == ["snapshot.jpg", "clip.mp4"]
    assert [one["mimetype"] for one in attached] == ["image/jpeg", "video/mp4"]
    assert base64.b64decode(attached[1]["base64"]) == b"a film"
    assert films.most_bytes == 8_000_000


def test_a_service_that_refuses_the_film_still_gets_the_picture(mailbox: Mailbox, picture: Path, films: Films) -> None:
    mailbox.answers = [413]
    filmed(mailbox, films).send(replace(alert(), snapshot_path=picture, clip="20310530T181502Z-1f3a9c04"))
    assert [len(json.loads(post.body)["attachments"]) for post in mailbox.posts] == [2, 1]


def test_a_film_that_is_missing_or_unwanted_stops_no_message(mailbox: Mailbox, films: Films) -> None:
    filmed(mailbox, films).send(alert())
    filmed(mailbox, films, clip=False).send(replace(alert(), clip="20310530T181502Z-1f3a9c04"))
    assert [json.loads(post.body)["attachments"] for post in mailbox.posts] == [[], []]


def test_a_second_attempt_spares_the_services_that_have_it(mailbox: Mailbox) -> None:
    plugin, told = notify(as_json(mailbox, "one"), as_json(mailbox, "two")), alert()
    mailbox.answers = [200, 500]
    with pytest.raises(PluginError, match="refused it"):
        plugin.send(told)
    plugin.send(told)
    assert [post.path for post in mailbox.posts] == ["/one", "/two", "/two"]


def test_what_failed_is_said_without_the_address(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "facesecure")
    mailbox.answers = [403]
    with pytest.raises(PluginError, match=r"JSON refused it \(.*403") as raised:
        notify(f"json://anna:hunter2@127.0.0.1:{mailbox.port}/token").send(alert())
    assert "hunter2" not in str(raised.value) + caplog.text


def test_an_address_that_is_none_is_named_by_its_place_in_the_list_alone(caplog: pytest.LogCaptureFixture) -> None:
    plugin = notify("json://localhost", "carrier-pigeon://hunter2@loft")
    with pytest.raises(PluginError, match="address 2 of urls") as raised:
        plugin.check()
    assert "hunter2" not in str(raised.value) + caplog.text, "nor does Apprise itself log it"


def test_an_address_that_is_none_keeps_no_message_from_the_others(mailbox: Mailbox) -> None:
    plugin, one = notify("nosuch://home", as_json(mailbox)), alert("one")
    for _ in range(2):
        with pytest.raises(PluginError, match="address 1 of urls"):
            plugin.send(one)
    assert len(mailbox.posts) == 1, "once, however often it is tried for the other's sake"


def test_without_any_service_its_check_says_what_to_set() -> None:
    with pytest.raises(PluginError, match="no service is set"):
        notify().check()


def test_a_check_sends_nothing(mailbox: Mailbox) -> None:
    notify(as_json(mailbox)).check()
    assert mailbox.posts == []


def test_secrets_are_not_shown_with_the_settings() -> None:
    assert "hunter2" not in repr(NotifyPlugin.Config.model_validate({"urls": ["tgram://hunter2/1"]}))


def test_names_are_no_markup_where_a_service_takes_html(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.telegram import NotifyTelegram

    monkeypatch.setattr(NotifyTelegram, "notify_url", f"{mailbox.url}/bot")
    notify("tgram://123456789:abcdefg_hijklmnop/12315544/?format=html", title="A & B").send(
        alert("Anna <3 & *Bob* is here")
    )
    text = json.loads(mailbox.posts[-1].body)["text"]
    assert "Anna &lt;3 &amp; *Bob* is here" in text
    assert "A &amp; B" in text


@pytest.mark.parametrize("raised", ["ImportError('no urllib3')", "ValueError('numpy.dtype size changed')"])
def test_an_apprise_that_cannot_be_imported_says_what_to_install(tmp_path, monkeypatch, raised) -> None:
    (tmp_path / "apprise.py").write_text(f"raise {raised}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "apprise", raising=False)
    with pytest.raises(PluginError, match="apprise cannot be imported") as caught:
        NotifyPlugin(NotifyPlugin.Config(urls=["ntfy://topic"])).check()
    assert "sudo make install" in str(caught.value.hint)


def test_apprise_is_a_dependency_and_the_name_of_its_extra_stays() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert any(dependency.startswith("apprise") for dependency in project["dependencies"])
    assert project["optional-dependencies"]["notify"] == []
