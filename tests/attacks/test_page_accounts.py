"""Attacks on the page's accounts: links, passwords, sessions and tokens, by the socket and in the database."""

from __future__ import annotations

import secrets
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Refused
from facesecure.config import FacesecureConfig
from facesecure.domain.accounts import Role
from facesecure.services import live_tokens
from facesecure.services.diagnostics.result import CheckContext, Health
from facesecure.services.diagnostics.state import signatures
from facesecure.services.passwords import Passwords
from facesecure.services.sessions import token_hash
from facesecure.storage.store import Store
from support.faults.table import attack
from support.page_accounts import OTHER, PASSWORD, Page, Time

Saw = Callable[[str], None]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with Store.open(tmp_path / "state") as store:
        yield Page(store, Time())


def execute(page: Page, *statements: str) -> None:
    """Edit the database as somebody who has no key does."""
    with closing(sqlite3.connect(page.store.state_dir / "facesecure.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    page.begin()  # a restart, so that nothing is remembered


def failures(page: Page) -> list[str]:
    """What doctor says is not as facesecure wrote it."""
    context = CheckContext(FacesecureConfig(), None, page.store.state_dir)
    return [one.message for one in signatures(context) if one.health is Health.FAIL]


@attack(
    "a one-time link used again, or too late", how="the same link twice, after 15 minutes, and unused in an edited row"
)
def test_a_link_works_once_and_for_a_quarter_of_an_hour(page: Page, saw: Saw) -> None:
    used, late, newer = page.link("Anna"), page.link("Ben"), page.link("Cem")
    page.ask("accept-invitation", code=used, password=PASSWORD)
    replayed = page.refusal("accept-invitation", code=used, password=OTHER)
    assert "used already" in replayed.message
    execute(page, "UPDATE invitations SET used_at = NULL, expires_at = '2099-01-01 00:00:00.000000'")
    edited = [page.refusal("accept-invitation", code=code, password=OTHER) for code in (used, late, newer)]
    page.time.wait(901)
    code = page.link("Dora")
    page.time.wait(900)
    expired = page.refusal("accept-invitation", code=code, password=PASSWORD)
    assert "too old" in expired.message
    assert {one.kind for one in (replayed, expired, *edited)} == {Refusal.MISSING}
    assert [one.name for one in page.store.page.accounts.all()] == ["Anna"]
    page.ask("sign-in", name="Anna", password=PASSWORD)
    saw("refused; the first password holds")


@attack("two people use a one-time link at once", how="8 threads, 20 links")
def test_of_many_who_use_a_link_at_once_one_succeeds(page: Page, saw: Saw) -> None:
    for number in range(20):
        page.time.wait(3600)
        code = page.link(f"guest {number}", Role.VIEWER)
        passwords = [f"{PASSWORD} {one}" for one in range(8)]

        def accept(password: str, code: str = code) -> str | None:
            try:
                return str(page.ask("accept-invitation", code=code, password=password)["account"])
            except Refused:
                return None

        with ThreadPoolExecutor(8) as pool:
            assert Counter(pool.map(accept, passwords))[None] == 7
        page.time.wait(3600)
        fitting = []
        for password in passwords:
            try:
                fitting.append(page.ask("sign-in", name=f"guest {number}", password=password)["token"])
            except Refused:
                continue
        assert len(fitting) == 1
    saw("one each time; 20 accounts")


@pytest.mark.slow
@attack(
    "10,000 wrong passwords", how="from one address, from 10,000, with a restart after each hundred, and for three days"
)
def test_guessing_passwords_gets_nowhere_and_locks_nobody_out(page: Page, saw: Saw) -> None:
    page.account()
    page.store.page.sessions.end([one.identifier for one in page.sign_in.sessions.all()])
    checked, waits = [], []
    for addresses in (["10.0.0.9"], [f"10.0.{number >> 8}.{number & 255}" for number in range(10_000)]):
        before = page.hasher.checked
        for number in range(10_000):
            page.time.wait(1)
            if number % 100 == 0:
                page.begin()
            refused = page.refusal(
                "sign-in", address=addresses[number % len(addresses)], name="Anna", password=f"wrong word {number}"
            )
            assert refused.kind in (Refusal.INVALID, Refusal.LIMITED)
        checked.append(page.hasher.checked - before)
        home, waited = patiently(page, "192.168.1.50")
        waits.append(waited)
        page.refusal("sign-in", address="10.0.0.9", name="Anna", password="wrong word")
        page.ask("sign-in", address="192.168.1.50", name="Anna", password=PASSWORD)  # no wait where one is signed in
        page.ask("sign-out", home, everywhere=True)
        page.time.wait(86_400)
    assert max(checked) < 250
    assert max(waits) <= 60
    before = page.hasher.checked
    for _ in range(3 * 24 * 4):
        page.time.wait(900)
        for _ in range(3):
            page.refusal("sign-in", address="10.0.0.9", name="Anna", password="wrong word")
    days = page.hasher.checked - before
    assert days < 3 * 24 * 6 + 50
    recorded = Counter(page.actions())["sign-in-refused"]
    assert recorded < 3 * 24 * 6 + 400
    saw(
        f"{max(checked)} of 10,000 were looked at, {days} in three days; the right one from elsewhere waited "
        f"{max(waits):.0f} s at most"
    )


@attack("wrong passwords at once", how="16 threads of one address, with 200 passwords, and of an account, from 200")
def test_tries_at_once_are_counted_one_by_one(page: Page, saw: Saw) -> None:
    page.account()
    page.store.page.sessions.end([one.identifier for one in page.sign_in.sessions.all()])
    looked_at = []
    for addresses in (["10.0.0.9"], [f"10.0.1.{number}" for number in range(200)]):
        page.time.wait(86_400)
        before = page.hasher.checked
        asked = [(addresses[number % len(addresses)], f"wrong word {number}") for number in range(200)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda one: page.refusal("sign-in", address=one[0], name="Anna", password=one[1]), asked))
        looked_at.append(page.hasher.checked - before)
    assert looked_at == [10, 10]
    saw("10 of each 200 were looked at")


@attack("many sign in at once", how="12 threads with the real Argon2")
def test_one_password_is_hashed_at_a_time(page: Page, saw: Saw) -> None:
    at_once, most = [0], [0]

    class Counting:
        def __init__(self) -> None:
            from argon2 import PasswordHasher

            self.real = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

        def hash(self, password: str) -> str:
            return self.real.hash(password)

        def verify(self, hash: str, password: str) -> bool:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            try:
                return self.real.verify(hash, password)
            finally:
                at_once[0] -= 1

    passwords = Passwords(Counting(), patience=60)
    hashed = passwords.hash(PASSWORD)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda one: passwords.matches(hashed, one), [PASSWORD, OTHER] * 6))
    assert found == [True, False] * 6
    assert most == [1]
    saw("one after the other: 19 MiB")


