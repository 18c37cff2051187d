"""Attacks on passkeys: signatures replayed, made for others, by copies, and rows edited in the database."""

from __future__ import annotations

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
from facesecure.domain.accounts import Role
from facesecure.storage.store import Store
from support.faults.table import attack
from support.page_accounts import OTHER, Page, Time
from support.passkeys import FLAG, ORIGIN, Phone, text_of

Saw = Callable[[str], None]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with Store.open(tmp_path / "state") as store:
        yield Page(store, Time())


def added(page: Page, token: str, **how: Any) -> Phone:
    """A phone with a passkey of whoever is signed in."""
    phone = Phone(**how)
    options = page.ask("passkey-add-begin", token, origin=ORIGIN)["options"]
    page.ask("passkey-add", token, origin=ORIGIN, name="phone", **phone.make(options))
    return phone


def asked(page: Page, **where: Any) -> Any:
    """What a browser is given to sign in."""
    return page.ask("passkey-sign-in-begin", origin=ORIGIN, **where)["options"]


def at_once(
    page: Page, answer: dict[str, str], verb: str = "passkey-sign-in", token: str | None = None, **how: Any
) -> bool:
    """Whether the daemon refuses what a passkey signed, while the challenge holds."""
    return page.refusal(verb, token, **{"origin": ORIGIN, **how, **answer}).kind is Refusal.INVALID


@attack(
    "a passkey's challenge replayed",
    how="the same answer twice, by 8 threads at once, after five minutes, for another purpose, session and address, "
    "with a challenge of the attacker, and after a restart",
)
def test_what_a_passkey_signed_works_once_and_where_it_was_asked_for(page: Page, saw: Saw) -> None:
    anna = page.account("Anna")
    phone = added(page, anna)
    used = phone.sign(asked(page))
    page.ask("passkey-sign-in", origin=ORIGIN, **used)
    assert at_once(page, used)

    def sign_in(answer: dict[str, str]) -> bool:
        try:
            return bool(page.ask("passkey-sign-in", origin=ORIGIN, **answer))
        except Refused:
            return False

    answer = phone.sign(asked(page))
    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(sign_in, [answer] * 8))[True] == 1
    late, restarted = phone.sign(asked(page)), phone.sign(asked(page))
    page.time.wait(300)
    assert at_once(page, late)
    page.begin()
    assert at_once(page, restarted)
    page.time.wait(7200)
    assert at_once(page, phone.sign(asked(page)), address="10.0.0.9")
    assert at_once(page, phone.sign({"challenge": text_of(bytes(32))}))
    page.time.wait(7200)
    confirming = page.ask("passkey-confirm-begin", anna, origin=ORIGIN)["options"]
    assert at_once(page, phone.sign(confirming))
    assert at_once(page, phone.sign(asked(page)), "passkey-confirm", anna)
    other = page.ask("passkey-sign-in", origin=ORIGIN, **phone.sign(asked(page)))["token"]
    confirming = page.ask("passkey-confirm-begin", other, origin=ORIGIN)["options"]
    assert at_once(page, phone.sign(confirming), "passkey-confirm", anna)
    saw("each was refused; of 8 at once, one signed in")


@attack(
    "a passkey used for another origin or RP id",
    how="a look-alike site that passes on the page's challenge: other host, scheme, port, a frame; another host's RP "
    "id; no verified user; the page by its address",
)
def test_a_passkey_signs_for_this_page_only(page: Page, saw: Saw) -> None:
    anna = page.account("Anna")
    phone = added(page, anna)
    said: list[dict[str, Any]] = [
        {"origin": "https://localhost.evil.example:8443"}, {"origin": "https://evil.example"},
        {"origin": "http://localhost:8443"}, {"origin": "https://localhost:8444"}, {"origin": "null"},
        {"crossOrigin": True}, {"topOrigin": "https://evil.example"}, {"type": "webauthn.create"},
    ]  # fmt: skip
    for lie in said:
        assert refused_now(page, phone, **lie), lie
    phone.host = "evil.example"
    assert refused_now(page, phone)
    phone.host = "localhost"
    for flags in (FLAG.UP, FLAG.UV, FLAG(0)):
        phone.flags = flags
        assert refused_now(page, phone)
    phone.flags = FLAG.UP | FLAG.UV
    for origin in ("https://192.168.1.7:8443", "https://evil.example", "http://evil.example", "https://localhost:8444"):
        answer = phone.sign(asked(page), origin=origin)
        assert page.refusal("passkey-sign-in", origin=origin, **answer).kind is Refusal.INVALID
        page.time.wait(3600)
    page.ask("passkey-sign-in", origin=ORIGIN, **phone.sign(asked(page)))
    saw(f"{len(said) + 8} lies: each was refused; the truth signed in")


def refused_now(page: Page, phone: Phone, **said: Any) -> bool:
    """Whether what the phone says now is refused; the limits forget it."""
    found = at_once(page, phone.sign(asked(page), **said))
    page.time.wait(3600)
    return found


