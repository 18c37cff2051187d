"""A page that is open follows a running daemon: it waits, and is told what has changed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import assembled
from facesecure.app.changes import ChangeFeed
from facesecure.app.web_api.places import own_place
from facesecure.app.web_api.protocol import Refusal
from facesecure.domain.accounts import Role
from facesecure.domain.actors import Actor
from facesecure.domain.mode import Mode
from facesecure.services import accounts, audit
from facesecure.storage.store import Store
from facesecure.web.daemon import Daemon, DaemonAway, DaemonRefused
from support.faults.household import PATIENCE, wait_until
from support.service.journey import config_for

PASSWORD = "four words of mine"


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, int]]:
    """What each page waits for, from when the daemon has begun to wait."""
    all_begun, wait = list[Mapping[str, int]](), ChangeFeed.wait

    def noted(feed: ChangeFeed, since: Mapping[str, int], *rest: Any) -> dict[str, int]:
        if since:
            all_begun.append(since)
        return wait(feed, since, *rest)

    monkeypatch.setattr(ChangeFeed, "wait", noted)
    return all_begun


def ask(state: Path, verb: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
    return asyncio.run(Daemon([own_place(state)]).call(verb, arguments, token=token)).result


def sign_in(state: Path, name: str = "Anna", role: Role = Role.OWNER) -> str:
    """Make an account by a link, as the command line does beside a running daemon; return its session's token."""
    with Store.open(state) as store:
        code = accounts.invite(store, name, role).code
    return str(ask(state, "accept-invitation", code=code, password=PASSWORD)["token"])


Waiting = tuple[threading.Thread, list[str]]
"""A thread that waits for a change, and what it will have been told."""


def waiting(state: Path, token: str, topic: str, begun: list[Mapping[str, int]]) -> Waiting:
    """Begin to wait for a change of ``topic``; return once the daemon waits."""
    since, changed = ask(state, "changes", token, since={})["changes"], list[str]()

    def wait() -> None:
        while (changes := ask(state, "changes", token, since={topic: since[topic]})["changes"])[topic] == since[topic]:
            continue  # on a machine that is busy, a visit takes longer than one wait
        changed.extend(name for name in changes if changes[name] != since[name])

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: {topic: since[topic]} in begun, "page that waits")
    return thread, changed


def told(page: Waiting) -> list[str]:
    """What has changed, once the page was told."""
    thread, changed = page
    thread.join(120)
    return changed


def test_a_page_is_told_of_visits_deliveries_and_the_mode(
    door_clip: Path, tmp_path: Path, begun: list[Mapping[str, int]]
) -> None:
    with assembled(config_for(door_clip), tmp_path, {"recording": RecordingPlugin()}) as daemon:
        assert ask(tmp_path, "hello")["accounts"] is False
        token = sign_in(tmp_path)
        assert ask(tmp_path, "hello")["accounts"] is True
        visits, deliveries = waiting(tmp_path, token, "visits", begun), waiting(tmp_path, token, "deliveries", begun)
        daemon.watch()
        assert "visits" in told(visits)
        assert "deliveries" in told(deliveries)
        mode = waiting(tmp_path, token, "mode", begun)
        ask(tmp_path, "arm", token, mode="away")
        assert "mode" in told(mode)
        assert daemon.commands.policy.mode is Mode.AWAY
    armed = [one for one in audit.verify(tmp_path).entries if one.action == "armed"]
    assert [one.actor for one in armed] == [Actor("Anna", "page")]


def test_a_page_is_told_of_a_drill(door_clip: Path, tmp_path: Path, begun: list[Mapping[str, int]]) -> None:
    with assembled(config_for(door_clip), tmp_path):
        token = sign_in(tmp_path)
        drill = waiting(tmp_path, token, "drill", begun)
        ask(tmp_path, "drill-begin", token, camera="front-door")
        assert told(drill) == ["drill"]


def test_who_waits_does_not_hold_up_the_end(door_clip: Path, tmp_path: Path, begun: list[Mapping[str, int]]) -> None:
    with assembled(config_for(door_clip), tmp_path):
        token, answers = sign_in(tmp_path), list[dict[str, Any]]()
        since = ask(tmp_path, "changes", token, since={})["changes"]
        thread = threading.Thread(target=lambda: answers.append(ask(tmp_path, "changes", token, since=since)))
        thread.start()
        wait_until(lambda: begun, "page that waits")
    thread.join(PATIENCE)
    assert answers == [{"changes": since}]
    with pytest.raises(DaemonAway):
        ask(tmp_path, "hello")
    assert not own_place(tmp_path).exists()
    with assembled(config_for(door_clip), tmp_path):
        assert ask(tmp_path, "now", token), "the session outlives a restart"


def test_without_the_page_there_is_no_socket(door_clip: Path, tmp_path: Path) -> None:
    config = config_for(door_clip)
    config = config.model_copy(update={"web": config.web.model_copy(update={"enabled": False})})
    with assembled(config, tmp_path):
        assert not own_place(tmp_path).exists()


def test_a_page_that_cannot_be_served_keeps_nobody_from_watching(
    door_clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own_place(tmp_path).mkdir(parents=True)
    with caplog.at_level(logging.ERROR), assembled(config_for(door_clip), tmp_path) as daemon:
        daemon.watch()
        assert daemon.store.sightings()
    assert "the page will not work" in caplog.text


def test_an_account_that_is_removed_at_the_command_line_is_out_within_a_second(door_clip: Path, tmp_path: Path) -> None:
    with assembled(config_for(door_clip), tmp_path):
        sign_in(tmp_path)
        ben = sign_in(tmp_path, "Ben", Role.MEMBER)
        assert ask(tmp_path, "now", ben)
        with Store.open(tmp_path) as store:
            accounts.remove(store, "Ben")
        threading.Event().wait(1.2)
        with pytest.raises(DaemonRefused) as refused:
            ask(tmp_path, "now", ben)
        assert refused.value.kind is Refusal.SIGNED_OUT
