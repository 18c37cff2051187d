"""Tries to sign in are limited: whoever mistypes never waits, an attacker does, and a wrong clock locks nobody out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.services.device_words import device_words
from facesecure.services.sign_in_limits import SignInLimits, account_limit, address_limit, household
from facesecure.storage.sign_in_attempts import MOST_ROWS
from facesecure.storage.store import Store
from support.page_accounts import Time

HOME, ANNA = address_limit("192.168.1.7"), account_limit("anna")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as store:
        yield store


@pytest.fixture
def limits(store: Store, time: Time) -> SignInLimits:
    return SignInLimits(store.page.attempts, time.now)


def test_ten_tries_are_free_and_each_one_more_waits_twice_as_long(limits: SignInLimits, time: Time) -> None:
    assert [limits.take([HOME]) for _ in range(10)] == [0] * 10
    waits = []
    for _ in range(14):
        waits.append(limits.take([HOME]))
        time.wait(waits[-1])
        assert limits.take([HOME]) == 0
    assert waits[:6] == sorted(waits[:6])
    assert waits[0] == 1
    assert max(waits) <= 900
    assert waits[-1] > 300


def test_an_account_never_waits_longer_than_a_minute(limits: SignInLimits, time: Time) -> None:
    for _ in range(200):
        wait = limits.take([ANNA])
        assert wait <= 60
        time.wait(wait)
    assert limits.take([ANNA]) > 20


def test_a_right_password_takes_its_try_back(limits: SignInLimits) -> None:
    for _ in range(50):
        assert limits.take([HOME, ANNA]) == 0
        limits.give_back([HOME, ANNA])


def test_what_is_counted_beside_makes_nobody_wait(limits: SignInLimits) -> None:
    for _ in range(15):
        limits.take([account_limit("anna")])
    assert limits.take([ANNA]) > 0
    assert limits.take([HOME], beside=[ANNA]) == 0


def test_failures_melt_away(limits: SignInLimits, time: Time) -> None:
    for _ in range(10):
        limits.take([HOME])
    assert limits.take([HOME]) > 0
    time.wait(6 * 3600)
    assert [limits.take([HOME]) for _ in range(10)] == [0] * 10


@pytest.mark.parametrize("years", [-30, 30])
def test_a_clock_that_was_wrong_locks_nobody_out(store: Store, time: Time, years: int) -> None:
    for _ in range(3):
        limits = SignInLimits(store.page.attempts, time.now)
        for _ in range(60):
            limits.take([HOME, ANNA])
        time.wait(years * 365 * 86_400)
        assert limits.take([HOME, ANNA]) == 0
        assert SignInLimits(store.page.attempts, time.now).take([HOME, ANNA]) <= 900


def test_a_household_with_ipv6_is_one_address() -> None:
    assert household("2001:db8:1:2:3:4:5:6") == household("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert household("2001:db8:1:3::1") != household("2001:db8:1:2::1")
    assert household("::ffff:192.168.1.7") == household("192.168.1.7")
    assert household("fe80::1%eth0") == "fe80::/64"
    assert household("") == ""
    assert household("unix") == "unix"


def test_an_attacker_with_many_addresses_does_not_fill_the_disk(store: Store, limits: SignInLimits) -> None:
    with store._database.write() as session:
        session.connection().exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO attempts SELECT 'n' || i, 1.0, '2026-01-01 00:00:00.000000' FROM n",
            (MOST_ROWS,),
        )
    limits.take([HOME])
    with store._database.read() as session:
        (count,) = session.connection().exec_driver_sql("SELECT count(*) FROM attempts").one()
    assert count < MOST_ROWS


def test_what_people_type_is_not_stored(store: Store, limits: SignInLimits) -> None:
    limits.take([account_limit("my secret by mistake"), address_limit("203.0.113.77")])
    stored = b"".join(file.read_bytes() for file in store.state_dir.glob("facesecure.db*"))
    assert b"my secret" not in stored
    assert b"203.0.113.77" not in stored


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit Chrome/130 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("curl/8.5", "curl"),
        ("<script>", ""),
        ("", ""),
    ],
)
def test_browsers_are_named_as_people_name_them(agent: str, words: str) -> None:
    assert device_words(agent) == words
