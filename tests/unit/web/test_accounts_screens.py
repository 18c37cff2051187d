"""Signing in, one-time links, accounts and the audit log on the page, before a daemon's real accounts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.server import WebServer
from facesecure.domain.accounts import Role
from facesecure.services import accounts, audit
from facesecure.services.passwords import Passwords
from facesecure.services.sign_in import SignIn
from facesecure.storage.store import Store
from support.page.served import Answered, Served, served_house, served_page
from support.page_accounts import OTHER, PASSWORD, QuickHasher
from support.page_socket import page_parts

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Browser:
    """A browser that keeps its cookie."""

    def __init__(self, served: Served) -> None:
        self.served, self.token = served, ""

    def get(self, path: str, **headers: str) -> Answered:
        return self._kept(self.served.ask("GET", path, headers={**self._cookie(), **headers}))

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answered:
        body = urlencode(form).encode()
        return self._kept(self.served.ask("POST", path, headers={**FORM, **self._cookie(), **headers}, body=body))

    def accept(self, code: str, password: str = PASSWORD) -> Answered:
        return self.post("/invitation", {"code": code, "password": password, "again": password})

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": f"facesecure={self.token}"} if self.token else {}

    def _kept(self, answer: Answered) -> Answered:
        found = re.search(r"facesecure=([^;]*)", answer.headers.get("set-cookie", ""))
        self.token = found[1].strip('"') if found else self.token
        return answer


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The page before a daemon whose passwords cost nothing."""
    state = tmp_path / "state"
    with page_parts(state) as made:
        sign_in = SignIn(made.store, 30, Passwords(QuickHasher()))
        parts = replace(made, sign_in=sign_in, any_account=sign_in.any_account)
        with (
            WebServer(Guard(all_verbs(), parts, sign_in.sessions), state / "web.sock"),
            served_page(state / "web.sock") as served,
        ):
            served.parts = parts
            yield served


@pytest.fixture
def store(served: Served) -> Store:
    assert served.parts is not None
    return served.parts.store


@pytest.fixture
def owner(served: Served, store: Store) -> Browser:
    """Anna's browser, just after she opened her link."""
    browser = Browser(served)
    browser.accept(accounts.set_up(store, "Anna").code)
    return browser


def test_before_the_first_account_the_page_says_how_to_begin(served: Served) -> None:
    page = served.get("/sign-in")
    assert "sudo facesecure web setup" in page.text
    assert 'type="password"' not in page.text


def test_a_link_opens_an_account_and_signs_in(served: Served, store: Store) -> None:
    browser, code = Browser(served), accounts.set_up(store, "Zoë <b>").code
    opened = browser.get(f"/invitation?code={code}")
    assert "Zoë &lt;b&gt;" in opened.text
    assert browser.get(f"/invitation?code={code}").status == 200  # looking does not use it
    answer = browser.accept(code)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age="))
    assert browser.get("/").status == 200
    assert "used already" in Browser(served).get(f"/invitation?code={code}").text


def test_over_tls_the_cookie_is_bound_to_the_page(tmp_path: Path) -> None:
    with served_house(tmp_path, web={"trusted_proxies": ["127.0.0.1"]}) as house:
        assert house.parts is not None
        assert house.parts.sign_in is not None
        code = accounts.set_up(house.parts.store, "Anna").code
        body = urlencode({"code": code, "password": PASSWORD, "again": PASSWORD}).encode()
        over_tls = {**FORM, "X-Forwarded-For": "192.168.1.7", "X-Forwarded-Proto": "https"}
        origin = {"Origin": house.origin.replace("http", "https")}
        answer = house.ask("POST", "/invitation", headers={**over_tls, **origin}, body=body)
        assert answer.status == 303
        assert answer.headers["set-cookie"].startswith("__Host-facesecure=")
        assert "Secure" in answer.headers["set-cookie"]


