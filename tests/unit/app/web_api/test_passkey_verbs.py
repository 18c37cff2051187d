"""Passkeys by the verbs of the page, with a phone in software: made, signed in with, given again, named, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facesecure.app.web_api.protocol import Refusal
from facesecure.domain.accounts import Role
from facesecure.domain.passkeys import MOST_PASSKEYS, Purpose, Site
from facesecure.services import accounts
from facesecure.services.passkey_challenges import LASTS, MOST, MOST_OF_ONE, Asked, Challenges
from facesecure.services.passkeys import site_of
from facesecure.storage.store import Store
from support.page_accounts import PASSWORD, Page, Time
from support.passkeys import FLAG, ORIGIN, Phone, text_of


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with Store.open(tmp_path / "state") as store:
        yield Page(store, Time())


def added(page: Page, token: str, name: str = "phone", **how: Any) -> Phone:
    """A phone with a passkey of whoever is signed in."""
    phone = Phone(**how)
    options = page.ask("passkey-add-begin", token, origin=ORIGIN)["options"]
    page.ask("passkey-add", token, origin=ORIGIN, name=name, **phone.make(options))
    return phone


def signed(page: Page, phone: Phone, **said: Any) -> dict[str, str]:
    """What ``phone`` signs to sign in."""
    return phone.sign(page.ask("passkey-sign-in-begin", origin=ORIGIN)["options"], **said)


def test_a_passkey_signs_in_and_its_use_is_noted(page: Page) -> None:
    phone = added(page, page.account("Anna"), "Anna's phone")
    page.time.wait(3600)
    begun = page.ask("passkey-sign-in", origin=ORIGIN, **signed(page, phone))
    assert (begun["account"], begun["role"]) == ("Anna", "owner")
    assert page.ask("session", begun["token"])["account"] == "Anna"
    (passkey,) = page.ask("devices", begun["token"])["passkeys"]
    assert (passkey["name"], passkey["host"]) == ("Anna's phone", "localhost")
    assert passkey["used_at"] == page.time.now().isoformat()
    assert page.actions()[-2:] == ["passkey-added", "signed-in"]


def test_a_passkey_confirms_in_place_of_the_password(page: Page) -> None:
    token = page.account("Anna")
    phone = added(page, token)
    page.time.wait(3600)
    assert page.refusal("invite", token, name="Ben", role="member").kind is Refusal.CONFIRM
    options = page.ask("passkey-confirm-begin", token, origin=ORIGIN)["options"]
    assert [one["id"] for one in options["allowCredentials"]] == [text_of(phone.identifier)]
    page.ask("passkey-confirm", token, origin=ORIGIN, **phone.sign(options))
    page.ask("invite", token, name="Ben", role="member")


def test_what_the_browser_is_asked_demands_that_a_person_shows_who_they_are(page: Page) -> None:
    token = page.account("Anna")
    phone = added(page, token)
    making = page.ask("passkey-add-begin", token, origin=ORIGIN)["options"]
    assert making["rp"] == {"id": "localhost", "name": "facesecure"}
    assert making["authenticatorSelection"]["userVerification"] == "required"
    assert making["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in making["excludeCredentials"]] == [text_of(phone.identifier)]
    asked = page.ask("passkey-sign-in-begin", origin=ORIGIN)["options"]
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert not asked.get("allowCredentials")  # nobody learns who has a passkey


def test_the_password_is_needed_before_a_passkey_is_made_or_removed(page: Page) -> None:
    token = page.account("Anna")
    added(page, token)
    (passkey,) = page.ask("devices", token)["passkeys"]
    page.time.wait(3600)
    assert page.refusal("passkey-add-begin", token, origin=ORIGIN).kind is Refusal.CONFIRM
    assert page.refusal("passkey-remove", token, identifier=passkey["identifier"]).kind is Refusal.CONFIRM
    nobody = page.refusal("passkey-add-begin", origin=ORIGIN)
    assert nobody.kind is Refusal.SIGNED_OUT


def test_a_passkey_is_renamed_by_its_owner_and_removed_by_an_owner_of_the_page(page: Page) -> None:
    anna, ben = page.account("Anna"), page.account("Ben", Role.MEMBER)
    phone = added(page, ben)
    (passkey,) = page.ask("devices", ben)["passkeys"]
    which = {"identifier": passkey["identifier"]}
    assert page.refusal("passkey-rename", anna, name="mine", **which).kind is Refusal.MISSING
    page.ask("passkey-rename", ben, name="stick", **which)
    (listed,) = [one for one in page.ask("accounts", anna)["accounts"] if one["name"] == "Ben"]
    assert [one["name"] for one in listed["passkeys"]] == ["stick"]
    page.ask("passkey-remove", anna, **which)
    assert page.refusal("passkey-sign-in", origin=ORIGIN, **signed(page, phone)).kind is Refusal.INVALID
    assert page.refusal("passkey-remove", anna, **which).kind is Refusal.MISSING
    assert "passkey-removed" in page.actions()


def test_a_member_removes_nobody_elses_passkey(page: Page) -> None:
    anna, ben = page.account("Anna"), page.account("Ben", Role.MEMBER)
    added(page, anna)
    (passkey,) = page.ask("devices", anna)["passkeys"]
    assert page.refusal("passkey-remove", ben, identifier=passkey["identifier"]).kind is Refusal.MISSING
    assert page.ask("devices", ben)["passkeys"] == []


def test_passkeys_end_with_a_reset_password_and_stay_with_a_changed_one(page: Page) -> None:
    token = page.account("Anna")
    phone = added(page, token)
    page.ask("change-password", token, old=PASSWORD, new="quite another sentence")
    page.ask("passkey-sign-in", origin=ORIGIN, **signed(page, phone))
    accounts.reset(page.store, "Anna")
    assert page.refusal("passkey-sign-in", origin=ORIGIN, **signed(page, phone)).kind is Refusal.INVALID
    assert page.store.page.passkeys.all() == []


def test_passkeys_go_with_their_account_and_survive_a_new_key(page: Page) -> None:
    page.account("Anna")
    phone = added(page, page.account("Ben", Role.MEMBER))
    page.store.rotate_key()
    page.begin()
    page.ask("passkey-sign-in", origin=ORIGIN, **signed(page, phone))
    accounts.remove(page.store, "Ben")
    assert page.store.page.passkeys.all() == []


def test_a_passkey_that_does_not_count_signs_in_again_and_again(page: Page) -> None:
    phone = added(page, page.account("Anna"), counts=False)
    for _ in range(3):
        page.ask("passkey-sign-in", origin=ORIGIN, **signed(page, phone))


def test_a_passkey_is_stored_once_and_an_account_has_so_many(page: Page) -> None:
    token = page.account("Anna")
    phone = added(page, token)
    again = phone.make(page.ask("passkey-add-begin", token, origin=ORIGIN)["options"])
    assert "stored already" in page.refusal("passkey-add", token, origin=ORIGIN, name="twice", **again).message
    for number in range(MOST_PASSKEYS - 1):
        added(page, token, f"phone {number}")
    options = page.ask("passkey-add-begin", token, origin=ORIGIN)["options"]
    refused = page.refusal("passkey-add", token, origin=ORIGIN, name="more", **Phone().make(options))
    assert f"{MOST_PASSKEYS} passkeys already" in refused.message


def test_what_is_not_a_new_passkey_is_not_stored(page: Page) -> None:
    token = page.account("Anna")
    wrong: list[tuple[Phone, dict[str, Any]]] = [
        (Phone(flags=FLAG.UP), {}),
        (Phone(host="example.org"), {}),
        (Phone(), {"origin": "https://example.org"}),
        (Phone(), {"type": "webauthn.get"}),
        (Phone(), {"crossOrigin": True}),
        (Phone(), {"challenge": bytes(32)}),
    ]
    for phone, said in wrong:
        options = page.ask("passkey-add-begin", token, origin=ORIGIN)["options"]
        assert page.refusal("passkey-add", token, origin=ORIGIN, name="x", **phone.make(options, **said)).kind is (
            Refusal.INVALID
        )
    for bytes_ in (b"", b"\x81" * 3000, b"\xbb" + b"\xff" * 8, b"\x5b" + b"\xff" * 8, b"\xa1\x63fmt\x64none"):
        options = page.ask("passkey-add-begin", token, origin=ORIGIN)["options"]
        made = {**Phone().make(options), "attestation": text_of(bytes_)}
        assert page.refusal("passkey-add", token, origin=ORIGIN, name="x", **made).kind is Refusal.INVALID
    assert page.store.page.passkeys.all() == []


def test_passkeys_need_a_name_of_the_page_and_https(page: Page) -> None:
    token, hosts = page.account("Anna"), ["Home.example.org"]
    fine = ("https://home.example.org", "https://home.example.org:8443", "https://localhost", "http://localhost:8443")
    assert [one for one in fine if site_of(one, hosts) is None] == []
    wrong = (
        "http://home.example.org", "https://192.168.1.7:8443", "https://[::1]:8443", "https://example.org", "",
        "https://home.example.org.", "https://home.example.org@evil.org", "https://evil.org/home.example.org", "null",
        "https://sub.home.example.org", "https://home.example.org\n", "https://LOCALHOST",
    )  # fmt: skip
    assert [one for one in wrong if site_of(one, hosts) is not None] == []
    assert page.ask("passkeys-here", origin=ORIGIN) == {"possible": True, "any": False}
    assert page.ask("passkeys-here", origin="https://192.168.1.7") == {"possible": False, "any": False}
    assert page.refusal("passkey-add-begin", token, origin="https://192.168.1.7").argument == "origin"
    added(page, token)
    assert page.ask("passkeys-here", origin=ORIGIN)["any"]
    assert not page.ask("passkeys-here", page.account("Ben", Role.MEMBER), origin=ORIGIN)["any"]


def test_a_challenge_is_void_after_five_minutes(page: Page) -> None:
    phone = added(page, page.account("Anna"))
    late = signed(page, phone)
    page.time.wait(LASTS)
    assert page.refusal("passkey-sign-in", origin=ORIGIN, **late).kind is Refusal.INVALID


def test_whoever_asks_for_many_challenges_takes_no_memory_and_nobody_elses() -> None:
    site, challenges = Site(ORIGIN, "localhost"), Challenges()
    mine = Asked(Purpose.SIGN_IN, site, "address 192.168.1.7")
    waiting = challenges.make(mine)
    for _ in range(2 * MOST):
        challenges.make(Asked(Purpose.SIGN_IN, site, "address 10.0.0.9"))
    assert len(challenges) == MOST_OF_ONE + 1
    assert challenges.take(waiting, mine)
    for number in range(2 * MOST):
        challenges.make(Asked(Purpose.SIGN_IN, site, f"address 10.0.{number >> 8}.{number & 255}"))
    assert len(challenges) == MOST


def test_refused_passkeys_count_as_wrong_passwords_do(page: Page) -> None:
    phone = added(page, page.account("Anna"))
    page.store.page.sessions.end([one.identifier for one in page.sign_in.sessions.all()])
    kinds = []
    for _ in range(12):
        answer = {**signed(page, phone), "signature": text_of(b"no signature")}
        kinds.append(page.refusal("passkey-sign-in", origin=ORIGIN, **answer).kind)
    assert kinds == [Refusal.INVALID] * 10 + [Refusal.LIMITED] * 2
    assert page.actions().count("sign-in-refused") == 10
