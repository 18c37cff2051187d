"""Sessions of the page are found at once, end by themselves, and end when another process says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from facesecure.domain.accounts import Account, Role
from facesecure.services.sessions import KEPT, LAG, Sessions, new_token, token_hash
from facesecure.storage.accounts import add, record
from facesecure.storage.store import Store
from support.page_accounts import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as store:
        yield store


@pytest.fixture
def sessions(store: Store, time: Time) -> Sessions:
    return Sessions(store.page, 30, time.now, time.steady)


def anna(store: Store, time: Time) -> Account:
    with store._database.write() as session:
        return record(add(session, "Anna", Role.OWNER, "hash", time.now()))


def begun(store: Store, sessions: Sessions, time: Time) -> str:
    found = sessions.begin(anna(store, time), "Chrome on Android", "192.168.1.7")
    assert found is not None
    return found[0]


def test_a_session_is_found_by_its_token_and_by_nothing_else(store: Store, sessions: Sessions, time: Time) -> None:
    token = begun(store, sessions, time)
    found = sessions.find(token)
    assert found is not None
    assert (found.account, found.role, found.device) == ("Anna", Role.OWNER, "Chrome on Android")
    strange = ("", token_hash(token), found.identifier, token[:-1], new_token(), "x" * 10_000, "\ud800", "' OR 1=1")
    assert [sessions.find(one) for one in (None, *strange)] == [None] * 9


def test_a_session_that_is_not_used_ends(store: Store, sessions: Sessions, time: Time) -> None:
    token = begun(store, sessions, time)
    for _ in range(5):
        time.wait(29 * 86_400)
        assert sessions.find(token) is not None
    again = Sessions(store.page, 30, time.now, time.steady)  # a restart
    assert again.find(token) is not None
    time.wait(31 * 86_400)
    assert sessions.find(token) is None
    assert again.find(token) is None


def test_what_another_process_ended_ends_within_a_second(
    store: Store, sessions: Sessions, time: Time, tmp_path: Path
) -> None:
    token = begun(store, sessions, time)
    assert sessions.find(token) is not None
    with Store.open(tmp_path / "state") as other:
        other.page.accounts.set_role("anna", Role.OWNER)
    time.wait(LAG)
    assert sessions.find(token) is None


def test_a_session_is_read_again_now_and_then_in_any_case(store: Store, sessions: Sessions, time: Time) -> None:
    token = begun(store, sessions, time)
    assert sessions.find(token) is not None
    with store._database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM sessions")  # by others, who do not count it
    assert sessions.find(token) is not None
    time.wait(KEPT + 1)
    assert sessions.find(token) is None


def test_a_database_that_others_hold_keeps_nobody_waiting(
    store: Store, sessions: Sessions, time: Time, tmp_path: Path
) -> None:
    token = begun(store, sessions, time)
    time.wait(3600)
    with closing(sqlite3.connect(tmp_path / "state" / "facesecure.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = monotonic()
        assert sessions.find(token) is not None
        assert monotonic() - before < 2


def test_ending_a_session_counts_at_once(store: Store, sessions: Sessions, time: Time) -> None:
    token = begun(store, sessions, time)
    found = sessions.find(token)
    assert found is not None
    assert sessions.end(found) == 1
    assert sessions.find(token) is None


def test_a_confirmation_lasts_ten_minutes_and_not_from_the_future(store: Store, sessions: Sessions, time: Time) -> None:
    token = begun(store, sessions, time)
    time.wait(601)
    old = sessions.find(token)
    assert old is not None
    assert not old.is_confirmed(time.now())
    sessions.confirm(token)
    new = sessions.find(token)
    assert new is not None
    assert new.is_confirmed(time.now())
    assert not new.is_confirmed(time.now() - timedelta(hours=1))