def test_what_is_typed_can_be_shown_without_a_script(served: Served, store: Store) -> None:
    code = accounts.set_up(store, "Anna").code
    form = {"code": code, "password": 'a "quoted" secret', "again": "", "do": "show"}
    shown = Browser(served).post("/invitation", form).text
    assert 'value="a "quoted" secret"' in html.unescape(shown)
    assert 'type="password"' not in shown
    assert store.page.accounts.all() == []


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        (PASSWORD, OTHER, "This is not the same as above."),
        ("short", "short", "the password is too short"),
        ("", "", "the password is too short"),
        ("qwerty12345", "qwerty12345", "one of the first that others try"),
    ],
)
def test_a_password_that_does_not_do_is_asked_for_again(
    served: Served, store: Store, password: str, again: str, said: str
) -> None:
    browser, code = Browser(served), accounts.set_up(store, "Anna").code
    answer = browser.post("/invitation", {"code": code, "password": password, "again": again})
    assert answer.status == 400
    assert said in answer.text
    assert browser.accept(code).status == 303


@pytest.mark.parametrize("code", ["", "x", "A" * 43, "' OR 1=1", "<script>", "x" * 500])
def test_a_wrong_link_is_an_error_page(served: Served, code: str) -> None:
    answer = served.get("/invitation?" + urlencode({"code": code}))
    assert answer.status == 404
    assert "not one that was made here" in answer.text
    assert "<script>alert" not in answer.text


def test_signing_in_leads_back_to_where_one_wanted_to_go(owner: Browser, served: Served) -> None:
    browser = Browser(served)
    sent = browser.get("/timeline?camera=gate")
    assert sent.headers["location"] == "/sign-in?next=/timeline%3Fcamera%3Dgate"
    form = {"name": "anna", "password": PASSWORD, "next": "/timeline?camera=gate"}
    answer = browser.post("/sign-in", form)
    assert (answer.status, answer.headers["location"]) == (303, "/timeline?camera=gate")
    assert browser.get("/sign-in?next=/people").headers["location"] == "/people"


