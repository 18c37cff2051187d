"""How the web process asks the daemon, and what it does with one that is away, slow, busy or strange."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import Field

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import ANSWER_BODY_LIMIT, ANSWER_LINE_LIMIT, Refusal
from facesecure.app.web_api.server import WebServer
from facesecure.app.web_api.verb import Answer, Arguments, Nothing, Refused, Verb
from facesecure.domain.accounts import Role
from facesecure.web import daemon as pauses
from facesecure.web.daemon import Client, Daemon, DaemonAway, DaemonRefused, Request
from support.page_socket import SignedIn, page_parts, token_of


class Words(Arguments):
    words: str = Field("", max_length=20)


def limited(call):
    raise Refused(Refusal.LIMITED, "too many tries", "wait", argument="name", seconds=2.5)


SLOWER = 4
"""How many times as long a crowd naps and pauses: what a busy machine adds to that counts for less."""
VERBS = (
    Verb(
        "echo", Role.VIEWER, Words, lambda call: Answer({"said": call.arguments.words}, call.body), most_body=9_000_000
    ),
    Verb("client", None, Nothing, lambda call: Answer({"client": [call.client.address, call.client.agent]})),
    Verb("limited", None, Nothing, limited),
    Verb("slow", None, Nothing, lambda call: time.sleep(0.6) or Answer()),
    Verb("nap", None, Nothing, lambda call: time.sleep(0.05 * SLOWER) or Answer()),
    Verb("film", None, Nothing, lambda call: Answer({"type": "video/mp4"}, bytes(20_000_000))),
)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "web.sock"


@pytest.fixture
def daemon(path, tmp_path):
    with page_parts(tmp_path / "state") as parts, WebServer(Guard(all_verbs(VERBS), parts, SignedIn()), path):
        yield Daemon([tmp_path / "nowhere.sock", path])


def ask(daemon, *arguments, **named):
    return asyncio.run(daemon.call(*arguments, **named))


def test_it_gets_an_answer_with_bytes(daemon):
    answer = ask(daemon, "echo", {"words": "Zoé"}, token=token_of(Role.VIEWER), body=b"\n\x00" * 4_000_000)
    assert answer.result == {"said": "Zoé"}
    assert answer.body == b"\n\x00" * 4_000_000


def test_it_says_which_browser_asks(daemon):
    client = Client("192.168.1.7", "Firefox")
    assert ask(daemon, "client", client=client).result == {"client": ["192.168.1.7", "Firefox"]}


def test_a_refusal_says_why_and_what_to_do(daemon):
    with pytest.raises(DaemonRefused, match="too many tries") as caught:
        ask(daemon, "limited")
    refused = caught.value
    assert (refused.kind, refused.hint, refused.field, refused.seconds) == (Refusal.LIMITED, "wait", "name", 2.5)


def test_who_sends_bytes_in_vain_still_learns_why(daemon):
    for token in (None, token_of(Role.KIOSK)):
        with pytest.raises(DaemonRefused) as caught:
            ask(daemon, "echo", token=token, body=bytes(9_000_000))
        assert caught.value.kind in (Refusal.SIGNED_OUT, Refusal.FORBIDDEN)


def test_many_are_asked_at_once(daemon):
    async def all_at_once():
        calls = [daemon.call("client", client=Client(str(number))) for number in range(60)]
        return [answer.result["client"][0] for answer in await asyncio.gather(*calls)]

    assert asyncio.run(all_at_once()) == [str(number) for number in range(60)]


def test_who_comes_in_a_crowd_is_answered_a_little_later(daemon, monkeypatch):
    monkeypatch.setattr(pauses, "_PAUSES", [SLOWER * seconds for seconds in pauses._PAUSES])

    async def all_at_once():
        return await asyncio.gather(*[daemon.call("nap") for _ in range(120)], return_exceptions=True)

    assert [type(answer).__name__ for answer in asyncio.run(all_at_once())] == ["Answer"] * 120


def test_a_daemon_that_stays_busy_is_asked_four_times(path, monkeypatch):
    monkeypatch.setattr("facesecure.web.daemon._PAUSES", (0.01, 0.01, 0.01))
    busy = line(ok=False, kind="busy", error="too much", hint=None, field=None, seconds=1.0)
    with answering(path, busy) as asked, pytest.raises(DaemonRefused, match="too much"):
        ask(Daemon([path]), "hello")
    assert len(asked) == 4
    path.unlink()
    with answering(path, line(ok=False, kind="busy", error="locked")) as asked, pytest.raises(DaemonRefused):
        ask(Daemon([path]), "hello")
    assert len(asked) == 1


def test_a_film_is_read_a_piece_at_a_time(daemon):
    async def pieces():
        async with daemon.stream(Request("film", {})) as film:
            return film.size, film.result, [len(chunk) async for chunk in film.chunks()]

    size, result, lengths = asyncio.run(pieces())
    assert (size, result) == (20_000_000, {"type": "video/mp4"})
    assert sum(lengths) == size
    assert max(lengths) <= 65536


def test_a_film_that_nobody_reads_to_its_end_holds_up_nobody(daemon):
    async def first_piece():
        async with daemon.stream(Request("film", {})) as film:
            async for _ in film.chunks():
                break

    asyncio.run(first_piece())
    assert ask(daemon, "client")


def test_a_daemon_that_is_not_there_is_away(tmp_path):
    with pytest.raises(DaemonAway, match="not running") as caught:
        ask(Daemon([tmp_path / "web.sock"]), "hello")
    assert "systemctl start" in caught.value.hint


def test_a_daemon_that_was_killed_is_away(path):
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    with pytest.raises(DaemonAway, match="not running"):
        ask(Daemon([path]), "hello")


def test_an_answer_that_takes_too_long_is_not_waited_for(daemon):
    with pytest.raises(DaemonAway, match="in time"):
        ask(daemon, "slow", seconds=0.2)
    assert ask(daemon, "slow").result == {}


def test_a_daemon_that_takes_nothing_is_not_waited_for(path, monkeypatch):
    monkeypatch.setattr("facesecure.web.daemon._CONNECT_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as deaf, socket.socket(socket.AF_UNIX) as before:
        deaf.bind(str(path))
        deaf.listen(0)
        before.connect(str(path))
        with pytest.raises(DaemonAway, match="any more requests"):
            ask(Daemon([path]), "hello")


@contextmanager
def answering(path: Path, answer: bytes):
    """A daemon that answers every request with those bytes."""

    def work():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                try:
                    connection.sendall(answer)
                except OSError:
                    continue

    asked = list[bytes]()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def line(**document) -> bytes:
    return json.dumps({"version": 1, "ok": True, "result": {}, "body": 0} | document).encode() + b"\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed the connection"),
        (b"half a li", "closed the connection"),
        (b"\n", "cannot be understood"),
        (b"[]\n", "cannot be understood"),
        (b"\xff\xff\n", "cannot be understood"),
        (b"[" * 100_000 + b"\n", "cannot be understood"),
        (b"x" * (ANSWER_LINE_LIMIT + 100_000), "cannot be understood"),
        (line(version=2), "cannot be understood"),
        (line(result=[]), "cannot be understood"),
        (line(body=-1), "cannot be understood"),
        (line(body="1"), "cannot be understood"),
        (line(body=True), "cannot be understood"),
        (line(body=ANSWER_BODY_LIMIT + 1), "cannot be understood"),
        (line(body=10) + b"123456789", "closed the connection"),
    ],
)
def test_an_answer_that_is_none_is_not_believed(path, answer, said):
    with answering(path, answer), pytest.raises(DaemonAway, match=said):
        ask(Daemon([path]), "hello")


def test_a_refusal_of_an_unknown_kind_is_a_failure(path):
    strange = line(ok=False, kind="tired", error=7, hint=[], field={}, seconds="soon")
    with answering(path, strange), pytest.raises(DaemonRefused, match="7") as caught:
        ask(Daemon([path]), "hello")
    refused = caught.value
    assert (refused.kind, refused.hint, refused.field, refused.seconds) == (Refusal.FAILED, None, None, None)


def test_bytes_beyond_the_answer_are_not_taken(path):
    with answering(path, line(body=3) + b"abcdef"):
        assert ask(Daemon([path]), "hello").body == b"abc"


def test_it_loads_nothing_that_is_heavy():
    code = "import sys, facesecure.web.daemon, facesecure.app.web_api.places; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "cv2", "sqlalchemy", "pydantic", "facesecure.storage", "facesecure.services", "av"}
    assert not heavy & set(loaded)
