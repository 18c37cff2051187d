"""The page's socket over real connections: what is answered, what is refused and how, and what nobody can break."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import Field

from facesecure.app.changes import ChangeFeed, Topic
from facesecure.app.web_api import server as server_module
from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import ANSWER_LINE_LIMIT, BODY_LIMIT, LINE_LIMIT, Refusal
from facesecure.app.web_api.server import WebServer
from facesecure.app.web_api.verb import Answer, Arguments, Nothing, Refused, Verb
from facesecure.domain.accounts import Role
from facesecure.domain.actors import current_actor
from facesecure.domain.errors import BusyError, StoreError
from facesecure.util.plain_text import is_plain
from support.page_socket import SECONDS, SignedIn, call, exchange, page_parts, request_line, token_of

KIOSK, VIEWER, MEMBER, OWNER = (token_of(role) for role in Role)


FIRST = 1
"""The number of every topic when a test begins: who waits for another misses no change, however late it begins to."""
HURRY = 0.5
"""Seconds that a request may take where a test is about that. Elsewhere, a machine that pauses fails none."""


class Words(Arguments):
    words: str = Field(max_length=20)
    times: tuple[int, ...] = ()
    role: Role | None = None


def echo(call):
    return Answer({"said": call.arguments.words, "times": call.arguments.times}, call.body)


def fail(error):
    def answer(call):
        raise error

    return answer


def wait(call):
    return Answer({"changes": call.parts.changes.wait({"mode": FIRST}, 20, call.gone)})


def slow(call):
    time.sleep(0.4)
    return Answer()


VERBS = (
    Verb(
        "open", None, Nothing, lambda call: Answer({"actor": current_actor().name, "role": call.signed_in is not None})
    ),
    Verb("echo", Role.VIEWER, Words, echo, most_body=1_000_000),
    Verb("who", Role.KIOSK, Nothing, lambda call: Answer({"who": [current_actor().name, current_actor().origin]})),
    Verb("disarm", Role.MEMBER, Nothing, lambda call: Answer(), confirmed=True, changes=(Topic.MODE,)),
    Verb("client", None, Nothing, lambda call: Answer({"client": [call.client.address, call.client.agent]})),
    Verb("stumble", Role.KIOSK, Nothing, fail(RuntimeError("the key is abc"))),
    Verb("full", Role.KIOSK, Nothing, fail(StoreError("the disk is full", "make room"))),
    Verb("full-for-all", None, Nothing, fail(StoreError("the disk of /home/anna is full", "make room"))),
    Verb("locked", Role.KIOSK, Nothing, fail(BusyError("another writes"))),
    Verb("limited", None, Nothing, fail(Refused(Refusal.LIMITED, "too many tries", argument="name", seconds=30.0))),
    Verb("shapeless", None, Nothing, lambda call: Answer({"a set": {1}})),
    Verb("not-a-number", None, Nothing, lambda call: Answer({"x": float("nan")})),
    Verb("endless", None, Nothing, lambda call: Answer({"x": "x" * ANSWER_LINE_LIMIT})),
    Verb("wait", Role.KIOSK, Nothing, wait, waits=True),
    Verb("slow", None, Nothing, slow),
    Verb("film", None, Nothing, lambda call: Answer({}, bytes(3_000_000))),
)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "web.sock"


@pytest.fixture
def parts(tmp_path):
    with page_parts(tmp_path / "state") as parts:
        yield replace(parts, changes=ChangeFeed(first=FIRST))


@pytest.fixture(autouse=True)
def listening(path, parts):
    with WebServer(Guard(all_verbs(VERBS), parts, SignedIn()), path, timeout=SECONDS) as server:
        yield server
        parts.changes.close()


def test_a_request_is_answered_with_its_bytes(path):
    reply = call(path, "echo", {"words": "Zoé", "times": [1, 2]}, b"\xff\n\x00" * 1000, token=VIEWER)
    assert reply.result == {"said": "Zoé", "times": [1, 2]}
    assert reply.body == b"\xff\n\x00" * 1000
    assert reply.document["body"] == 3000


def test_who_is_signed_in_acts(path):
    assert call(path, "who", token=MEMBER).result == {"who": ["member", "page"]}
    assert call(path, "open").result == {"actor": "nobody", "role": False}
    assert call(path, "open", token=KIOSK).result == {"actor": "kiosk", "role": True}


@pytest.mark.parametrize("token", [None, "", "short", "x" * 5000, "token-of-nobody-here", 7, ["a"], {"a": 1}, True])
def test_without_a_session_nothing_is_answered_that_needs_one(path, token):
    assert call(path, "who", token=token).kind == Refusal.SIGNED_OUT
    assert call(path, "open", token=token).result["role"] is False


def test_a_role_may_do_what_the_roles_before_it_may(path):
    words = {"words": "hello"}
    assert call(path, "echo", words, token=KIOSK).kind == Refusal.FORBIDDEN
    assert [call(path, "echo", words, token=token).kind for token in (VIEWER, MEMBER, OWNER)] == [None] * 3


def test_a_password_given_an_hour_ago_is_asked_for_again(path, parts):
    before = parts.changes.numbers()
    assert call(path, "disarm", token=token_of(Role.OWNER, confirmed=False)).kind == Refusal.CONFIRM
    assert parts.changes.numbers() == before
    assert call(path, "disarm", token=OWNER).kind is None
    after = parts.changes.numbers()
    assert [topic for topic in after if after[topic] != before[topic]] == ["mode"]


def test_a_kiosk_learns_that_it_may_not_before_it_is_asked_for_a_password(path):
    assert call(path, "disarm", token=token_of(Role.KIOSK, confirmed=False)).kind == Refusal.FORBIDDEN


@pytest.mark.parametrize(
    ("arguments", "field", "said"),
    [
        ({}, "words", "is missing"),
        ({"words": "x" * 21}, "words", "at most 20 characters"),
        ({"words": 7}, "words", "must be"),
        ({"words": "a", "more": 1}, "more", "no such"),
        ({"words": "a", "times": ["x"]}, "times[1]", "a whole number"),
        ({"words": "a", "times": {"a": 1}}, "times", "a list"),
        ({"words": "a", "role": "emperor"}, "role", "must be"),
        ({"words": "\ud800"}, None, ""),
    ],
)
def test_a_wrong_argument_is_named(path, arguments, field, said):
    refused = call(path, "echo", arguments, token=VIEWER).document
    assert (refused["kind"], refused["field"]) == ("invalid", field)
    assert said in refused["error"]


def test_the_name_of_an_unknown_argument_is_told_in_plain_text(path):
    refused = call(path, "echo", {"words": "a", "\t\x1b[2J" + "x" * 5000: 1}, token=VIEWER).document
    assert is_plain(refused["error"])
    assert is_plain(refused["field"])
    assert len(refused["field"]) <= 80


def test_arguments_of_json_have_the_types_of_python(path):
    assert call(path, "echo", {"words": "a", "role": "owner"}, token=VIEWER).kind is None


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"\n", "invalid", "not JSON"),
        (b"[1]\n", "invalid", "not a JSON object"),
        (b"\xff\xfe\n", "invalid", "not JSON"),
        (b"[" * 60_000 + b"\n", "invalid", "not JSON"),
        (b'{"version": 1, "verb": "open", "body": NaN}\n', "invalid", "not JSON"),
        (b'{"verb": "open"}\n', "failed", "different versions"),
        (b'{"version": 2, "verb": "open"}\n', "failed", "different versions"),
        (b'{"version": true}\n', "invalid", "a verb"),
        (b'{"version": 1}\n', "invalid", "a verb"),
        (b'{"version": 1, "verb": ["open"]}\n', "invalid", "a verb"),
        (b'{"version": 1, "verb": "open", "arguments": []}\n', "invalid", "a verb"),
        (b'{"version": 1, "verb": "nothing"}\n', "failed", "does not know"),
        (b'{"version": 1, "verb": "open", "body": -1}\n', "invalid", "that many bytes"),
        (b'{"version": 1, "verb": "open", "body": true}\n', "invalid", "that many bytes"),
        (b'{"version": 1, "verb": "open", "body": 1.0}\n', "invalid", "that many bytes"),
        (b'{"version": 1, "verb": "open", "body": 99999999999}\n', "invalid", "that many bytes"),
        (b'{"version": 1, "verb": "open", "body": 1}\nx', "invalid", "at most 0 bytes"),
        (b"x" * (LINE_LIMIT + 2), "invalid", "longer than"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_words(path, content, kind, said):
    refused = exchange(path, content).document
    assert (refused["ok"], refused["kind"]) == (False, kind)
    assert said in refused["error"]
    assert call(path, "open").kind is None


def test_a_line_without_an_end_is_not_waited_for_long(path, listening):
    listening._calls._timeout = HURRY
    refused = exchange(path, b"half a li").document
    assert (refused["ok"], refused["kind"]) == (False, "invalid")
    assert "no complete line arrived" in refused["error"]
    listening._calls._timeout = SECONDS
    assert call(path, "open").kind is None


def test_bytes_are_read_only_from_who_may_send_them(path):
    began = time.monotonic()
    line = request_line("echo", {"words": "a"}, body=1_000_000, token=KIOSK)
    assert exchange(path, line, bytes(1_000_000)).kind == Refusal.FORBIDDEN
    assert exchange(path, request_line("echo", {}, body=1_000_001, token=VIEWER), b"x").document["field"] == "body"
    assert exchange(path, request_line("echo", {}, body=BODY_LIMIT + 1, token=VIEWER), b"").kind == Refusal.INVALID
    assert time.monotonic() - began < SECONDS


def test_bytes_that_do_not_come_are_not_waited_for_long(path, monkeypatch):
    line = request_line("echo", {"words": "a"}, body=100, token=VIEWER)
    assert "ended before" in exchange(path, line, b"x" * 99, end=True).document["error"]
    monkeypatch.setattr(server_module, "_BODY_TIMES", HURRY / SECONDS)
    assert f"not complete within {HURRY:g} s" in exchange(path, line, b"x" * 99).document["error"]


def test_a_peer_that_trickles_is_not_waited_for_longer(path, listening):
    listening._calls._timeout = HURRY
    for start in (b"", request_line("echo", {"words": "a"}, body=1_000_000, token=VIEWER)):
        began = time.monotonic()
        with begun(path, start) as peer, pytest.raises((BrokenPipeError, ConnectionResetError)):
            trickle(peer)
        assert time.monotonic() - began < SECONDS


def test_bytes_beyond_those_announced_are_not_read(path):
    line = request_line("echo", {"words": "a"}, body=3, token=VIEWER)
    assert exchange(path, line + b"abcdef").body == b"abc"


def test_what_goes_wrong_is_said_to_who_is_signed_in(path, caplog):
    refused = call(path, "full", token=KIOSK).document
    assert (refused["kind"], refused["error"], refused["hint"]) == ("failed", "the disk is full", "make room")
    assert call(path, "locked", token=KIOSK).kind == Refusal.BUSY
    refused = call(path, "full-for-all").document
    assert "anna" not in json.dumps(refused)
    assert "/home/anna" in caplog.text


@pytest.mark.parametrize("verb", ["stumble", "shapeless", "not-a-number"])
def test_a_mistake_of_ours_is_logged_and_not_told(path, verb, caplog):
    refused = call(path, verb, token=KIOSK).document
    assert refused["kind"] == Refusal.FAILED
    assert "abc" not in json.dumps(refused)
    assert "please report it" in caplog.text
    assert call(path, "open").kind is None


def test_an_answer_that_is_too_large_is_refused(path, caplog):
    assert call(path, "endless").kind == Refusal.FAILED
    assert "too large" in caplog.text


def test_large_answers_that_nobody_reads_fill_no_memory(path):
    idle = [begun(path, request_line("film")) for _ in range(4)]
    for peer in idle:
        peer.recv(1)
    assert call(path, "film").kind == Refusal.BUSY
    assert call(path, "open").kind is None
    idle[0].close()
    until(lambda: call(path, "film").kind is None)
    for peer in idle:
        peer.close()


def test_a_limit_says_for_how_long(path):
    refused = call(path, "limited").document
    assert (refused["kind"], refused["field"], refused["seconds"]) == ("limited", "name", 30.0)


def test_what_is_told_of_the_browser_is_plain_and_short(path):
    told = {"address": "192.168.1.2\n\x1b[2J" + "x" * 500, "agent": "y" * 5000}
    address, agent = call(path, "client", client=told).result["client"]
    assert not {"\n", "\x1b"} & set(address)
    assert (len(address) <= 64, len(agent) <= 300) == (True, True)
    assert call(path, "client", client=["a"]).result["client"] == ["", ""]


def test_calls_that_wait_keep_no_other_from_being_answered(path, parts, listening, monkeypatch):
    monkeypatch.setattr(server_module, "MOST_WAITING", 80)
    monkeypatch.setattr(server_module, "MOST_WAITING_EACH", 80)
    peers = [begun(path, request_line("wait", token=KIOSK)) for _ in range(80)]
    try:
        until(lambda: listening.waiting == 80)
        assert call(path, "open").kind is None
        assert call(path, "wait", token=KIOSK).kind == Refusal.BUSY
        parts.changes.bump(Topic.MODE)
        assert all(json.loads(peer.makefile("rb").readline())["ok"] for peer in peers)
    finally:
        for peer in peers:
            peer.close()


def test_one_browser_does_not_wait_in_place_of_others(path, parts, listening):
    most = server_module.MOST_WAITING_EACH
    peers = [begun(path, request_line("wait", token=KIOSK)) for _ in range(most)]
    try:
        until(lambda: listening.waiting == most)
        assert call(path, "wait", token=KIOSK).kind == Refusal.BUSY
        with begun(path, request_line("wait", token=VIEWER)) as other:
            until(lambda: listening.waiting == most + 1)
            parts.changes.bump(Topic.MODE)
            assert json.loads(other.makefile("rb").readline())["ok"]
        until(lambda: threading_count("page-peer") == 0)
        assert call(path, "open").kind is None
    finally:
        for peer in peers:
            peer.close()


def test_for_a_browser_that_went_away_nothing_is_waited_for(path):
    peers = [begun(path, request_line("wait", token=KIOSK)) for _ in range(10)]
    until(lambda: threading_count("page-peer") == 10)
    for peer in peers:
        peer.close()
    until(lambda: threading_count("page-peer") == 0)


def test_beyond_the_limit_a_call_is_told_so(path, listening):
    listening._calls._timeout = 5.0  # all of them are there at one time, on a slow machine too
    silent = [begun(path, b"") for _ in range(server_module.MOST_CALLS)]
    try:
        until(lambda: threading_count("page-peer") == server_module.MOST_CALLS)
        assert call(path, "open").kind == Refusal.BUSY
        until(lambda: call(path, "open").kind is None)
    finally:
        for peer in silent:
            peer.close()


def test_where_no_thread_can_be_started_the_peer_is_told_so_and_the_next_is_served(path, monkeypatch, caplog):
    start = threading.Thread.start

    def refuse(thread):
        if thread.name == "page-peer":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert call(path, "open").kind == Refusal.BUSY
    assert "can't start new thread" in caplog.text
    assert call(path, "open").kind is None


def test_who_waits_is_released_when_the_daemon_stops(path, parts):
    peer = begun(path, request_line("wait", token=KIOSK))
    until(lambda: threading_count("page-peer") == 1)
    parts.changes.close()
    assert json.loads(peer.makefile("rb").readline())["ok"]
    peer.close()


def begun(path: Path, content: bytes) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(SECONDS)
    connection.connect(str(path))
    connection.sendall(content)
    return connection


def trickle(connection: socket.socket) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        connection.sendall(b"x")
        time.sleep(0.0002)


def threading_count(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def until(come):
    deadline = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_browser_that_stays_is_waited_for_beyond_the_time_of_a_line(path, parts, listening):
    listening._calls._timeout = HURRY
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(call, path, "wait", token=KIOSK)
        until(lambda: listening.waiting == 1)
        with pytest.raises(TimeoutError):
            reply.result(3 * HURRY)
        parts.changes.bump(Topic.MODE)
        assert reply.result(SECONDS).result["changes"]["mode"] > FIRST
