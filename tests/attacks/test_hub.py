"""Whoever administers, steals or imitates the hub learns nothing and adds nobody."""

from __future__ import annotations

import secrets
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from facesecure.cli import hub_doors
from facesecure.config import FacesecureConfig
from facesecure.domain.errors import HubError, HubRefusedError, UsageError
from facesecure.hub.certify import wrapped_keys
from facesecure.hub.check import check
from facesecure.hub.codes import JoinCode
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import DoorKeys
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.overview import listed, overview
from facesecure.hub.restoring import EVERY, Restoring
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import JoinRequest, Person, PersonKey, Record, RecordKind, Right
from facesecure.hub.sealing import PERSON, DataKey, Place, person_key_place, seal, wrap
from facesecure.hub.signing import sign_document, sign_wrapped
from facesecure.hub.store.doors import Doors
from facesecure.hub.sync.household import Household
from facesecure.hub.tables import HEAD
from facesecure.hub.trust import TrustedDoors
from facesecure.services.diagnostics.result import CheckContext
from support.estate import Estate
from support.faults.table import attack
from support.hub_estate import CONFIG, RealHub
from support.policy import FakeClock
from support.postgres.server import Server, made_server, needs_postgres
from support.tls import Authority

pytestmark = pytest.mark.slow
Saw = Callable[[str], None]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with made_server() as running:
        yield running


@pytest.fixture(scope="module")
def hub(server: Server, tmp_path_factory: pytest.TempPathFactory) -> RealHub:
    """A hub of two doors: front, the manager, and garage."""
    made = RealHub(server, tmp_path_factory.mktemp("hub"))
    made.add("garage")
    return made


@pytest.fixture
def garage(hub: RealHub) -> Path:
    return hub.folder / "garage"


@attack(
    "hub: its administrator reads everything",
    how="pg_dumpall of a hub with a person and a mode, searched for names, templates, keys and passwords",
)
def test_a_dump_of_the_database_shows_no_name_of_a_person_no_template_and_no_mode(
    hub: RealHub, garage: Path, saw: Saw
) -> None:
    identity, template = hub.identity(garage), secrets.token_bytes(512)
    key = DataKey.made()
    with hub.opened(garage) as store:
        (row,) = store.household_keys.mine()
        household_key, household = TrustedDoors(identity).household_key(row), identity.own().household
        person, mode = secrets.token_hex(16), Place(identity.estate, RecordKind.MODE, household)
        place = Place(identity.estate, PERSON, person)
        document = seal(key, b"Pippi Langstrumpf" + template, place)
        signature = sign_document(identity.keys, place, household, identity.door, document)
        wrapped = wrap(key, identity.keys.box_key, person_key_place(identity.estate, person, identity.door))
        proof = sign_wrapped(
            identity.keys, person_key_place(identity.estate, person, identity.door), identity.door, wrapped
        )
        store.people.put(
            Person(person, household, identity.door, 1, document, signature),
            [PersonKey(person, identity.door, wrapped, identity.door, proof)],
            0,
        )
        sealed = seal(household_key, b"away since breakfast", mode)
        signature = sign_document(identity.keys, mode, household, identity.door, sealed)
        store.records.put(Record(RecordKind.MODE, household, household, identity.door, 1, sealed, signature), 0)
        shared = store.people.get(person)
    assert shared is not None
    assert TrustedDoors(identity, {"": identity.certificate}).person_key(shared.key) == key
    dump = _dump(hub)
    assert identity.door.encode() in dump
    assert document.hex().encode() in dump
    hidden = [b"Pippi", b"Langstrumpf", b"breakfast", b"Kunterbunt", template, key.secret, household_key.secret]
    hidden += [identity.password.encode(), *identity.keys.secrets]
    manager = hub.identity(hub.manager)
    assert manager.authority is not None
    hidden += [manager.password.encode(), manager.authority.secret, *manager.keys.secrets]
    for secret in hidden:
        for form in (secret, secret.hex().encode(), secret[:24], secret[:24].hex().encode()):
            assert form not in dump
    saw(
        f"none of {len(hidden)} secrets is in the {len(dump)} bytes, in any form; doors' names and sealed documents are"
    )


def _dump(hub: RealHub) -> bytes:
    program, server = needs_postgres() / "pg_dumpall", hub.server
    command = [str(program), "--host", str(server.folder), "--port", str(server.port), "--username", "administrator"]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout


@attack("hub: its administrator adds a door", how="a row with keys and a certificate of their own making")
def test_a_door_that_the_administrator_adds_is_neither_listed_nor_given_keys(
    hub: RealHub, garage: Path, saw: Saw
) -> None:
    forged, household = Estate(), hub.identity(garage).own().household
    intruder = forged.door("intruder")
    row = forged.rows[0]
    hub.administer(
        "INSERT INTO doors (identifier, name, household, role, box_key, sign_key, rights, certificate, joined_at)"
        f" VALUES ('{intruder.door}', 'intruder', '{household}', '{role_of(intruder.door)}',"
        f" '\\x{row.box_key.hex()}', '\\x{row.sign_key.hex()}', 'arm,enrol,view', '\\x{row.certificate.hex()}', now())"
    )
    try:
        found = listed(CONFIG, garage)
        assert [door.name for door in found.doors] == ["front", "garage"]
        assert any(intruder.door in problem for problem in found.problems)
        with hub.managing() as manager:
            assert [door.name for door in manager.doors()] == ["front", "garage"]
    finally:
        hub.administer(f"DELETE FROM doors WHERE identifier = '{intruder.door}'")
    saw("it is not listed and gets no keys; every door names it as a problem")


@attack("hub: its administrator exchanges a door's keys", how="other public keys and another name in the row of a door")
def test_keys_and_rights_that_the_administrator_changes_count_for_nothing(hub: RealHub, garage: Path, saw: Saw) -> None:
    door, genuine = hub.identity(garage).door, hub.identity(garage).keys
    mine = DoorKeys.made()
    hub.administer(
        f"UPDATE doors SET box_key = '\\x{mine.box_key.hex()}', sign_key = '\\x{mine.sign_key.hex()}',"
        f" name = 'x' WHERE identifier = '{door}'"
    )
    try:
        with hub.managing() as manager:
            found = next(one for one in manager.doors() if one.door == door)
        assert (found.name, found.box_key, found.sign_key) == ("garage", genuine.box_key, genuine.sign_key)
    finally:
        hub.administer(
            f"UPDATE doors SET box_key = '\\x{genuine.box_key.hex()}', sign_key = '\\x{genuine.sign_key.hex()}',"
            f" name = 'garage' WHERE identifier = '{door}'"
        )
    saw("the certificate counts: nothing is wrapped for the keys in the row")


@attack("hub: a removed door is put back", how="its row as it was before, with its old certificate")
def test_a_removed_door_cannot_sign_in_and_its_old_certificate_does_not_help(
    hub: RealHub, garage: Path, saw: Saw
) -> None:
    shed = hub.add("shed")
    identity = hub.identity(shed)
    trusted = TrustedDoors(hub.identity(garage))
    with hub.opened(garage) as store:
        trusted.learn(store.doors.all())
    with hub.managing() as manager:
        manager.remove(next(door for door in manager.doors() if door.name == "shed"))
    with pytest.raises(HubError), hub.opened(shed):
        pass
    with hub.opened(garage) as store:
        assert trusted.learn(store.doors.all()) == []
        versions = [
            TrustedDoors(hub.identity(garage)).household_key(row).version for row in store.household_keys.mine()
        ]
    assert versions == [2, 1]
    hub.administer(
        f"UPDATE doors SET removed_at = NULL, certificate = '\\x{identity.certificate.hex()}'"
        f" WHERE identifier = '{identity.door}'"
    )
    with hub.opened(garage) as store:
        assert "older certificate" in trusted.learn(store.doors.all())[0]
    with pytest.raises(NotGenuineError, match="removed"):
        trusted.door(identity.door)
    saw("who has seen the removal refuses it; its household has another key")


def test_a_removal_that_was_interrupted_is_named_and_repeated(hub: RealHub) -> None:
    barn = hub.identity(hub.add("barn"))
    with hub.managing() as manager:
        barn_door = next(door for door in manager.doors() if door.name == "barn")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Doors, "remove", refusing)
            with pytest.raises(HubRefusedError):
                manager.remove(barn_door)
        assert "barn" not in [door.name for door in manager.doors()]
        assert "hub doors remove 'barn'" in " ".join(listed(CONFIG, hub.manager).problems)
        config = FacesecureConfig.model_validate({"hub": {"database": barn.url}})
        found = [one for one in check(CheckContext(config, None, hub.manager)) if "hub doors remove" in one.message]
        assert [one.remedy for one in found] == ["do so on the manager"], "nobody interferes"
        with pytest.raises(UsageError, match="no door"):
            hub_doors._door(manager, "barn")
        manager.remove(hub_doors._door(manager, "barn", half_removed=True))
        with pytest.raises(UsageError, match="no door"):
            hub_doors._door(manager, "barn", half_removed=True)
    assert hub.server.administer(f"SELECT 1 FROM pg_roles WHERE rolname = '{barn.role}'") == []


