"""The stream of changes: topics alone, for whoever is signed in, until the session or the server ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facesecure.app.changes import Topic
from facesecure.domain.accounts import Role
from facesecure.web.screens.events import numbers_of, text_of
from support.page.served import Served, served_house
from support.page_socket import token_of

SECONDS = 30.0
AT_ONCE = 15.0
"""Seconds that a busy machine may take; what is not told, or does not end, would be waited for longer."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path) as served:
        yield served


@contextmanager
def listening(house: Served, since: str = "", role: Role | None = Role.KIOSK) -> Iterator[Callable[[str], str]]:
    """A browser that listens; yields a function that reads until it has heard a text."""
    with socket.create_connection(("127.0.0.1", house.port), SECONDS) as connection:
        cookie = f"Cookie: facesecure={token_of(role)}\r\n" if role else ""
        path = f"/events?since={since}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n".encode())
        heard = bytearray()

        def until(text: str) -> str:
            while text.encode() not in heard:
                chunk = connection.recv(65536)
                assert chunk, heard.decode()
                heard.extend(chunk)
            return heard.decode()

        yield until


def numbers(house: Served) -> dict[str, int]:
    assert house.parts is not None
    return house.parts.changes.numbers()


def test_a_change_is_told_by_its_topic_at_once(house: Served) -> None:
    assert house.parts is not None
    with listening(house) as until:
        until(": here")
        begun = time.monotonic()
        house.parts.changes.bump(Topic.MODE)
        said = until("data: mode\n\n")
        assert time.monotonic() - begun < AT_ONCE
        assert f"id: {text_of(numbers(house))}\n" in said


def test_what_changed_since_the_page_was_made_is_told_at_once(house: Served) -> None:
    assert house.parts is not None
    since = text_of(numbers(house))
    house.parts.changes.bump(Topic.VISITS, Topic.VISITORS)
    with listening(house, since) as until:
        until("data: visits visitors\n\n")


def test_nobody_hears_anything_who_is_not_signed_in(house: Served) -> None:
    with listening(house, role=None) as until:
        assert " 303 " in until("\r\n\r\n")
    with listening(house, text_of(numbers(house)), None) as until:
        said = until("event: ended\n")
        assert "changed" not in said


def test_streams_end_with_the_server(tmp_path: Path) -> None:
    with (
        served_house(tmp_path) as house,
        socket.create_connection(("127.0.0.1", house.port), SECONDS) as connection,
    ):
        cookie = f"Cookie: facesecure={token_of(Role.OWNER)}"
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n\r\n".encode())
        connection.recv(65536)
        begun = time.monotonic()
        house.server.should_exit = True
        while connection.recv(65536):
            pass
        assert time.monotonic() - begun < AT_ONCE


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("visits:5,mode:12", {"visits": 5, "mode": 12}),
        ("", {}),
        ("visits:-1,mode:x,:3,a:" + "9" * 17, {}),
        (",".join(f"{'a' * (1 + n % 20)}:{n}" for n in range(1000)), {"a" * (1 + n): n for n in range(20)}),
    ],
)
def test_only_numbers_of_topics_are_taken_from_an_address(text: str, numbers: dict[str, int]) -> None:
    assert numbers_of(text) == numbers
