"""The page's socket under attack: a web process taken over, foreign users, crowds, and requests that are none."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import LINE_LIMIT, Refusal
from facesecure.app.web_api.server import MOST_CALLS, MOST_WAITING, MOST_WAITING_EACH, WebServer
from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from facesecure.services import audit
from facesecure.util.plain_text import is_plain
from support.faults.table import attack
from support.page_attacked import VERBS, VISIT, AttackedHouse, attacked_house
from support.page_socket import call, exchange, page_parts, request_line
from support.service.control import NOBODY, call_as, open_folder

OPEN = [name for name, verb in VERBS.items() if verb.least is None]
ABOVE_VIEWER = [name for name, verb in VERBS.items() if verb.least in (Role.MEMBER, Role.OWNER)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AttackedHouse]:
    with attacked_house(tmp_path) as house:
        yield house


@attack(
    "the web process taken over",
    how="every verb asked without a session, with 2,000 guessed tokens, and with the token of a viewer who is signed "
    "in: disarm, export, read settings, name, remove, make accounts",
)
def test_a_web_process_taken_over_gets_what_the_signed_in_may(house: AttackedHouse, saw: Callable[[str], None]) -> None:
    viewer = house.token("Victor", Role.VIEWER)
    before, guarded = house.state(), [name for name in VERBS if name not in OPEN]
    for name in guarded:
        assert house.ask(name).kind == Refusal.SIGNED_OUT, name
    for _ in range(2000):
        assert call(house.path, "now", token=secrets.token_urlsafe(32)).kind == Refusal.SIGNED_OUT
    for name in ABOVE_VIEWER:
        assert house.ask(name, viewer).kind == Refusal.FORBIDDEN, name
    assert call(house.path, "arm", {"mode": "off"}, token=viewer).kind == Refusal.INVALID
    assert house.state() == before
    record = {entry.action for entry in audit.verify(house.parts.state_dir).entries}
    assert record == {"account-invited", "account-created", "signed-in"}
    saw(
        f"{len(guarded)} of {len(VERBS)} verbs answer nobody who is not signed in, no guess is right, and the viewer "
        f"gets none of {len(ABOVE_VIEWER)} verbs of others; mode, people, visits and accounts are as before"
    )


@attack(
    "what the page answers about faces",
    how="an owner who has just given the password asks every verb, and the answers are searched for embeddings, keys "
    "and hashes of passwords",
)
def test_no_answer_holds_what_recognises_or_decrypts(house: AttackedHouse, saw: Callable[[str], None]) -> None:
    owner, store = house.token("Olga", Role.OWNER), house.parts.store
    forbidden = _secrets(house)
    answered = []
    for name in sorted(VERBS, key=_last_what_signs_out):
        reply = house.ask(name, owner)
        text = json.dumps(reply.document)
        assert not any(secret in reply.body or secret.decode("latin-1") in text for secret in forbidden), name
        assert list(_suspicious(reply.document)) == [], name
        answered += [name] if reply.kind is None else []
    assert {"now", "people", "timeline", "visit", "accounts", "audit", "hello"} <= set(answered)
    assert store.people()
    saw(f"{len(answered)} of {len(VERBS)} verbs answer in full; none holds an embedding, a key or a hash")


def _last_what_signs_out(name: str) -> tuple[bool, bool, bool]:
    ends = name in ("sign-out", "sign-in", "change-password", "accept-invitation")
    return ends, "remove" in name or "forget" in name, bool(VERBS[name].changes)


def _secrets(house: AttackedHouse) -> list[bytes]:
    """The key, the embeddings and the password's hash, in the forms in which they might leave."""
    store = house.parts.store
    raw = [(house.parts.state_dir / "key").read_bytes().strip()]
    raw += [np.asarray(one.embedding, np.float32).tobytes() for one in store.faces_of("Anna")]
    raw += [np.asarray(one.seen.embedding, np.float32).tobytes() for one in store.faces_seen(VISIT)]
    parts = [one[:24] for one in raw]
    forms = [form(one) for one in parts for form in (bytes, lambda one: one.hex().encode(), base64.b64encode)]
    return [*forms, b"$argon2", b"s3cretword", *(one.edition.encode() for one in store.page.accounts.all())]


def _suspicious(value: Any) -> Iterator[str]:
    """What in a document is named like a secret, or is a long list of fractions, as an embedding is."""
    if isinstance(value, Mapping):
        yield from (key for key in value if re.search("embedding|template|sha256|hash|edition|seal|private", str(key)))
        for part in value.values():
            yield from _suspicious(part)
    if isinstance(value, list):
        if sum(isinstance(one, float) for one in value) > 16:
            yield f"{len(value)} numbers"
        for part in value:
            yield from _suspicious(part)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can call as somebody else")