def refusing(*_: object) -> None:
    raise HubRefusedError("not now", "again")


def test_a_version_of_the_key_that_a_door_has_already_is_not_taken_for_the_new_one(hub: RealHub, garage: Path) -> None:
    household, cabin = hub.identity(garage).own().household, hub.add("cabin")
    where = f"FROM facesecure.household_keys WHERE household = '{household}'"
    ((newest,),) = hub.server.administer(f"SELECT max(version) {where}", hub.database)
    with hub.managing() as manager:
        present = manager.doors()  # two commands remove a door each, at once: the first gives the others this version
        keys = wrapped_keys(manager._authority, manager._identity, present, [newest + 1])
        manager._store.household_keys.put(keys)
        manager.remove(next(door for door in present if door.door == hub.identity(cabin).door))
    with hub.opened(garage) as store:
        assert store.household_keys.mine()[0].version == newest + 2
    assert hub.server.administer(f"SELECT 1 {where} AND door = '{hub.identity(cabin).door}'", hub.database) == []


def test_a_key_that_is_not_genuine_keeps_no_door_from_joining(hub: RealHub) -> None:
    code, manager = hub.invite("mill"), hub.identity(hub.manager)
    hub.administer(
        "INSERT INTO household_keys (household, version, door, wrapped, author, signature) VALUES"
        f" ('{manager.own().household}', 1000, '{code.invitation}', 'x', '{manager.door}', '\\x{'00' * 64}')"
    )
    with hub.answering():
        assert hub.join("mill", code).name == "mill"


def test_a_request_of_the_administrators_own_is_refused_and_the_door_still_joins(hub: RealHub) -> None:
    code, keys = hub.invite("attic"), DoorKeys.made()
    hub.administer(
        "INSERT INTO join_requests (invitation, box_key, sign_key, mac, at) VALUES"
        f" ('{code.invitation}', '\\x{keys.box_key.hex()}', '\\x{keys.sign_key.hex()}', '\\x{'00' * 32}', now())"
    )
    with hub.managing() as manager:
        assert manager.answer() == []
    with hub.answering() as joined:
        assert hub.join("attic", code).name == "attic"
    assert [one.name for one in joined] == ["attic"]


def test_what_the_manager_promised_counts_and_not_what_the_database_says(hub: RealHub) -> None:
    code = hub.invite("cellar", rights=frozenset({Right.VIEW}))
    hub.administer(
        f"UPDATE invitations SET rights = 'arm,enrol,view', name = 'palace' WHERE identifier = '{code.invitation}'"
    )
    with hub.answering():
        certificate = hub.join("cellar", code)
    assert certificate.rights == {Right.VIEW}
    assert certificate.name == "cellar"


@attack(
    "hub: a forged answer to a request to join",
    how="a certificate of another authority in the row of the door that waits",
)
def test_a_certificate_of_the_administrators_own_making_is_not_accepted(hub: RealHub, saw: Saw) -> None:
    code, forged = hub.invite("balcony"), Estate()
    row = forged.door("balcony").own()
    household = hub.identity(hub.manager).own().household
    hub.administer(
        "INSERT INTO doors (identifier, name, household, role, box_key, sign_key, rights, certificate, joined_at)"
        f" VALUES ('{code.invitation}', 'balcony', '{household}', '{role_of(code.invitation)}',"
        f" '\\x{row.box_key.hex()}', '\\x{row.sign_key.hex()}', 'view',"
        f" '\\x{forged.rows[0].certificate.hex()}', now())"
    )
    try:
        with pytest.raises(HubError):
            hub.join("balcony", code)
        assert not hub.identity(hub.folder / "balcony").certificate
    finally:
        hub.administer(f"DELETE FROM doors WHERE identifier = '{code.invitation}'")
    saw("the door does not join")


