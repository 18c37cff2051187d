"""Somebody writes to the database whatever SQLite takes: each value that does not fit hides nothing but itself."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.domain import Alert
from facesecure.domain.accounts import Role
from facesecure.domain.deliveries import PlannedDelivery
from facesecure.domain.errors import FacesecureError
from facesecure.recognition.visitor_matching import VisitEmbedding
from facesecure.services import accounts, live_tokens
from facesecure.services.passwords import Passwords
from facesecure.services.sign_in import Browser, SignIn
from facesecure.storage.shared_visitors import Arrival, VisitorPart
from facesecure.storage.store import Store
from support.builders import NOON
from support.faults.table import attack
from support.page_accounts import QuickHasher
from support.store import enrolled_face, known, sighting
from support.visitors import CHOOSE, faces, looks, visit

MODEL = faces(1)[0].model_sha256
VALUES = {
    "text": "99999-13-45",
    "bytes": b"\xff\xfe\x00",
    "a huge number": 2**62,
    "infinity": 9e999,
    "JSON nested 20,000 deep": 20_000 * "[",
    "JSON of another form": '{"text": 5, "sighting": {"verdict": 7}}',
}
TABLES = (
    *("people", "faces", "templates", "sightings", "seen_faces", "visitors", "marked_faces", "alerts", "deliveries"),
    *("accounts", "sessions", "invitations", "live_tokens", "attempts", "visitors_elsewhere"),
)
PASSWORD, HERE = "a long way to go", Browser("192.168.1.7")
READINGS: dict[str, Callable[[Store], object]] = {
    "people": lambda store: [store.faces_of(person.name) for person in store.people()],
    "templates": lambda store: store.templates(),
    "sightings": lambda store: store.sightings(),
    "marks": lambda store: store.marked_strangers(MODEL),
    "visitors": lambda store: [store.visitors.faces(one.identifier) for one in store.visitors.all()],
    "what other doors are told": lambda store: store.shared_visitors.own(MODEL, 9, 9),
    "marks for other doors": lambda store: store.shared_visitors.marks.own(9, 9),
    "what other doors said": lambda store: (store.shared_visitors.gone(), store.shared_visitors.to_name()),
    "a merger": lambda store: store.visitors.merge(1, 2),
    "news of other doors": lambda store: store.shared_visitors.take([elsewhere("0"), elsewhere("1")], CHOOSE),
    "alerts to send": lambda store: store.outbox.pending(),
    "history": lambda store: store.outbox.history(),
    "counts": lambda store: store.outbox.counts(NOON),
    "a new sighting": lambda store: store.record(sighting("new", known("Anna"))),
    "a new visit": lambda store: visit(store, "again", 2),
    "a rename": lambda store: store.rename_person("Anna", "Zoe"),
    "a removal": lambda store: store.remove_person("Zoe"),
    "what others edited": lambda store: store.page.accounts.problems(),
    "sessions": lambda store: store.page.sessions.all(),
    "a new link": lambda store: accounts.invite(store, "Clara", Role.VIEWER),
    "tokens": lambda store: store.page.live_tokens.all(),
    "a sign-in": lambda store: sign_in(store).by_password("Ben", PASSWORD, HERE),
    "another sign-in": lambda store: sign_in(store).by_password("Anna", PASSWORD, HERE),
    "another role": lambda store: accounts.change_role(store, "Ben", Role.VIEWER),
    "an account's end": lambda store: accounts.remove(store, "Ben"),
}

KEPT: dict[str, Callable[[Store], bool]] = {
    "Anna among the people": lambda store: "Anna" in [person.name for person in store.people()],
    "Anna's faces": lambda store: len(store.faces_of("Anna")) == 2,
    "the first sighting": lambda store: "known-1" in [one.identifier for one in store.sightings()],
    "the first visitor": lambda store: 1 in [one.identifier for one in store.visitors.all()],
    "the first alert to send": lambda store: "alert-1" in [one.alert.identifier for one in store.outbox.pending()],
    "the first account": lambda store: "Anna" in [one.name for one in store.page.accounts.all()],
    "the first session": lambda store: "Anna" in [one.account for one in store.page.sessions.all()],
    "the first token": lambda store: "one" in [one.name for one in store.page.live_tokens.all()],
    "the first alert of the history": lambda store: (
        "alert-1" in [one.alert.identifier for one in store.outbox.history()]
    ),
}
"""What the older rows say, which no value in the newest row of a table may hide."""


def sign_in(store: Store) -> SignIn:
    return SignIn(store, 30, Passwords(QuickHasher()))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with two rows of everything."""
    state = tmp_path_factory.mktemp("filled") / "state"
    with Store.open(state) as store:
        store.add_person("Anna", [enrolled_face(1), enrolled_face(2)])
        store.add_person("Tom", [enrolled_face(3)])
        assert (visit(store, "one", 1), visit(store, "two", 2)) == (1, 2)
        store.corrections.not_known("two", None, CHOOSE)
        store.shared_visitors.take([elsewhere("0"), elsewhere("1")], CHOOSE)
        for number in (1, 2):
            store.record(sighting(f"known-{number}", known("Anna")))
            alert = replace(Alert.about(sighting("known-1", known("Anna")), "Anna is at the door"))
            planned = [PlannedDelivery("log", NOON + timedelta(days=9999))]
            store.outbox.write(replace(alert, identifier=f"alert-{number}"), planned)
        for name, token in (("Anna", "one"), ("Ben", "two")):
            sign_in(store).accept(accounts.invite(store, name, Role.OWNER).code, PASSWORD, HERE)
            live_tokens.make(store, token, [], name, [])
    return state