@attack(
    "another user of the machine asks the page's socket",
    how="as nobody, without and with the rights to open it, and in another group",
)
def test_another_user_is_refused_by_the_kernels_word(saw: Callable[[str], None], tmp_path: Path) -> None:
    with open_folder() as folder, page_parts(tmp_path / "state") as parts:
        path = folder / "web.sock"
        assert parts.sign_in is not None
        with WebServer(Guard(VERBS, parts, parts.sign_in.sessions), path):
            assert path.stat().st_mode & 0o777 == 0o660
            assert call_as(path, NOBODY) == {"os": "PermissionError"}
            path.chmod(0o666)
            for groups in ((), (60,)):
                refused = call_as(path, NOBODY, groups)
                assert (refused["ok"], refused["kind"]) == (False, Refusal.FAILED)
                assert "may not" in refused["error"]
            assert call(path, "hello").kind is None
    saw("refused by the socket's mode, and where that is wrong, by the daemon")


@attack(
    "two hundred connections to the page's socket at once",
    how="half say nothing, half send a line byte by byte; then 72 that wait for changes",
)
def test_a_crowd_keeps_nobody_from_disarming(house: AttackedHouse, saw: Callable[[str], None]) -> None:
    member = house.token("Mia", Role.MEMBER)
    with ExitStack() as stack:
        silent = [_begun(house.path, b"{" if number % 2 else b"", stack) for number in range(200)]
        threading.Thread(target=_trickle, args=(silent[1::2],), daemon=True).start()
        took = _until_answered(lambda: call(house.path, "disarm", token=member))
        assert house.parts.policy.mode is Mode.OFF
    with ExitStack() as stack:
        others = [house.token(f"Viewer {number}", Role.VIEWER) for number in range(MOST_WAITING // MOST_WAITING_EACH)]
        since = {"since": house.parts.changes.numbers()}
        lines = [request_line("changes", since, token=other) for other in others * MOST_WAITING_EACH]
        waiting = [_begun(house.path, line, stack) for line in lines]
        _until(lambda: sum(thread.name == "page-peer" for thread in threading.enumerate()) >= MOST_WAITING)
        began = time.monotonic()
        assert call(house.path, "arm", {"mode": "home"}, token=member).kind is None
        assert call(house.path, "disarm", token=member).kind is None
        assert time.monotonic() - began < 10, "it waited for those that wait 25 s"
        assert house.parts.policy.mode is Mode.OFF
        assert all(json.loads(peer.makefile("rb").readline())["ok"] for peer in waiting)
    saw(
        f"beyond {MOST_CALLS} each is told to try again; who disarms is answered after {took:.0f} s, and at once "
        f"beside {MOST_WAITING} that wait"
    )


def _begun(path: Path, content: bytes, stack: ExitStack) -> socket.socket:
    connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    connection.connect(str(path))  # without a time limit it waits for its turn
    connection.settimeout(20)
    with suppress(OSError):  # refused already
        connection.sendall(content)
    return connection


def _trickle(connections: list[socket.socket]) -> None:
    for _ in range(50):
        for connection in connections:
            try:
                connection.sendall(b" ")
            except OSError:
                continue
        time.sleep(0.1)


def _until_answered(ask: Callable[[], Any], seconds: float = 30.0) -> float:
    """The seconds until ``ask`` is answered otherwise than that too much is going on."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with suppress(BlockingIOError):  # so many wait for their turn that no more may
            if (kind := ask().kind) != Refusal.BUSY:
                assert kind is None
                return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError("never answered")


def _until(come: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.02)


REQUESTS = (
    b"[" * 60_000,
    b"x" * (LINE_LIMIT + 1),
    b'{"version":' + b"9" * 5_000 + b"}",
    b'{"version": 1, "verb": "hello", "body": 1e999}',
    b'{"version": 1, "verb": "hello", "arguments": {"a": ' + b'{"a":' * 900 + b"1" + b"}" * 901 + b"}",
    b"\xff\xfe",
    b"",
    b'{"version": 1, "verb": "\\ud800\\u001b[2J"}',
    b'{"version": 1, "verb": "../hello"}',
    b'{"version": 1, "verb": "__class__"}',
    b'{"version": 1, "verb": {"a": []}}',
    b'{"version": 1, "verb": "' + b"a" * 60_000 + b'"}',
    b'{"version": 1, "verb": "visit", "token": "\\u0000"}',
    b'{"version": 1, "verb": "visit", "token": "' + b"a" * 60_000 + b'"}',
    b'{"version": 1, "verb": "changes", "body": 16777216}',
    b'{"version": 1, "verb": "hello", "body": 16777217}',
    b'{"version": 1, "verb": "hello", "body": -1}',
    b'{"version": 1, "verb": "hello", "verb": "settings-state"}',
)


@attack(
    "requests on the page's socket",
    how="JSON nested 60,000 deep, a line that is too long, numbers of 5,000 digits, no text, half characters, names of "
    "Python, tokens of 60,000 letters, bytes that are announced and never come",
)
def test_every_request_is_refused_in_one_plain_line(house: AttackedHouse, saw: Callable[[str], None]) -> None:
    for request in REQUESTS:
        reply = exchange(house.path, request + b"\n", end=True)
        assert reply.kind is not None, request[:50]
        assert is_plain(reply.document["error"]), request[:50]
        assert reply.body == b""
    assert call(house.path, "hello").kind is None
    saw(f"{len(REQUESTS)} of {len(REQUESTS)} refused in one line, and the next is answered")