def test_an_authority_that_the_invitation_did_not_name_is_not_trusted(hub: RealHub) -> None:
    code = hub.invite("veranda")
    with pytest.raises(HubError, match="not the one of the invitation"):
        hub.join("veranda", replace(code, estate="0" * 32))
    assert not (hub.folder / "veranda" / "hub" / "identity.secret").exists()


@attack("hub: a code is used twice", how="the code of a door that has joined, on another machine")
def test_a_used_code_is_worth_nothing(hub: RealHub, saw: Saw) -> None:
    code = hub.invite("stable")
    with hub.answering():
        hub.join("stable", code)
        with pytest.raises(HubError):
            hub.join("thief", code, seconds=0)
    with hub.opened(hub.folder / "stable") as store:
        assert store.doors.own() is not None
    saw("the second is refused; the first goes on")


@attack("hub: two machines have one code", how="both join at the same time")
def test_of_two_machines_with_one_code_one_joins(hub: RealHub, saw: Saw) -> None:
    code = hub.invite("terrace")
    outcomes: dict[str, object] = {}

    def try_to_join(name: str) -> None:
        try:
            outcomes[name] = hub.join(name, code, seconds=20)
        except HubError as error:
            outcomes[name] = error

    threads = [threading.Thread(target=try_to_join, args=(f"terrace {number}",)) for number in range(2)]
    with hub.answering() as joined:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [one.name for one in joined] == ["terrace"]
    assert sum(isinstance(outcome, HubError) for outcome in outcomes.values()) == 1
    saw("one joins; the other is told why not")


@attack("hub: codes are guessed", how="100 sign-ins with random codes, half of them for a door that is invited")
def test_guesses_let_nobody_in(hub: RealHub, saw: Saw) -> None:
    code = hub.invite("loft")
    for _ in range(50):
        guess = JoinCode(secrets.token_bytes(16), code.estate, code.url, code.ca)
        for role, password in ((role_of(guess.invitation), guess.password), (role_of(code.invitation), guess.password)):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(
                    host="127.0.0.1", port=hub.server.port, dbname=hub.database, user=role, password=password,
                    sslmode="verify-full", sslrootcert=str(hub.server.authority.root),
                )  # fmt: skip
    saw("none gets in; a code has 128 random bits")


def test_an_invited_door_reads_and_writes_nothing_but_its_request(hub: RealHub) -> None:
    code = hub.invite("porch")
    with psycopg.connect(
        host="127.0.0.1", port=hub.server.port, dbname=hub.database, user=role_of(code.invitation),
        password=code.password, sslmode="verify-full", sslrootcert=str(hub.server.authority.root), autocommit=True,
    ) as connection:  # fmt: skip
        for table in ("people", "person_keys", "household_keys", "records", "sightings", "join_requests", "removals"):
            try:
                rows = connection.execute(f"SELECT * FROM facesecure.{table}".encode()).fetchall()
            except psycopg.errors.InsufficientPrivilege:
                continue
            assert rows == []
        statements = (
            "INSERT INTO facesecure.doors SELECT * FROM facesecure.doors LIMIT 1",
            "UPDATE facesecure.estate SET authority = '\\x00'",
            "CREATE ROLE mine",
            "SELECT facesecure.remove_door('" + hub.identity(hub.manager).door + "')",
        )
        for statement in statements:
            with pytest.raises(psycopg.Error):
                connection.execute(statement.encode())


@attack("hub: somebody imitates it", how="TLS with the certificate of another authority for the right name")
def test_a_hub_with_the_certificate_of_another_authority_is_not_told_the_password(
    hub: RealHub, tmp_path: Path, saw: Saw
) -> None:
    context = Authority(tmp_path).context()
    with _imitation(context) as (port, heard):
        code = JoinCode.made("e" * 32, f"postgresql+psycopg://127.0.0.1:{port}/facesecure", hub.ca)
        with pytest.raises(HubRefusedError, match="certificate"):
            hub.join("caught", code, seconds=0)
    assert b"".join(heard) == b""
    saw("the door says so and sends nothing")


def test_a_hub_without_tls_is_told_nothing(hub: RealHub) -> None:
    with _imitation(None) as (port, heard):
        code = JoinCode.made("e" * 32, f"postgresql+psycopg://127.0.0.1:{port}/facesecure", hub.ca)
        with pytest.raises(HubRefusedError, match="TLS"):
            hub.join("plain", code, seconds=0)
    assert b"".join(heard) == b""


