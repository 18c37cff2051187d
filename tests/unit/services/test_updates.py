"""Which version is the newest: asked once a day over real TLS, remembered, compared."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facesecure import __version__
from facesecure.config.loader import load_config
from facesecure.config.updates import UpdatesConfig
from facesecure.domain.errors import ConfigError
from facesecure.services.diagnostics.result import CheckContext, Health
from facesecure.services.diagnostics.updates import updates
from facesecure.services.updates import (
    DAY,
    FILE_NAME,
    MOST_JITTER,
    UpdateError,
    Updates,
    known_updates,
    look,
    newest_version,
)
from support.service.journey import config_for
from support.tls import Authority, Peer, hostile_peer

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
CONFIG = UpdatesConfig(check=True, url="https://example.org/releases.json")


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return authority


@contextmanager
def server(authority: Authority, document: Any) -> Iterator[Peer]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    def answer(_peer: Peer, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with hostile_peer(answer, authority.context()) as peer:
        yield peer


def answering(version: str) -> Callable[[str], str]:
    return lambda _url: version


def failing(_url: str) -> str:
    raise UpdateError("the server answered 500")


@pytest.mark.parametrize(
    ("document", "newest"),
    [
        ({"version": "0.3.0"}, "0.3.0"),
        ({"tag_name": "v0.3.0", "name": "Winter", "body": "...", "assets": [{"size": 1}]}, "0.3.0"),
        ([{"tag_name": "v0.9.9"}, {"tag_name": "v0.10.0"}, {"tag_name": "v0.2.0"}], "0.10.0"),
        ([{"tag_name": "v2.0.0", "prerelease": True}, {"tag_name": "v0.3.0"}], "0.3.0"),
        ([{"tag_name": "v2.0.0", "draft": True}, {"tag_name": "v1.0rc1"}, {"tag_name": "v0.3.0.post1"}], "0.3.0.post1"),
        ([{"tag_name": "nightly"}, {"tag_name": "v0.3.0"}], "0.3.0"),
    ],
)
def test_the_newest_version_for_everybody_is_found(authority: Authority, document: Any, newest: str) -> None:
    with server(authority, document) as peer:
        assert newest_version(f"{peer.url}/releases") == newest
    assert len(peer.requests) == 1


def test_the_server_learns_nothing_of_the_house(authority: Authority) -> None:
    with server(authority, {"version": "0.3.0"}) as peer:
        newest_version(f"{peer.url}/releases")
    head = peer.requests[0]
    assert head.startswith("GET /releases HTTP/1.1\r\n")
    names = {line.partition(":")[0].lower() for line in head.splitlines()[1:] if line}
    assert names == {"host", "accept", "user-agent", "connection", "accept-encoding"} - ({"accept-encoding"} - names)
    assert __version__ not in head
    assert socket.gethostname() not in head


def test_it_is_asked_once_a_day_with_some_jitter_and_also_where_it_failed(tmp_path: Path) -> None:
    for ask in (answering("99.0"), failing):
        found = look(CONFIG, tmp_path, Updates(), NOW, ask, lambda: 0.5)
        again = known_updates(CONFIG, tmp_path)
        assert again == found
        assert again.ask_again_at == NOW + DAY + MOST_JITTER / 2
        assert not again.due(NOW + timedelta(hours=24))
        assert again.due(NOW + timedelta(hours=28))


def test_a_daemon_that_is_killed_while_it_asks_does_not_ask_again_at_its_start(tmp_path: Path) -> None:
    def killed(_url: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(CONFIG, tmp_path, Updates("99.0"), NOW, killed)
    known = known_updates(CONFIG, tmp_path)
    assert (known.due(NOW + timedelta(hours=1)), known.latest, known.problem) == (
        False,
        "99.0",
        "the answer did not come",
    )


def test_a_clock_that_was_wrong_by_years_does_not_silence_the_check(tmp_path: Path) -> None:
    look(CONFIG, tmp_path, Updates(), NOW + timedelta(days=4000), answering("99.0"))
    assert known_updates(CONFIG, tmp_path).due(NOW)


def test_what_was_known_stays_known_where_the_server_fails(tmp_path: Path) -> None:
    first = look(CONFIG, tmp_path, Updates(), NOW, answering("99.0"))
    second = look(CONFIG, tmp_path, first, NOW + DAY, failing)
    assert (second.newer, second.problem) == ("99.0", "the server answered 500")


def test_another_address_starts_anew_and_what_was_tampered_with_is_not_believed(tmp_path: Path) -> None:
    look(CONFIG, tmp_path, Updates(), NOW, answering("99.0"))
    assert known_updates(CONFIG.model_copy(update={"url": "https://example.net/"}), tmp_path) == Updates()
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text().replace("99.0", "98.0"))
    assert known_updates(CONFIG, tmp_path) == Updates()


def test_nothing_is_asked_where_that_cannot_be_noted(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    asked: list[str] = []
    with pytest.raises(OSError, match="directory"):
        look(CONFIG, tmp_path, Updates(), NOW, lambda url: asked.append(url) or "99.0")
    assert asked == []


@pytest.mark.parametrize(("latest", "newer"), [("99.0", "99.0"), (__version__, None), ("0.0.1", None), (None, None)])
def test_only_a_newer_version_is_news(latest: str | None, newer: str | None) -> None:
    assert Updates(latest).newer == newer


def test_doctor_says_what_is_known_and_asks_nobody(tmp_path: Path) -> None:
    def results(config: UpdatesConfig) -> list[tuple[Health, str]]:
        whole = config_for(tmp_path / "door.mp4").model_copy(update={"updates": config})
        return [(one.health, one.message) for one in updates(CheckContext(whole, None, tmp_path))]

    assert results(UpdatesConfig()) == []
    assert results(CONFIG)[0][1].startswith("not asked yet")
    first = look(CONFIG, tmp_path, Updates(), NOW, answering(__version__))
    assert results(CONFIG) == [(Health.OK, f"{__version__} is the newest version (asked on 2026-11-29 08:00 UTC)")]
    look(CONFIG, tmp_path, first, NOW, answering("99.0"))
    assert results(CONFIG) == [(Health.WARN, f"facesecure 99.0 is out; this is {__version__}")]
    look(CONFIG, tmp_path, first, NOW, failing)
    assert results(CONFIG) == [(Health.WARN, "the newest version is not known: the server answered 500")]


def test_it_is_off_unless_switched_on_and_wants_an_address(tmp_path: Path) -> None:
    file = tmp_path / "facesecure.toml"
    file.write_text("[updates]\ncheck = true\n")
    assert UpdatesConfig().check is False
    with pytest.raises(ConfigError, match=r"updates\.url.* is missing: check = true needs the address"):
        load_config(file)


@pytest.mark.parametrize(
    "url", ["http://example.org/", "file:///etc/passwd", "https://", "https://me:secret@example.org/", "https://[", "x",
            "https://example.org/a b", "https://example.org/\n", "https://" + "a" * 600],
)  # fmt: skip
def test_no_other_address_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match=r"https address|at most"):
        UpdatesConfig(check=True, url=url)