@pytest.mark.parametrize("way", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(owner: Browser, served: Served, way: str) -> None:
    answer = Browser(served).post("/sign-in", {"name": "Anna", "password": PASSWORD, "next": way})
    assert answer.headers["location"] == "/"


def test_a_wrong_password_is_said_and_many_have_to_wait(owner: Browser, served: Served, store: Store) -> None:
    store.page.sessions.end([one.identifier for one in store.page.sessions.all()])
    browser = Browser(served)
    wrong = browser.post("/sign-in", {"name": "Anna", "password": "x" * 12, "next": "/people"})
    assert wrong.status == 400
    assert "the name or the password is wrong" in wrong.text
    assert 'value="Anna"' in wrong.text
    assert 'value="/people"' in wrong.text
    assert "x" * 12 not in wrong.text
    waits = [browser.post("/sign-in", {"name": "Anna", "password": "x" * 12}) for _ in range(11)][-1]
    assert waits.status == 429
    assert "Try again in" in waits.text


def test_a_form_without_its_fields_breaks_nothing(served: Served, owner: Browser) -> None:
    for path in ("/sign-in", "/invitation", "/confirm", "/accounts/invite", "/accounts/role", "/accounts/password"):
        assert owner.post(path, {}).status in (303, 400, 404), path


def test_signing_out_forgets_the_cookie(owner: Browser) -> None:
    before = owner.token
    answer = owner.post("/sign-out", {})
    assert answer.headers["location"] == "/sign-in"
    assert owner.token == ""
    owner.token = before
    assert owner.get("/accounts").status == 303
    assert owner.post("/sign-out", {}).status == 303


def test_what_needs_the_password_leads_back_to_its_form(tmp_path: Path) -> None:
    with served_house(tmp_path) as house:
        referer = {**FORM, "Referer": f"{house.origin}/accounts?x=1"}
        form = b"name=Ben&role=member"
        asked = house.ask("POST", "/accounts/invite", Role.OWNER, referer, form, confirmed=False)
        assert asked.status == 403
        assert "Your password, please" in asked.text
        assert 'name="next" value="/accounts?x=1"' in asked.text
        elsewhere = {**FORM, "Referer": "https://evil.example/accounts"}
        asked = house.ask("POST", "/accounts/invite", Role.OWNER, elsewhere, form, confirmed=False)
        assert 'name="next" value="/"' in asked.text
        assert "owner" in house.get("/confirm?next=/accounts", Role.OWNER).text


def test_the_password_given_again_goes_on(owner: Browser) -> None:
    wrong = owner.post("/confirm", {"password": "x" * 12, "next": "/accounts"})
    assert wrong.status == 400
    assert "not the password of this account" in wrong.text
    right = owner.post("/confirm", {"password": PASSWORD, "next": "/accounts"})
    assert (right.status, right.headers["location"]) == (303, "/accounts")
    assert Browser(owner.served).get("/confirm?next=/accounts").headers["location"].startswith("/sign-in")


def test_an_owner_invites_and_the_link_is_shown_once(owner: Browser, served: Served) -> None:
    made = owner.post("/accounts/invite", {"name": "Ben", "role": "member"}).text
    found = re.search(r"http://localhost:\d+/invitation\?code=([\w-]{43})<", made)
    assert found
    assert "data:image/svg+xml" in made
    assert found[1] not in owner.get("/accounts").text
    ben = Browser(served)
    assert ben.accept(found[1]).status == 303
    mine = ben.get("/accounts").text
    assert "You, Ben" in mine
    assert "Invite somebody" not in mine
    assert ben.post("/accounts/invite", {"name": "Eve", "role": "owner"}).status == 403


def test_what_an_owner_may_not_do_is_said_in_its_form(owner: Browser) -> None:
    for path, form, said in (
        ("/accounts/invite", {"name": "Anna", "role": "member"}, "an account with that name"),
        ("/accounts/remove", {"name": "Anna"}, "the only owner of the page"),
        ("/accounts/reset", {"name": "Anna"}, "this is your own account"),
        ("/accounts/password", {"old": "x" * 12, "new": OTHER, "again": OTHER}, "not the password of this account"),
        ("/accounts/password", {"old": PASSWORD, "new": OTHER, "again": PASSWORD}, "not the same as above"),
        ("/accounts/password", {"old": PASSWORD, "new": "anna", "again": "anna"}, "too short"),
    ):
        answer = owner.post(path, form)
        assert answer.status == 400, path
        assert said in answer.text, path


def test_an_owner_changes_removes_and_signs_out_others(owner: Browser, served: Served, store: Store) -> None:
    ben = Browser(served)
    ben.accept(accounts.invite(store, "Ben", Role.MEMBER).code)
    (session,) = [one for one in store.page.sessions.all() if one.account == "Ben"]
    assert "Ben" in owner.get("/accounts").text
    owner.post("/accounts/end", {"identifier": session.identifier})
    assert ben.get("/accounts").status == 303
    owner.post("/accounts/role", {"name": "Ben", "role": "viewer"})
    reset = owner.post("/accounts/reset", {"name": "Ben"}).text
    found = re.search(r"code=([\w-]{43})", reset)
    assert found
    assert "Choose a new password" in ben.get(f"/invitation?code={found[1]}").text
    owner.post("/accounts/remove", {"name": "Ben"})
    assert [one.name for one in store.page.accounts.all()] == ["Anna"]
    assert ben.accept(found[1]).status == 404


def test_one_changes_ones_password_and_language(owner: Browser, served: Served) -> None:
    assert owner.post("/accounts/password", {"old": PASSWORD, "new": OTHER, "again": OTHER}).status == 303
    assert Browser(served).post("/sign-in", {"name": "Anna", "password": OTHER}).status == 303
    owner.post("/accounts/language", {"language": "fr"})
    assert "Comptes et appareils" in owner.get("/accounts").text


def test_an_address_for_pictures_is_shown_once_and_revoked(owner: Browser, store: Store) -> None:
    assert owner.post("/accounts/tokens", {"name": "hall <i>tablet"}).status == 200
    listed = owner.get("/accounts").text
    assert "hall &lt;i&gt;tablet" in listed
    (token,) = store.page.live_tokens.all()
    owner.post("/accounts/tokens/revoke", {"identifier": token.identifier})
    assert store.page.live_tokens.all() == []


def test_the_audit_log_is_filtered_and_goes_on(owner: Browser, store: Store) -> None:
    for number in range(60):
        audit.record(store.state_dir, "visitor-forgotten", f"visitor {number}")
    first = owner.get("/audit").text
    assert "nobody has changed" in first
    older = re.search(r'href="(/audit\?before=\d+)"', first)
    assert older
    assert "visitor 3<" in owner.get(older[1]).text
    only = owner.get("/audit?action=account-created&days=7").text
    assert "An account was made" in only
    assert "visitor 59" not in only
    assert "visitor 7<" in owner.get("/audit?subject=VISITOR+7").text
    for nonsense in (
        "before=x",
        "before=99999999999999999999",
        "action=<script>",
        "days=-1",
        "actor=%00",
        "days=%C2%B2",
    ):
        assert owner.get(f"/audit?{nonsense}").status == 200, nonsense


def test_a_changed_audit_log_is_said(owner: Browser, store: Store) -> None:
    log = store.state_dir / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"Anna", b"Anne"))
    page = owner.get("/audit").text
    assert "changed outside of facesecure" in page
    assert "journalctl" in page


