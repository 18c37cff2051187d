"""Signing in, one-time links, accounts and tokens, as the page asks the daemon for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app.web_api.protocol import Refusal
from facesecure.domain.accounts import Role
from facesecure.services import live_tokens
from facesecure.storage.store import Store
from support.page_accounts import OTHER, PASSWORD, Page, Time


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with Store.open(tmp_path / "state") as store:
        yield Page(store, Time())


def test_a_link_makes_an_account_that_signs_in_with_its_password(page: Page) -> None:
    code = page.link()
    assert page.ask("session")["accounts"] is False
    shown = page.ask("invitation", code=code)
    assert (shown["name"], shown["role"], shown["replaces"]) == ("Anna", "owner", False)
    first = page.ask("accept-invitation", code=code, password=PASSWORD)
    assert page.ask("session", first["token"])["account"] == "Anna"
    again = page.ask("sign-in", name="anna", password=PASSWORD)
    assert page.ask("session", again["token"])["role"] == "owner"
    assert page.actions() == ["account-invited", "account-created", "signed-in", "signed-in"]


def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(page: Page) -> None:
    page.account()
    wrong = [page.refusal("sign-in", name=name, password="x" * 12) for name in ("Anna", "Ben", "/", "\u202e")]
    assert {(one.kind, one.message, one.hint, one.argument) for one in wrong} == {
        (Refusal.INVALID, "the name or the password is wrong", "check both; capital letters count", "password")
    }
    assert page.hasher.checked == 4


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "too short"),
        ("a" * 12, "first that others try"),
        ("Password123!", "first that others try"),
        ("1234567890", "first that others try"),
        ("ANNA-anna 1", "is the name"),
        ("anna 20202020", "is the name"),
        ("x" * 201, "too long"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_and_the_link_stays(page: Page, password: str, why: str) -> None:
    code = page.link()
    refused = page.refusal("accept-invitation", code=code, password=password)
    assert (refused.kind, refused.argument) == (Refusal.INVALID, "password")
    assert why in refused.message
    assert page.ask("accept-invitation", code=code, password=PASSWORD)["account"] == "Anna"


def test_signing_in_again_ends_the_session_that_the_browser_had(page: Page) -> None:
    before = page.account()
    after = page.ask("sign-in", before, name="Anna", password=PASSWORD)["token"]
    assert after != before
    assert page.ask("session", before)["account"] is None
    assert page.ask("session", after)["account"] == "Anna"


def test_a_link_signs_in_instead_of_whoever_was(page: Page) -> None:
    annas = page.account()
    bens = page.ask("accept-invitation", annas, code=page.link("Ben", Role.VIEWER), password=PASSWORD)["token"]
    assert page.ask("session", bens)["account"] == "Ben"
    assert page.ask("session", annas)["account"] is None


def test_signing_out_ends_this_session_or_all(page: Page) -> None:
    first = page.account()
    second, third = (page.ask("sign-in", name="Anna", password=PASSWORD)["token"] for _ in range(2))
    assert page.ask("sign-out", second) == {"ended": 1}
    assert page.refusal("devices", second).kind is Refusal.SIGNED_OUT
    assert len(page.ask("devices", first)["devices"]) == 2
    assert page.ask("sign-out", first, everywhere=True) == {"ended": 2}
    assert page.refusal("devices", third).kind is Refusal.SIGNED_OUT


def test_a_changed_password_ends_the_other_sessions(page: Page) -> None:
    mine = page.account()
    other = page.ask("sign-in", name="Anna", password=PASSWORD)["token"]
    assert page.refusal("change-password", mine, old="x" * 12, new=OTHER).argument == "old"
    assert page.refusal("change-password", mine, old=PASSWORD, new="short").argument == "new"
    page.ask("change-password", mine, old=PASSWORD, new=OTHER)
    assert page.ask("session", mine)["account"] == "Anna"
    assert page.ask("session", other)["account"] is None
    assert page.refusal("sign-in", name="Anna", password=PASSWORD).kind is Refusal.INVALID
    assert page.ask("sign-in", name="Anna", password=OTHER)["account"] == "Anna"


def test_what_matters_needs_the_password_again_after_ten_minutes(page: Page) -> None:
    token = page.account()
    page.ask("invite", token, name="Ben", role="member")
    page.time.wait(601)
    assert page.refusal("invite", token, name="Cem", role="member").kind is Refusal.CONFIRM
    assert page.refusal("confirm", token, password="x" * 12).argument == "password"
    assert page.refusal("invite", token, name="Cem", role="member").kind is Refusal.CONFIRM
    page.ask("confirm", token, password=PASSWORD)
    page.ask("invite", token, name="Cem", role="member")


def test_an_owner_sees_devices_and_ends_them(page: Page) -> None:
    owner, member = page.account(), page.account("Ben", Role.MEMBER)
    listed = page.ask("accounts", owner)
    assert [(one["name"], one["role"], len(one["devices"])) for one in listed["accounts"]] == [
        ("Anna", "owner", 1),
        ("Ben", "member", 1),
    ]
    (bens,) = listed["accounts"][1]["devices"]
    (annas,) = listed["accounts"][0]["devices"]
    assert (bens["device"], bens["this"], annas["this"]) == ("Chrome on Android", False, True)
    assert page.refusal("end-session", member, identifier=annas["identifier"]).kind is Refusal.MISSING
    page.ask("end-session", owner, identifier=bens["identifier"])
    assert page.ask("session", member)["account"] is None


def test_another_role_needs_a_new_sign_in(page: Page) -> None:
    owner, ben = page.account(), page.account("Ben", Role.MEMBER)
    page.ask("change-role", owner, name="ben", role="viewer")
    assert page.ask("session", ben)["account"] is None
    again = page.ask("sign-in", name="Ben", password=PASSWORD)
    assert again["role"] == "viewer"


def test_the_last_owner_stays(page: Page) -> None:
    owner = page.account()
    for verb, arguments in (("change-role", {"role": "viewer"}), ("remove-account", {})):
        refused = page.refusal(verb, owner, name="Anna", **arguments)
        assert "the only owner" in refused.message
    page.account("Ben", Role.OWNER)
    page.ask("remove-account", owner, name="Anna")
    assert page.ask("session", owner)["account"] is None
    assert [one.name for one in page.store.page.accounts.all()] == ["Ben"]


def test_a_reset_lets_nobody_in_until_its_link_is_used(page: Page) -> None:
    owner, ben = page.account(), page.account("Ben", Role.MEMBER)
    assert page.refusal("reset-account", owner, name="Anna").argument == "name"
    link = page.ask("reset-account", owner, name="Ben")
    assert link["replaces"] is True
    assert page.ask("session", ben)["account"] is None
    assert page.refusal("sign-in", name="Ben", password=PASSWORD).kind is Refusal.INVALID
    page.ask("accept-invitation", code=link["code"], password=OTHER)
    assert page.ask("sign-in", name="Ben", password=OTHER)["role"] == "member"


@pytest.mark.parametrize("role", [Role.KIOSK, Role.VIEWER, Role.MEMBER])
def test_only_owners_manage_accounts(page: Page, role: Role) -> None:
    page.account()
    token = page.account("Ben", role)
    identifier = "0" * 32
    for verb, arguments in (
        ("accounts", {}),
        ("invite", {"name": "Cem", "role": "owner"}),
        ("reset-account", {"name": "Anna"}),
        ("change-role", {"name": "Ben", "role": "owner"}),
        ("remove-account", {"name": "Anna"}),
        ("live-token-make", {"name": "tablet"}),
        ("live-token-revoke", {"identifier": identifier}),
        ("audit", {}),
    ):
        assert page.refusal(verb, token, **arguments).kind is Refusal.FORBIDDEN


def test_a_token_for_live_pictures_is_found_until_it_is_revoked(page: Page) -> None:
    owner = page.account()
    made = page.ask("live-token-make", owner, name="hall tablet")
    found = live_tokens.find(page.store, made["token"])
    assert found is not None
    assert found.shows("gate")
    assert made["token"] not in json.dumps(page.ask("accounts", owner))
    for wrong in ("", made["token"][:-1], made["identifier"], "x" * 1000):
        assert live_tokens.find(page.store, wrong) is None
    page.ask("live-token-revoke", owner, identifier=made["identifier"])
    assert live_tokens.find(page.store, made["token"]) is None
    assert page.refusal("live-token-make", owner, name="t", cameras=["attic"]).argument == "name"


def test_the_language_stays_with_the_account(page: Page) -> None:
    token = page.account()
    page.ask("set-language", token, language="fr")
    assert page.ask("session", token)["language"] == "fr"
    assert page.ask("sign-in", name="Anna", password=PASSWORD)["language"] == "fr"
    assert page.refusal("set-language", token, language="../x").kind is Refusal.INVALID


def test_the_audit_log_comes_in_pages_and_says_whether_it_is_whole(page: Page) -> None:
    owner = page.account()
    for number in range(5):
        page.ask("invite", owner, name=f"guest {number}", role="viewer")
    first = page.ask("audit", owner, limit=3)
    assert [one["number"] for one in first["entries"]] == [8, 7, 6]
    assert first["intact"]
    second = page.ask("audit", owner, limit=200, before=first["next"])
    assert [one["number"] for one in second["entries"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None
    invited = page.ask("audit", owner, action="account-invited", actor="Anna", subject="GUEST 3")["entries"]
    assert [(one["actor"], one["origin"], one["subjects"]) for one in invited] == [
        ("Anna", "page", ["guest 3", "viewer"])
    ]
    log = page.store.state_dir / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"guest 3", b"guest 9"))
    broken = page.ask("audit", owner)
    assert not broken["intact"]
    assert broken["breaks"]
