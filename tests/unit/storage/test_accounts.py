"""Accounts, sessions, links and tokens in the database: sealed, sealed again with a new key, and gone when removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facesecure.config import StoreConfig
from facesecure.domain.accounts import Role
from facesecure.domain.errors import UsageError
from facesecure.services import accounts, live_tokens
from facesecure.services.passwords import Passwords
from facesecure.services.sign_in import Browser, SignIn, WrongPasswordError
from facesecure.storage.account_sessions import MOST_SESSIONS
from facesecure.storage.live_tokens import MOST_TOKENS
from facesecure.storage.store import Store
from support.page_accounts import PASSWORD, QuickHasher

HERE = Browser("192.168.1.7", "Firefox on Linux")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as store:
        yield store


@pytest.fixture
def sign_in(store: Store) -> SignIn:
    return SignIn(store, 30, Passwords(QuickHasher()))


def account(store: Store, sign_in: SignIn, name: str, role: Role = Role.OWNER) -> str:
    token, _ = sign_in.accept(accounts.invite(store, name, role).code, PASSWORD, HERE)
    return token


def test_everything_is_genuine_after_the_key_was_replaced(store: Store, sign_in: SignIn) -> None:
    token = account(store, sign_in, "Anna")
    link = accounts.invite(store, "Ben", Role.MEMBER)
    secret, _ = live_tokens.make(store, "tablet", [], "Anna", [])
    store.rotate_key()
    sign_in.sessions.forget()
    assert store.page.accounts.problems() == []
    assert sign_in.sessions.find(token) is not None
    assert live_tokens.find(store, secret) is not None
    assert sign_in.accept(link.code, PASSWORD, HERE)[1].account == "Ben"


def test_what_others_edited_stays_edited_when_the_key_is_replaced(store: Store, sign_in: SignIn) -> None:
    account(store, sign_in, "Anna")
    account(store, sign_in, "Ben", Role.MEMBER)
    with closing(sqlite3.connect(store.state_dir / "facesecure.db")) as connection, connection:
        connection.execute("UPDATE accounts SET role = 'owner' WHERE name = 'Ben'")
    store.rotate_key()
    assert [one.name for one in store.page.accounts.all()] == ["Anna"]
    (problem,) = store.page.accounts.problems()
    assert "Ben is refused" in problem
    accounts.remove(store, "Ben")
    assert store.page.accounts.problems() == []
    account(store, sign_in, "Ben", Role.VIEWER)


def test_an_account_that_others_wrote_takes_no_name(store: Store, sign_in: SignIn) -> None:
    account(store, sign_in, "Anna")
    with closing(sqlite3.connect(store.state_dir / "facesecure.db")) as connection, connection:
        connection.execute(
            "INSERT INTO accounts SELECT 'x', 'Ben', 'ben', role, password, edition, '', created_at, seal FROM accounts"
        )
    account(store, sign_in, "Ben", Role.VIEWER)
    assert store.page.accounts.problems() == []


def test_a_removed_account_is_in_no_file(store: Store, sign_in: SignIn) -> None:
    account(store, sign_in, "Anna")
    account(store, sign_in, "Benedetta Quartz", Role.MEMBER)
    (found,) = [one for one in store.page.accounts.all() if one.role is Role.MEMBER]
    accounts.remove(store, "Benedetta Quartz")
    files = [file for file in store.state_dir.rglob("*") if file.is_file()]
    assert [file.name for file in files if found.uid.encode() in file.read_bytes()] == []


def test_an_account_has_so_many_sessions_and_no_more(store: Store, sign_in: SignIn) -> None:
    first = account(store, sign_in, "Anna")
    tokens = [sign_in.by_password("Anna", PASSWORD, HERE)[0] for _ in range(MOST_SESSIONS)]
    assert len(store.page.sessions.all()) == MOST_SESSIONS
    sign_in.sessions.forget()
    assert sign_in.sessions.find(first) is None
    assert sign_in.sessions.find(tokens[-1]) is not None


def test_there_are_so_many_tokens_and_no_more(store: Store) -> None:
    for number in range(MOST_TOKENS):
        live_tokens.make(store, f"tablet {number}", [], "Anna", [])
    with pytest.raises(UsageError, match="50 tokens already"):
        live_tokens.make(store, "one more", [], "Anna", [])


def test_old_links_are_forgotten(store: Store) -> None:
    past = datetime.now(UTC) - timedelta(days=2)
    accounts.invite(store, "Ben", Role.MEMBER, lambda: past)
    accounts.invite(store, "Cem", Role.MEMBER)
    with closing(sqlite3.connect(store.state_dir / "facesecure.db")) as connection:
        assert connection.execute("SELECT name FROM invitations").fetchall() == [("Cem",)]


def test_what_is_old_is_pruned(store: Store, sign_in: SignIn) -> None:
    account(store, sign_in, "Anna")
    accounts.invite(store, "Ben", Role.MEMBER)
    with pytest.raises(WrongPasswordError):
        sign_in.by_password("Anna", "x" * 12, HERE)

    def left() -> list[int]:
        tables = ("accounts", "sessions", "invitations", "attempts")
        with closing(sqlite3.connect(store.state_dir / "facesecure.db")) as connection:
            return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]

    now = datetime.now(UTC)
    store.prune(StoreConfig(), now)
    assert left()[:3] == [1, 1, 2]
    store.prune(StoreConfig(), now + timedelta(days=8))
    assert left() == [1, 1, 0, 0]
    store.prune(StoreConfig(), now + timedelta(days=400))
    assert left() == [1, 0, 0, 0]


@pytest.mark.parametrize("name", ["Änna", "A\u0308nna", "ÄNNA", " änna "])
def test_names_that_look_the_same_are_one_account(store: Store, sign_in: SignIn, name: str) -> None:
    account(store, sign_in, "Änna")
    with pytest.raises(UsageError, match="already"):
        accounts.invite(store, name, Role.VIEWER)
    assert sign_in.by_password(name, PASSWORD, HERE)[1].account == "Änna"


def test_no_password_and_no_token_is_stored(store: Store) -> None:
    sign_in = SignIn(store, 30)  # with Argon2 itself
    token = account(store, sign_in, "Anna")
    secret, _ = live_tokens.make(store, "tablet", [], "Anna", [])
    code = accounts.invite(store, "Ben", Role.MEMBER).code
    stored = b"".join(file.read_bytes() for file in store.state_dir.rglob("*") if file.is_file())
    for text in (token, secret, code, PASSWORD):
        assert text.encode() not in stored
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in stored
