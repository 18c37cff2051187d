"""On whose behalf something is done."""

from __future__ import annotations

import os
import pwd
from concurrent.futures import ThreadPoolExecutor

import pytest

from facesecure.domain.actors import (
    COMMAND_LINE,
    CONTROL_SOCKET,
    DAEMON,
    LONGEST_ACTOR,
    Actor,
    act_as,
    acting,
    command_line_actor,
    current_actor,
    user_name,
)  # fmt: skip

ANNA = Actor("anna", CONTROL_SOCKET)


def test_at_the_command_line_it_is_who_started_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert current_actor() == Actor(pwd.getpwuid(os.getuid()).pw_name, COMMAND_LINE)


def test_a_block_has_its_own_actor_and_other_threads_have_not() -> None:
    outside = current_actor()
    with acting(ANNA):
        with acting(DAEMON):
            assert current_actor() == DAEMON
        assert current_actor() == ANNA
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(current_actor).result() == outside
    assert current_actor() == outside


def test_what_root_knew_is_kept_for_the_process() -> None:
    act_as(ANNA)
    try:
        assert current_actor() == ANNA
    finally:
        act_as(None)
    assert current_actor() == command_line_actor()


def test_who_called_sudo_is_believed_of_root_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "anna\n\x1b[2J" + "x" * 200)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    named = command_line_actor().name
    assert named.startswith("anna ")
    assert len(named) <= LONGEST_ACTOR
    assert "\x1b" not in named
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command_line_actor().name == user_name(os.getuid())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "anna")
    assert command_line_actor() == Actor("anna (as root)", COMMAND_LINE)


def test_a_user_without_a_name_is_a_number() -> None:
    assert user_name(4_000_000) == "user 4000000"