@attack("session fixation", how="tokens that the attacker knows before the sign-in: made up, their own, signed out")
def test_a_sign_in_takes_no_token_that_anybody_knew(page: Page, saw: Saw) -> None:
    page.account()
    attackers = page.account("Mallory", Role.KIOSK)
    gone = page.ask("sign-in", name="Anna", password=PASSWORD)["token"]
    page.ask("sign-out", gone)
    for planted in (secrets.token_urlsafe(32), attackers, gone):
        token = page.ask("sign-in", planted, name="Anna", password=PASSWORD)["token"]
        assert token not in (planted, attackers, gone)
        assert page.ask("session", planted)["account"] is None
        assert page.ask("session", token)["account"] == "Anna"
    saw("each sign-in has a new token; the one before is worth nothing")


def patiently(page: Page, address: str) -> tuple[str, float]:
    """Sign in with the right password, waiting as the page says; return the token, and how long that took."""
    waited = 0.0
    while True:
        try:
            return str(page.ask("sign-in", address=address, name="Anna", password=PASSWORD)["token"]), waited
        except Refused as refused:
            if not refused.seconds:
                raise
            waited += refused.seconds
            page.time.wait(refused.seconds)


EDITS: dict[str, str] = {
    "a role raised": "UPDATE accounts SET role = 'owner' WHERE name = 'Ben'",
    "a password's hash planted": "UPDATE accounts SET password = 'quick planted words' WHERE name = 'Anna'",
    "another's hash": "UPDATE accounts SET password = (SELECT password FROM accounts WHERE name = 'Ben')",
    "another's whole row": "UPDATE accounts SET (role, password, edition, seal) = "
    "(SELECT role, password, edition, seal FROM accounts WHERE name = 'Anna') WHERE name = 'Ben'",
    "an account planted": "INSERT INTO accounts SELECT 'f', 'Eve', 'eve', 'owner', 'quick planted words', edition, '', "
    "created_at, seal FROM accounts WHERE name = 'Anna'",
    "a session planted": f"INSERT INTO sessions SELECT '{token_hash('planted' * 5)}', identifier, account, edition, "
    "began_at, used_at, confirmed_at, device, address, seal FROM sessions WHERE account = "
    "(SELECT uid FROM accounts WHERE name = 'Anna')",
    "a session given to the owner": "UPDATE sessions SET account = (SELECT uid FROM accounts WHERE name = 'Anna'), "
    "edition = (SELECT edition FROM accounts WHERE name = 'Anna')",
    "a password given just now": "UPDATE sessions SET confirmed_at = '2026-05-01 12:30:00.000000'",
    "a link planted": f"INSERT INTO invitations VALUES ('{token_hash('planted' * 5)}', 'Eve', 'owner', '', "
    "'2099-01-01 00:00:00.000000', NULL, '" + 64 * "0" + "')",
    "a token planted": f"INSERT INTO live_tokens VALUES ('{token_hash('planted' * 5)}', '{32 * 'a'}', 'x', "
    "'{\"names\": []}', 'Anna', '2026-05-01 12:00:00.000000', NULL, '" + 64 * "0" + "')",
}


