"""The log plugin: the journal's own protocol on a real socket, the ordinary log, and a file."""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain.errors import PluginError
from facesecure_plugins.log import LogPlugin, append
from support.plugins import alert
from support.store import STRANGER, UNIDENTIFIED, known, run_python


class Journal:
    """What systemd-journald is to its clients: a datagram socket; ``entry`` reads what came as it would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(5)

    def entry(self) -> dict[str, str]:
        data, fields = self._socket.recv(1 << 20), {}
        while data:
            line, _, rest = data.partition(b"\n")
            name, equals, value = line.partition(b"=")
            if not equals:
                size = struct.unpack("<Q", rest[:8])[0]
                value, rest = rest[8 : 8 + size], rest[8 + size + 1 :]
            fields[name.decode()] = value.decode()
            data = rest
        return fields

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal")
    yield opened
    opened.close()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "facesecure_plugins.log")
    return caplog


def without_journal(tmp_path: Path, **settings: object) -> LogPlugin:
    return LogPlugin(LogPlugin.Config.model_validate(settings), journal_socket=tmp_path / "none")


def test_the_journal_gets_every_field(journal: Journal, tmp_path: Path) -> None:
    plugin = LogPlugin(LogPlugin.Config(), journal.path)
    told = replace(alert("Tom is at the front door", known("Tom"), "id-1"), snapshot_path=tmp_path / "a.jpg")
    plugin.send(told)
    assert journal.entry() == {
        "MESSAGE": "Tom is at the front door",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "facesecure",
        "FACESECURE_KIND": "known",
        "FACESECURE_ALERT": told.identifier,
        "FACESECURE_CREATED_AT": told.created_at.isoformat(),
        "FACESECURE_HELD_BACK": "0",
        "FACESECURE_NAME": "Tom",
        "FACESECURE_WHY": "looks like Tom",
        "FACESECURE_SCORE": "0.71",
        "FACESECURE_SECOND_NAME": "somebody else",
        "FACESECURE_SECOND_SCORE": "0.2",
        "FACESECURE_EVIDENCE": "9.5",
        "FACESECURE_FACES_USED": "4",
        "FACESECURE_SIGHTING": "id-1",
        "FACESECURE_SOURCE": "front door",
        "FACESECURE_TRACK": "7",
        "FACESECURE_FIRST_SEEN": "2026-05-01T12:00:00+00:00",
        "FACESECURE_LAST_SEEN": "2026-05-01T12:00:02+00:00",
        "FACESECURE_SNAPSHOT": str(tmp_path / "a.jpg"),
    }


@pytest.mark.parametrize(("verdict", "priority"), [(known("Tom"), "6"), (UNIDENTIFIED, "5"), (STRANGER, "4")])
def test_a_stranger_weighs_more_than_the_family(journal: Journal, verdict: object, priority: str) -> None:
    LogPlugin(LogPlugin.Config(), journal.path).send(alert("x", verdict))
    assert journal.entry()["PRIORITY"] == priority


def test_a_text_of_several_lines_forges_no_field(journal: Journal) -> None:
    LogPlugin(LogPlugin.Config(), journal.path).send(alert("one\nFACESECURE_KIND=known\nthree"))
    entry = journal.entry()
    assert entry["MESSAGE"] == "one FACESECURE_KIND=known three"
    assert entry["FACESECURE_KIND"] == "stranger"


def test_in_a_terminal_the_line_is_there_beside_the_journal(journal: Journal, log: pytest.LogCaptureFixture) -> None:
    LogPlugin(LogPlugin.Config(), journal.path).send(alert())
    assert "A stranger is at the front door" in log.text
    assert journal.entry()


def test_a_service_whose_log_is_the_journal_does_not_say_it_twice(
    journal: Journal, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stderr.st_dev}:{stderr.st_ino}")
    LogPlugin(LogPlugin.Config(), journal.path).send(alert())
    assert log.text == ""
    assert journal.entry()
    journal.close()
    LogPlugin(LogPlugin.Config(), journal.path).send(alert("the journal is gone"))
    assert "the journal is gone" in log.text


def test_an_inherited_journal_stream_of_somebody_else_counts_for_nothing(
    journal: Journal, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    LogPlugin(LogPlugin.Config(), journal.path).send(alert())
    assert "A stranger" in log.text


def test_without_a_journal_there_is_one_readable_line(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    without_journal(tmp_path).send(alert("A stranger\nis here"))
    (record,) = log.records
    assert record.levelno == logging.WARNING
    assert record.message == ("A stranger is here [stranger, front door, 20260501-1]: looks like nobody we know")


def test_the_journal_can_be_left_out(journal: Journal, log: pytest.LogCaptureFixture) -> None:
    LogPlugin(LogPlugin.Config(journal=False), journal.path).send(alert())
    assert "A stranger" in log.text
    journal._socket.settimeout(0.01)
    with pytest.raises(TimeoutError):
        journal.entry()


def test_the_file_gets_one_json_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log" / "alerts.jsonl"
    plugin = without_journal(tmp_path, file=path)
    plugin.send(alert("Åsa\nis here", known("Åsa"), "id-1"))
    plugin.send(alert("A stranger is here", STRANGER, "id-2"))
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (first["text"], first["name"], first["sighting"]) == ("Åsa is here", "Åsa", "id-1")
    assert (second["kind"], second["name"], second["snapshot"]) == ("stranger", None, None)
    assert first.keys() == second.keys()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_alert_whose_snapshot_has_a_name_of_any_bytes_is_written(tmp_path: Path, journal: Journal) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    plugin = LogPlugin(LogPlugin.Config(file=file), journal.path)
    plugin.send(replace(alert(os.fsdecode(b"caf\xe9 is gone")), snapshot_path=Path(os.fsdecode(b"/caf\xe9/1.jpg"))))
    written = json.loads(file.read_text(encoding="utf-8"))
    assert (written["text"], written["snapshot"]) == ("caf\\xe9 is gone", "/caf\\xe9/1.jpg")
    assert journal.entry()["MESSAGE"] == "caf\\xe9 is gone"


def test_a_file_whose_name_only_looks_like_a_home_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    LogPlugin(LogPlugin.Config(file=Path("~$alerts.jsonl"), journal=False)).send(alert())
    assert (tmp_path / "~$alerts.jsonl").is_file()


def test_a_file_that_was_rotated_away_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    plugin = without_journal(tmp_path, file=path)
    plugin.send(alert("before"))
    path.rename(tmp_path / "alerts.jsonl.1")
    plugin.send(alert("after"))
    assert [json.loads(line)["text"] for line in path.read_text().splitlines()] == ["after"]


def test_a_line_cut_short_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"text": "to')
    append(path, b"")
    append(path, b'{"text": "whole"}\n')
    append(path, b'{"text": "next"}\n')
    assert path.read_text().splitlines()[1:] == ['{"text": "whole"}', '{"text": "next"}']


def test_a_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    without_journal(tmp_path, file="~/alerts.jsonl").send(alert())
    assert (tmp_path / "alerts.jsonl").exists()


@pytest.mark.parametrize("path", ["/proc/alerts.jsonl", "/dev/null/alerts.jsonl", "/"])
def test_a_file_that_cannot_be_written_fails_the_check_and_says_what_to_do(tmp_path: Path, path: str) -> None:
    with pytest.raises(PluginError, match="cannot write") as caught:
        without_journal(tmp_path, file=path).check()
    assert "[plugins.log] file" in (caught.value.hint or "")


def test_on_a_full_disk_the_line_is_said_and_the_failure_told(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PluginError, match="No space left"):
        without_journal(tmp_path, file="/dev/full").send(alert())
    assert "A stranger" in log.text


def test_lines_of_several_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    plugins = [without_journal(tmp_path, file=path) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda plugin=plugin: [plugin.send(alert("x" * 500)) for _ in range(20)])
        for plugin in plugins
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [json.loads(line)["text"] for line in path.read_text().splitlines()] == ["x" * 500] * 80


def test_the_plugin_loads_nothing_heavy() -> None:
    code = """
import sys
import facesecure_plugins.log
print({"cv2", "sqlalchemy", "av", "matplotlib", "systemd", "tensorflow"} & set(sys.modules))
"""
    assert run_python(code).stdout.strip() == "set()"
