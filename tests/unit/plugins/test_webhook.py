"""The webhook: its content, its signature, and its errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure_plugins.webhook import WebhookPlugin, signature
from support.http import refused_url
from support.mailbox import Mailbox, opened
from support.plugins import alert
from support.store import known

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with opened(monkeypatch) as mailbox:
        yield mailbox


def webhook(mailbox: Mailbox, **settings: Any) -> WebhookPlugin:
    return WebhookPlugin(WebhookPlugin.Config.model_validate({"url": mailbox.url, **settings}))


def test_everything_about_a_sighting_arrives_as_one_json_object(mailbox: Mailbox) -> None:
    told = alert("Åsa is at the front door", known("Åsa"))
    webhook(mailbox).send(told)
    (post,) = mailbox.posts
    content = json.loads(post.body)
    assert post.headers["content-type"] == "application/json; charset=utf-8"
    assert (content["text"], content["kind"], content["name"]) == ("Åsa is at the front door", "known", "Åsa")
    assert (content["alert"], content["sighting"]) == (told.identifier, "20260501-1")
    assert "webhook-signature" not in post.headers


def test_what_is_about_nobody_has_the_same_fields_empty(mailbox: Mailbox) -> None:
    plugin = webhook(mailbox)
    plugin.send(alert())
    plugin.send(Alert(AlertKind.CAMERA, "The camera is offline"))
    about_somebody, about_nobody = (json.loads(post.body) for post in mailbox.posts)
    assert about_nobody.keys() == about_somebody.keys()
    assert (about_nobody["kind"], about_nobody["name"], about_nobody["sighting"]) == ("camera", None, None)


def test_the_signature_is_the_one_that_the_standard_gives_as_its_example() -> None:
    body = b'{"test": 2432232314}'
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_that_knows_the_secret_can_check_who_posted_and_when(mailbox: Mailbox) -> None:
    told = alert()
    webhook(mailbox, secret=SECRET).send(told)
    (post,) = mailbox.posts
    stamp = post.headers["webhook-timestamp"]
    assert post.headers["webhook-id"] == told.identifier
    assert abs(time.time() - int(stamp)) < 60
    signed = f"{told.identifier}.{stamp}.".encode() + post.body
    expected = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert post.headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_a_second_attempt_carries_the_same_key(mailbox: Mailbox) -> None:
    plugin, told = webhook(mailbox), alert()
    mailbox.answers = [503]
    with pytest.raises(PluginError, match="answered 503"):
        plugin.send(told)
    plugin.send(told)
    assert len({post.headers["webhook-id"] for post in mailbox.posts}) == 1


def test_householders_headers_go_along_but_cannot_forge_ours(mailbox: Mailbox) -> None:
    told = alert()
    webhook(mailbox, headers={"Authorization": "Bearer abc", "webhook-id": "mine"}).send(told)
    (post,) = mailbox.posts
    assert (post.headers["authorization"], post.headers["webhook-id"]) == ("Bearer abc", told.identifier)


def test_a_netrc_replaces_no_authorization_and_adds_none(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    webhook(mailbox, headers={"Authorization": "Bearer abc"}).send(alert())
    webhook(mailbox).send(alert())
    webhook(mailbox, url=mailbox.url.replace("://", "://me:p%40ss@")).send(alert())
    sent = [post.headers.get("authorization") for post in mailbox.posts]
    assert sent == ["Bearer abc", None, f"Basic {base64.b64encode(b'me:p@ss').decode()}"]


def test_the_picture_goes_along_where_it_is_wanted_and_there(mailbox: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 a picture")
    plugin = webhook(mailbox, picture=True)
    plugin.send(replace(alert(), snapshot_path=tmp_path / "a.jpg"))
    plugin.send(replace(alert(), snapshot_path=tmp_path / "pruned.jpg"))
    there, gone = (json.loads(post.body)["picture_jpeg"] for post in mailbox.posts)
    assert (base64.b64decode(there), gone) == (b"\xff\xd8 a picture", None)


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "secret and headers"), (302, "not followed"), (500, "receiver's own log")]
)
def test_an_answer_that_is_no_success_is_no_delivery_and_says_what_to_do(
    mailbox: Mailbox, status: int, advice: str
) -> None:
    mailbox.answers = [status]
    with pytest.raises(PluginError, match=f"answered {status}") as raised:
        webhook(mailbox).send(alert())
    assert advice in str(raised.value.hint)
    assert [post.path for post in mailbox.posts] == ["/hook"]


def test_a_receiver_that_never_answers_is_given_up(mailbox: Mailbox) -> None:
    mailbox.hangs = True
    began = time.monotonic()
    with pytest.raises(PluginError, match="cannot be reached"):
        webhook(mailbox, answer_seconds=0.2).send(alert())
    assert time.monotonic() - began < 20, "it never answers within 30 s"


def test_nobody_there_is_said_without_the_address_s_own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = refused_url()
    plugin = WebhookPlugin(WebhookPlugin.Config(url=f"{url}/api/webhook/token-123?key=hidden"))
    with pytest.raises(PluginError, match="Connection refused") as raised:
        plugin.send(alert())
    assert url in str(raised.value)
    assert "token" not in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_without_an_address_its_check_says_what_to_set() -> None:
    with pytest.raises(PluginError, match="no address is set"):
        WebhookPlugin(WebhookPlugin.Config()).check()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"url": "example.org/hook"}, "http://"),
        ({"url": "http://host:99999/"}, "port"),
        ({"url": "http://host:http/"}, "port"),
        ({"url": "http://host:0/"}, "port"),
        ({"url": "http://[::1/"}, "bracket"),
        ({"url": "https:///hook"}, "names no host"),
        ({"headers": {"X-Door": "\u043f\u0440\u0438\u0432\u0435\u0442"}}, "X-Door must be Latin text"),
        ({"headers": {"X-Door": "a\nb"}}, "one line"),
        ({"headers": {"X Door": "a"}}, "no name of a header"),
        ({"secret": "short"}, "at least 16 bytes"),
        ({"secret": "whsec_not base64!"}, "base64"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        WebhookPlugin.Config.model_validate(settings)


def test_the_secret_is_not_shown_with_the_settings() -> None:
    config = WebhookPlugin.Config.model_validate({"secret": SECRET})
    assert SECRET not in repr(config)