@attack("accounts, sessions, links and tokens edited in the database", how="each by SQL, with the seals of other rows")
def test_whoever_edits_the_database_becomes_nobody(page: Page, saw: Saw) -> None:
    page.account()
    ben = page.account("Ben", Role.MEMBER, OTHER)
    reported = {}
    for name, statement in EDITS.items():
        with closing(sqlite3.connect(page.store.state_dir / "facesecure.db")) as connection:
            saved = {
                table: connection.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("accounts", "sessions", "invitations", "live_tokens")
            }
        execute(page, statement)
        page.time.wait(1860)
        assert page.ask("session", ben)["role"] in ("member", None), name
        assert page.ask("session", "planted" * 5)["account"] is None, name
        assert refused_kind(page, "invite", ben, name="Eve", role="owner") in (Refusal.FORBIDDEN, Refusal.SIGNED_OUT)
        for account in ("Anna", "Eve"):
            page.time.wait(7200)
            page.refusal("sign-in", name=account, password="planted words")
            page.refusal("sign-in", name=account, password=OTHER)
        page.refusal("accept-invitation", code="planted" * 5, password=OTHER)
        assert live_tokens.find(page.store, "planted" * 5) is None, name
        assert "Eve" not in [one.name for one in page.store.page.accounts.all()]
        reported[name] = failures(page)
        restore(page, saved)
    assert [name for name, found in reported.items() if not found] == []
    assert failures(page) == []
    saw(f"{len(EDITS)} edits: each row counts as absent, and doctor says so")


def refused_kind(page: Page, verb: str, token: str, **arguments: Any) -> Refusal:
    return page.refusal(verb, token, **arguments).kind


def restore(page: Page, saved: dict[str, list[tuple[Any, ...]]]) -> None:
    """Put the rows back as they were."""
    with closing(sqlite3.connect(page.store.state_dir / "facesecure.db")) as connection, connection:
        for table in reversed(saved):
            connection.execute(f"DELETE FROM {table}")
        for table, rows in saved.items():
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    page.begin()


@attack("tokens and codes guessed", how="1,000 random ones, the stored hashes, what people see, and parts of real ones")
def test_no_guess_is_a_session_a_link_or_a_token(page: Page, saw: Saw) -> None:
    token = page.account()
    code = page.link("Ben", Role.MEMBER)
    live = page.ask("live-token-make", token, name="tablet")
    (session,) = page.sign_in.sessions.all()
    guesses = [secrets.token_urlsafe(32) for _ in range(1000)]
    for real in (token, code, live["token"]):
        guesses += [token_hash(real), real[:-1], real + "A", real.swapcase(), real[::-1]]
    guesses += [session.identifier, live["identifier"], "' OR '1'='1", "%", "*", "\x00", "null"]
    for guess in guesses:
        assert page.sign_in.sessions.find(guess) is None
        assert live_tokens.find(page.store, guess) is None
    links = Counter(page.refusal("invitation", code=guess).kind for guess in guesses)
    assert set(links) == {Refusal.MISSING, Refusal.LIMITED}
    page.time.wait(60)
    assert page.ask("invitation", code=code)["name"] == "Ben"
    with closing(sqlite3.connect(page.store.state_dir / "facesecure.db")) as connection:
        stored = "".join(connection.iterdump())
    assert not [one for one in (token, code, live["token"], PASSWORD) if one in stored.replace(f"quick {PASSWORD}", "")]
    saw(f"{len(guesses):,} guesses: none; a browser that guesses links waits after {links[Refusal.MISSING]}")