@attack(
    "a passkey of another account",
    how="a member's passkey to confirm for an owner, with the owner's name in it, under the identifier of the owner's; "
    "one of another key, and one that was removed",
)
def test_a_passkey_is_its_account_s_and_nobody_elses(page: Page, saw: Saw) -> None:
    anna, ben = page.account("Anna"), page.account("Ben", Role.MEMBER, OTHER)
    annas, bens = added(page, anna), added(page, ben)
    page.time.wait(3600)

    def confirms(phone: Phone, **parts: str) -> bool:
        options = page.ask("passkey-confirm-begin", anna, origin=ORIGIN)["options"]
        found = not at_once(page, {**phone.sign(options), **parts}, "passkey-confirm", anna)
        page.time.wait(7200)
        return found

    assert not confirms(bens)
    assert not confirms(bens, user_handle=annas.user)
    assert not confirms(bens, credential=text_of(annas.identifier))
    assert page.refusal("invite", anna, name="Eve", role="owner").kind is Refusal.CONFIRM
    liar = Phone(identifier=annas.identifier, user=annas.user, counter=9)
    assert refused_now(page, liar)
    assert at_once(page, {**bens.sign(asked(page)), "user_handle": annas.user})
    page.time.wait(7200)
    (passkey,) = page.sign_in.passkeys.of(page.store.page.accounts.find("Ben") or pytest.fail("no Ben"))
    page.store.page.passkeys.remove(passkey.identifier)
    assert refused_now(page, bens)
    assert page.ask("passkey-sign-in", origin=ORIGIN, **annas.sign(asked(page)))["account"] == "Anna"
    saw("each was refused; the owner's own signed in")


@attack(
    "a copied passkey, whose counter goes back", how="after the passkey signed 5 times: with the same count, and less"
)
def test_a_passkey_that_counts_never_goes_back(page: Page, saw: Saw) -> None:
    phone = added(page, page.account("Anna"))
    for _ in range(5):
        page.ask("passkey-sign-in", origin=ORIGIN, **phone.sign(asked(page)))
    for counter in (phone.counter - 1, phone.counter - 3, -1):
        copy = Phone(identifier=phone.identifier, key=phone.key, user=phone.user, counter=counter)
        assert refused_now(page, copy), counter
    page.ask("passkey-sign-in", origin=ORIGIN, **phone.sign(asked(page)))
    assert "sign-in-refused" in page.actions()
    saw("refused each time, and recorded; the passkey itself goes on")


EDITS = {
    "given to the owner": "UPDATE passkeys SET account = (SELECT uid FROM accounts WHERE name = 'Anna')",
    "the owner's with another key": "UPDATE passkeys SET credential = (SELECT credential FROM passkeys WHERE account = "
    "(SELECT uid FROM accounts WHERE name = 'Ben')) WHERE account = (SELECT uid FROM accounts WHERE name = 'Anna')",
    "another's row under one's own identifier": "UPDATE passkeys SET (account, identifier, seal) = "
    "(SELECT account, identifier, seal FROM passkeys WHERE account = (SELECT uid FROM accounts WHERE name = 'Anna'))"
    " WHERE account = "
    "(SELECT uid FROM accounts WHERE name = 'Ben')",
    "the counter set back": "UPDATE passkeys SET signed = 0",
    "another host": "UPDATE passkeys SET host = 'evil.example'",
    "a counter that is none": "UPDATE passkeys SET signed = 'many'",
    "a credential that is none": "UPDATE passkeys SET credential = x'00'",
}


@attack("passkeys edited in the database", how="each by SQL: given to another account, another key, a counter set back")
def test_whoever_edits_passkeys_signs_in_nobody(page: Page, saw: Saw) -> None:
    annas, bens = added(page, page.account("Anna")), added(page, page.account("Ben", Role.MEMBER, OTHER))
    database = page.store.state_dir / "facesecure.db"
    with closing(sqlite3.connect(database)) as connection:
        saved = connection.execute("SELECT * FROM passkeys").fetchall()
    for name, statement in EDITS.items():
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(statement)
        page.begin()
        for phone in (annas, bens):
            try:
                answer = page.ask("passkey-sign-in", origin=ORIGIN, **phone.sign(asked(page)))
            except Refused:
                continue
            finally:
                page.time.wait(7200)
            assert answer["account"] == ("Anna" if phone is annas else "Ben"), name
            assert name not in ("the counter set back", "another host"), name
            assert (name, phone) != ("given to the owner", bens)
        assert any("passkeys are refused" in one for one in page.store.page.accounts.problems()), name
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("DELETE FROM passkeys")
            connection.executemany(f"INSERT INTO passkeys VALUES ({', '.join('?' * 10)})", saved)
    page.begin()
    assert page.store.page.accounts.problems() == []
    annas.counter = bens.counter = 100
    assert page.ask("passkey-sign-in", origin=ORIGIN, **bens.sign(asked(page)))["account"] == "Ben"
    saw(f"{len(EDITS)} edits: each row counts as absent, and doctor says so")