class _imitation:
    """A server that answers the request for TLS, and notes what the client says after it."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context, self._heard = context, list[bytes]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> tuple[int, list[bytes]]:
        self._thread.start()
        return self._listener.getsockname()[1], self._heard

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        try:
            assert len(connection.recv(8)) == 8  # SSLRequest
            if self._context is None:
                connection.sendall(b"N")
                self._heard.append(connection.recv(4096))
                return
            connection.sendall(b"S")
            with self._context.wrap_socket(connection, server_side=True) as encrypted:
                self._heard.append(encrypted.recv(4096))
        except OSError:
            pass  # the door hung up, as it should


def test_a_request_with_another_code_does_not_use_an_invitation_up(hub: RealHub) -> None:
    code = hub.invite("tower")
    wrong = JoinRequest(code.invitation, bytes(32), bytes(32), bytes(32))
    with hub.managing() as manager:
        hub.administer(
            "INSERT INTO join_requests (invitation, box_key, sign_key, mac, at) VALUES"
            f" ('{wrong.invitation}', '\\x{'00' * 32}', '\\x{'00' * 32}', '\\x{'00' * 32}', now())"
        )
        assert manager.answer() == []
        assert not [one for one in manager.doors() if one.name == "tower"]


@attack(
    "hub: its administrator puts an older database back for a door that was removed",
    how="the removed door's row, certificate and role as they were, and no newer key of the household",
)
def test_an_older_database_brings_back_neither_the_older_key_nor_a_removed_door(
    hub: RealHub, garage: Path, saw: Saw
) -> None:
    summer_house = hub.add("summer house")
    identity, role = hub.identity(summer_house), role_of(hub.identity(summer_house).door)
    ((verifier,),) = hub.server.administer(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'")
    with hub.managing() as manager:
        manager.remove(next(door for door in manager.doors() if door.name == "summer house"))
    household = Household(garage, KnownDoors(garage))
    with hub.opened(garage) as store:
        household.refresh(store)
    newest = household.documents.newest
    hub.administer(
        f"DELETE FROM household_keys WHERE version = {newest}; UPDATE doors SET removed_at = NULL, certificate ="
        f" '\\x{identity.certificate.hex()}' WHERE identifier = '{identity.door}';"
        f" SELECT make_role('{role}', '{verifier}', 'infinity')"
    )
    with hub.opened(summer_house) as store:
        assert store.doors.own() is not None, "it signs in again"
    with hub.managing() as manager:
        assert "summer house" not in {door.name for door in manager.doors()}, "and gets no key of the next version"
    household = Household(garage, KnownDoors(garage))  # a restart
    with hub.opened(garage) as store:
        household.refresh(store)
        with pytest.raises(NotGenuineError, match=f"had version {newest} "):
            household.documents.status(b"with a key that the removed door has")
    assert [one for one in overview(CONFIG, garage).problems if f"had version {newest} " in one]
    own = hub.identity(garage).door
    with hub.opened(garage) as store:
        newest_row = store.doors.own()
    assert newest_row is not None
    hub.administer(f"DELETE FROM wakings WHERE door = '{own}'; DELETE FROM doors WHERE identifier = '{own}'")
    clock = FakeClock()
    restoring = Restoring(hub.manager, KnownDoors(hub.manager), clock.steady)
    restoring._known.trusted.learn([newest_row])
    with hub.opened(hub.manager) as store:
        for _ in range(2):
            restoring.restore(store)
            clock.pass_time(EVERY)
    with pytest.raises(HubError), hub.opened(summer_house):
        pass
    with hub.opened(garage) as store:
        household.refresh(store)
        assert household.documents.newest == newest
        assert household.documents.status(b"sealed again")
    assert not [one for one in overview(CONFIG, garage).problems if "had version" in one]
    keys = f"SELECT count(*) FROM facesecure.household_keys WHERE door = '{identity.door}'"
    assert hub.server.administer(keys, hub.database) == [(0,)]
    saw("nothing is sealed with the older key; the manager writes the newer one again, and shuts the door out again")


@pytest.mark.parametrize(("revision", "said"), [("9999", "newer"), ("0000", "older")])
def test_a_hub_of_another_version_is_left_alone(hub: RealHub, garage: Path, revision: str, said: str) -> None:
    hub.administer(f"UPDATE alembic_version SET version_num = '{revision}'")
    try:
        with pytest.raises(HubError, match=said):
            listed(CONFIG, garage)
    finally:
        hub.administer(f"UPDATE alembic_version SET version_num = '{HEAD}'")
