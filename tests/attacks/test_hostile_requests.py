"""Requests on the control socket that are no requests, and names in the pages of training that would be code."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

from facesecure.app.control.protocol import REQUEST_LIMIT
from facesecure.app.control.server import ControlServer
from facesecure.util.plain_text import is_plain
from facesecure_training.evaluation.pages.page import Page, write
from support.faults.table import attack

REQUESTS = (
    b"[" * 60_000,
    b"x" * (REQUEST_LIMIT + 1),
    b'{"version":' + b"9" * 5_000 + b"}",
    b'{"version": NaN}',
    b"\xff\xfe",
    b"",
    b'{"version": 1, "command": "\\ud800\\u001b[2J"}',
    b'{"version": 1, "command": {"a": []}}',
    b'{"version": 1, "command": "' + b"a" * 60_000 + b'"}',
    b'{"version": 1, "command": "ping", "state": "\\udcff"}',
)


@attack(
    "requests on the control socket",
    how="JSON nested 60,000 deep, a line that is too long, numbers of 5,000 digits, NaN, no text, half characters, "
    "commands that are objects or 60,000 letters",
)
def test_every_request_is_answered_in_one_plain_line(tmp_path: Path, saw: Callable[[str], None]) -> None:
    path = tmp_path / "control.sock"
    with ControlServer({"ping": lambda _: {}}, path, state_dir=tmp_path):
        for request in REQUESTS:
            answer = json.loads(ask(path, request))
            assert not answer["ok"], request[:50]
            assert is_plain(answer["error"]), request[:50]
        assert json.loads(ask(path, b'{"version": 1, "command": "ping"}'))["ok"]
    saw(f"{len(REQUESTS)} of {len(REQUESTS)} refused in one line, and the next command is answered")


def ask(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        connection.sendall(request + b"\n")
        answer = bytearray()
        while chunk := connection.recv(65536):
            answer += chunk
        return bytes(answer)


@attack(
    "names in the pages of training",
    how="people whose folders are called <script>, with quotes, direction marks, escape sequences and bytes of no text",
)
def test_a_page_of_training_runs_no_name(tmp_path: Path, saw: Callable[[str], None]) -> None:
    name = "<script>alert(1)</script>\"'\u202egpj\x1b[2J\udcff"
    page = Page(name, name, name, [(name, name, name)], [(name, [name], [[name]])])
    text = write(tmp_path, "page", page, {}).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert all(is_plain(line) for line in text.splitlines())
    saw("shown as text")