def test_edited_accounts_are_said(owner: Browser, store: Store, served: Served) -> None:
    Browser(served).accept(accounts.invite(store, "Ben", Role.MEMBER).code)
    with store._database.write() as session:
        session.connection().exec_driver_sql("UPDATE accounts SET role = 'owner' WHERE name = 'Ben'")
    assert "account Ben is refused" in owner.get("/accounts").text


def test_at_an_address_of_numbers_the_page_says_why_it_offers_no_passkeys(owner: Browser, store: Store) -> None:
    page = owner.get("/accounts", Host=f"127.0.0.1:{owner.served.port}").text
    assert "by https and a name that it knows" in page
    assert "/accounts/passkeys/new" not in page
    account = store.page.accounts.find("Anna")
    assert account is not None
    store.page.passkeys.add(account, "An <old> phone", "home.example.org", b"id", b"key", 0, account.created_at)
    listed = owner.get("/accounts").text
    assert "An &lt;old&gt; phone" in listed
    assert 'data-passkey="confirm"' not in owner.get("/confirm").text
    (passkey,) = store.page.passkeys.all()
    owner.post("/accounts/passkeys/rename", {"identifier": passkey.identifier, "name": "Stick"})
    assert [one.name for one in store.page.passkeys.all()] == ["Stick"]
    removed = owner.post("/accounts/passkeys/remove", {"identifier": passkey.identifier})
    assert (removed.status, store.page.passkeys.all()) == (303, [])


def test_a_passkey_that_is_none_signs_nobody_in(served: Served, store: Store) -> None:
    Browser(served).accept(accounts.set_up(store, "Anna").code)
    said = {"credential": "eA", "client_data": "e30", "authenticator_data": "eA", "signature": "eA"}
    answer = Browser(served).post("/sign-in", {**said, "next": "/"})
    assert answer.status == 400
    assert "this passkey was not accepted" in answer.text
    asked = Browser(served).post("/passkeys/options", {"purpose": "sign-in"})
    assert asked.status == 200
    assert '"userVerification":"required"' in asked.text
    refused = Browser(served).post("/passkeys/options", {"purpose": "confirm"})
    assert (refused.status, refused.text) == (400, '{"kind":"signed-out"}')