def elsewhere(begin: str) -> Arrival:
    """What another door has seen of the visitor whose number is made of this digit."""
    look = VisitEmbedding.of(looks(1 + int(begin))[None], [0.9])
    return Arrival("d" * 32, "gate", begin, MODEL, (VisitorPart(32 * begin, NOON, NOON, 3, (look,)),))


def columns(state: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(state / "facesecure.db")) as connection:
        return [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]


def plant(state: Path, table: str, column: str, value: object) -> bool:
    """Write ``value`` into the newest row; return whether SQLite takes it."""
    change = f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT max(rowid) FROM {table})"
    with closing(sqlite3.connect(state / "facesecure.db")) as connection, suppress(sqlite3.Error), connection:
        connection.execute(change, (value,))
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
@attack(
    "values of another kind in the database",
    how="text, bytes, a number of 2^62, infinity, JSON of another form or nested 20,000 deep in each column of each "
    "table",
)
def test_a_value_that_does_not_fit_hides_no_other_row(
    filled: Path, tmp_path: Path, table: str, saw: Callable[[str], None]
) -> None:
    tried = 0
    for column in columns(filled, table):
        for what, value in VALUES.items():
            state = tmp_path / "state"
            shutil.rmtree(state, ignore_errors=True)
            shutil.copytree(filled, state)
            if not plant(state, table, column, value):
                continue
            tried += 1
            with Store.open(state) as store:
                hidden = [name for name, is_there in KEPT.items() if not is_there(store)]
                assert hidden == [], f"{what} in {table}.{column}"
                for read in READINGS.values():
                    with suppress(FacesecureError):  # in one sentence; every other error fails the test
                        read(store)
    saw(f"{table}: {tried} of {tried} read as none; the other rows are read, changed and removed")


def test_the_alert_beside_a_damaged_one_is_sent(filled: Path, tmp_path: Path) -> None:
    for table, column in (("alerts", "document"), ("alerts", "created_at"), ("deliveries", "state")):
        for value in VALUES.values():
            shutil.rmtree(tmp_path / "state", ignore_errors=True)
            shutil.copytree(filled, tmp_path / "state")
            plant(tmp_path / "state", table, column, value)
            with Store.open(tmp_path / "state") as store:
                assert "alert-1" in {one.alert.identifier for one in store.outbox.pending()}
