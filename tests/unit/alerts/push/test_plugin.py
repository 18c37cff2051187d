"""The channel to browsers, before a push service over real TLS and a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.alerts.push.message import message_of
from facesecure.alerts.push.plugin import EXPIRES, MOST_FAILURES
from facesecure.domain import Alert, AlertKind
from facesecure.domain.accounts import Role
from facesecure.domain.errors import PluginError, UsageError
from facesecure.services import accounts, push
from support.builders import NOON
from support.faults.household import wait_until
from support.page_push import Household, notified_household
from support.push_service import SubscribedBrowser, answering, claims_of, encoded
from support.store import STRANGER, known, sighting

VISIT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with notified_household(tmp_path) as home:
        yield home


def stranger(text: str = "A stranger is at the front door") -> Alert:
    return Alert.about(sighting(VISIT, STRANGER), text, snapshot_path=Path("snapshots/one.jpg"))


def test_every_browser_reads_who_came_where_and_what_it_may_do(home: Household) -> None:
    member, viewer = home.browser("Ben", "/ben"), home.browser("Clara", "/clara", Role.VIEWER)
    home.plugin().send(stranger())
    [ben], [clara] = home.service.at("/ben"), home.service.at("/clara")
    message = member.read(ben)
    assert (message["title"], message["body"]) == ("front door", "A stranger is at the front door")
    assert (message["url"], message["picture"]) == (f"/visit/{VISIT}", f"/visit/{VISIT}/small.jpg")
    assert [(one["action"], one["url"]) for one in message["actions"]] == [
        ("disarm", "/confirm?next=/"),
        ("known", f"/visit/{VISIT}"),
    ]
    assert viewer.read(clara)["actions"] == []
    for one in (ben, clara):
        claims = claims_of(one, push.household_key(home.store), home.service.origin)
        assert claims["sub"] == "mailto:anna@example.org"
        assert one.headers["urgency"] == "high"
        assert 0 < int(one.headers["ttl"]) <= EXPIRES


def test_the_push_service_learns_nothing_of_the_visit(home: Household) -> None:
    home.browser("Bartholomew", "/ben")
    home.plugin().send(stranger())
    [got] = home.service.pushes
    for secret in (b"stranger", b"front door", VISIT.encode(), b"Bartholomew"):
        assert secret not in got.body + json.dumps(got.headers).encode()


def test_a_known_person_does_not_wake_a_phone_and_offers_no_action(home: Household) -> None:
    browser = home.browser("Ben", "/ben")
    home.plugin().send(Alert.about(sighting(VISIT, known("Anna")), "Anna is at the front door"))
    [got] = home.service.pushes
    assert got.headers["urgency"] == "normal"
    assert browser.read(got)["actions"] == []
    assert browser.read(got)["picture"] is None


def test_a_browser_that_is_gone_is_forgotten_and_that_is_no_failure(home: Household) -> None:
    for number, status in enumerate((404, 410)):
        home.browser("Ben", f"/{number}")
        home.service.answers[f"/{number}"] = answering(status)
    home.browser("Clara", "/clara")
    home.plugin().send(stranger())
    assert [one.account for one in home.given_up] == ["Ben", "Ben"]
    assert [one.account for one in home.store.page.push.all()] == ["Clara"]


@pytest.mark.parametrize("status", [429, 500, 503, 403, 413])
def test_who_was_reached_is_not_told_again_when_the_others_are(home: Household, status: int) -> None:
    home.browser("Ben", "/ben")
    home.browser("Clara", "/clara")
    home.service.answers["/clara"] = answering(status)
    plugin, alert = home.plugin(), stranger()
    with pytest.raises(PluginError, match=f"127.0.0.1 answered {status}"):
        plugin.send(alert)
    del home.service.answers["/clara"]
    plugin.send(alert)
    assert (len(home.service.at("/ben")), len(home.service.at("/clara"))) == (1, 2)
    assert home.given_up == []


def test_a_browser_whose_push_service_never_works_is_given_up_after_hours(home: Household) -> None:
    home.browser("Ben", "/ben")
    home.service.answers["/ben"] = answering(500)
    plugin, alert = home.plugin(), stranger()
    for _ in range(MOST_FAILURES - 1):
        with pytest.raises(PluginError):
            plugin.send(alert)
    plugin.send(alert)
    assert [one.account for one in home.given_up] == ["Ben"]
    assert home.store.page.push.all() == []


def test_without_browsers_the_channel_takes_no_part_unless_a_rule_names_it(home: Household) -> None:
    with Dispatcher({"recorder": RecordingPlugin(), "push": home.plugin()}, outbox=home.store.outbox) as dispatcher:
        assert list(dispatcher.routes(stranger())) == ["recorder"]
        assert [one.name for one in dispatcher.reports()] == ["recorder"]
        home.browser("Ben", "/ben")
        assert list(dispatcher.routes(stranger())) == ["recorder", "push"]
        dispatcher.send(stranger())
        wait_until(lambda: home.service.at("/ben"), "message")
        assert [one.name for one in dispatcher.reports()] == ["recorder", "push"]


def test_the_outbox_sends_again_what_a_push_service_did_not_take(home: Household) -> None:
    browser = home.browser("Ben", "/ben")
    home.service.answers["/ben"] = answering(503)
    with Dispatcher({"push": home.plugin()}, outbox=home.store.outbox) as dispatcher:
        dispatcher.send(stranger())
        wait_until(lambda: home.service.at("/ben"), "message")
        del home.service.answers["/ben"]
        wait_until(lambda: len(home.service.at("/ben")) > 1, "second attempt", 10)
    assert browser.read(home.service.at("/ben")[-1])["body"] == "A stranger is at the front door"


def test_a_subscription_ends_with_its_session_its_account_and_another_password(home: Household) -> None:
    home.session("Olga", Role.OWNER)
    store = home.store
    for end in (
        lambda: store.page.sessions.end([one.identifier for one in store.page.sessions.all() if one.account == "Ben"]),
        lambda: store.page.accounts.set_password("Ben", "other"),
        lambda: accounts.change_role(store, "Ben", Role.VIEWER),
        lambda: accounts.remove(store, "Ben"),
    ):
        home.browser("Ben", "/ben")
        assert home.plugin().has_receivers()
        end()
        assert store.page.push.all() == []
        assert not home.plugin().has_receivers()


def test_a_browser_that_was_not_used_for_long_is_not_notified(home: Household) -> None:
    home.browser("Ben", "/ben")
    assert home.plugin(signed_in_days=1.0).has_receivers()
    assert not home.plugin(signed_in_days=0.0).has_receivers()


def test_a_browser_that_subscribes_again_gets_one_message(home: Household) -> None:
    session, browser = home.session("Ben"), SubscribedBrowser()
    for path in ("/one", "/two"):
        endpoint = home.service.url + path
        push.subscribe(home.store, session, endpoint, browser.p256dh, encoded(browser.auth), private=True)
    home.plugin().send(stranger())
    assert [one.path for one in home.service.pushes] == ["/two"]


def test_the_household_s_key_outlives_a_rotation_and_is_not_on_the_disk_in_plain(
    home: Household, tmp_path: Path
) -> None:
    browser = home.browser("Ben", "/ben")
    before, private = push.household_key(home.store), home.store.page.push.key()
    home.store.rotate_key()
    assert push.household_key(home.store) == before
    home.plugin().send(stranger())
    assert browser.read(home.service.pushes[0])["title"] == "front door"
    state = tmp_path / "state"
    assert not [path for path in state.rglob("*") if path.is_file() and private in path.read_bytes()]


@pytest.mark.parametrize(
    ("endpoint", "p256dh", "auth"),
    [
        ("http://push.example.com/x", None, None),
        ("https://push.example.com:8080/x", None, None),
        ("https://user@push.example.com/x", None, None),
        ("https://push.example.com:x/", None, None),
        ("https:///x", None, None),
        ("https://push.example.com/" + "x" * 1000, None, None),
        (None, encoded(b"\x04" + bytes(64)), None),
        (None, "not a key", None),
        (None, None, encoded(bytes(15))),
    ],
)
def test_what_cannot_be_used_is_refused(
    home: Household, endpoint: str | None, p256dh: str | None, auth: str | None
) -> None:
    browser = SubscribedBrowser()
    with pytest.raises(UsageError):
        push.subscribe(
            home.store, home.session("Ben"), endpoint or "https://push.example.com/x", p256dh or browser.p256dh,
            auth or encoded(browser.auth),
        )  # fmt: skip
    assert home.store.page.push.all() == []


@pytest.mark.parametrize("text", ["é" * 1000, '"' * 1000, "\\" * 1000, "😀" * 1000])
def test_the_longest_sentence_fits(text: str) -> None:
    alert = replace(stranger(text), created_at=datetime.now(UTC) - timedelta(hours=1))
    encoded_message = message_of(alert, "x" * 500, Role.OWNER, "fr")
    message = json.loads(encoded_message)
    assert message["actions"][0]["title"] == "Désarmer"
    assert message["body"].rstrip("…") in alert.text
    assert len(message["body"]) > 500


def test_troubles_of_the_house_lead_to_the_first_screen() -> None:
    message = json.loads(
        message_of(Alert(AlertKind.CAMERA, "The camera is covered", created_at=NOON), "gate", Role.OWNER, "en")
    )
    assert (message["url"], message["picture"], message["actions"]) == ("/", None, [])
