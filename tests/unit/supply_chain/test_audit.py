"""The audit, with the real pip-audit, against a vulnerability service on the loopback."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from supply_chain import audit
from supply_chain.audit import excuses, main
from supply_chain.locks import LockedPackage, lock_names, locked
from support.http import refused_url

_HASH = "0" * 64
_LOCK = f"# a comment\nalpha==1.0 \\\n    --hash=sha256:{_HASH}\nbeta==2.0 ; python_full_version < '3.12' \\\n    --hash=sha256:{_HASH} \\\n    --hash=sha256:{'1' * 64}\nbeta==3.0 ; python_full_version >= '3.12' \\\n    --hash=sha256:{_HASH}\n"  # noqa: E501


class _Service(BaseHTTPRequestHandler):
    """Answers as OSV does: what is known of one version of one package."""

    server: Any

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.server.known.get((question["package"]["name"], question["version"]), [])
        self.server.asked.append((question["package"]["name"], question["version"]))
        answer = json.dumps({"vulns": [_advisory(question, *one) for one in known]} if known else {}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _advisory(question: dict[str, Any], name: str, aliases: list[str], fixed: str) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    package = {"name": question["package"]["name"], "ecosystem": "PyPI"}
    return {
        "id": name,
        "aliases": aliases,
        "summary": "s",
        "details": "d",
        "affected": [{"package": package, "ranges": ranges}],
    }


@contextmanager
def _serving(known: dict[tuple[str, str], list[tuple[str, list[str], str]]], status: int = 200) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.known, server.asked, server.status = known, [], status
    server.url = f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "base.txt").write_text(_LOCK)
    (tmp_path / "versions.txt").write_text("gamma==1\n")
    _excuse(tmp_path)
    return tmp_path


def _excuse(folder: Path, **entry: str) -> None:
    lines = [f"{name} = {value}" for name, value in entry.items()]
    (folder / "audit-ignore.toml").write_text("\n".join(["[[ignore]]", *lines, ""] if lines else []))


def _run(folder: Path, url: str) -> int:
    return main([f"--requirements={folder}", "--vulnerability-service=osv", f"--osv-url={url}"])


VULNERABLE = {("beta", "3.0"): [("GHSA-2222-3333-4444", ["CVE-2026-1"], "3.1")]}


def test_nothing_known_is_said_with_how_many_were_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _serving({}) as service:
        assert _run(folder, service.url) == 0
    assert sorted(service.asked) == [("alpha", "1.0"), ("beta", "2.0"), ("beta", "3.0")], "of every Python's versions"
    assert capsys.readouterr().out == "audit: 3 of 3 locked packages checked for known vulnerabilities, 0 found\n"


def test_a_vulnerability_fails_and_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _serving(VULNERABLE) as service:
        assert _run(folder, service.url) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == "VULNERABLE: beta 3.0: CVE-2026-1, GHSA-2222-3333-4444 (fixed in 3.1)"
    assert "1 found" in last


@pytest.mark.slow
@pytest.mark.parametrize("name", ["CVE-2026-1", "GHSA-2222-3333-4444"])
def test_an_excuse_holds_until_its_date(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    tomorrow = datetime.date.today() + datetime.timedelta(days=1)
    with _serving(VULNERABLE) as service:
        for expires, code in ((tomorrow, 0), (tomorrow - datetime.timedelta(days=2), 1)):
            _excuse(folder, package='"beta"', id=f'"{name}"', reason='"never called"', expires=str(expires))
            assert _run(folder, service.url) == code
            assert "never called" in capsys.readouterr().out


def test_an_excuse_of_another_package_or_none_any_more_excuses_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _excuse(folder, package='"alpha"', id='"CVE-2026-1"', reason='"r"', expires="2999-01-01")
    with _serving(VULNERABLE) as service:
        assert _run(folder, service.url) == 1
    assert "no longer needed in audit-ignore.toml: alpha CVE-2026-1" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["package", "id", "reason", "expires"])
def test_an_excuse_needs_a_reason_and_an_end(folder: Path, missing: str) -> None:
    entry = {"package": '"a"', "id": '"b"', "reason": '"c"', "expires": "2999-01-01"}
    _excuse(folder, **{**entry, missing: '""'})
    if missing in ("reason", "expires"):
        with pytest.raises(ValueError, match="an entry has"):
            excuses(folder / "audit-ignore.toml")
    del entry[missing]
    _excuse(folder, **entry)
    with pytest.raises(ValueError, match="an entry has"):
        excuses(folder / "audit-ignore.toml")


@pytest.mark.slow
def test_a_service_that_cannot_be_asked_is_said_and_fails_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _serving({}, status=403) as service:
        assert _run(folder, service.url) == 0
    assert _run(folder, refused_url()) == 0
    refused, unreachable = capsys.readouterr().out.splitlines()
    for line in (refused, unreachable):
        assert line.startswith("audit: 0 of 3 locked packages checked"), line
        assert "NOT CHECKED: 3 (" in line, line


def test_an_audit_that_fails_for_another_reason_is_an_error(folder: Path) -> None:
    package = LockedPackage("alpha", "not a version", "", ())
    with pytest.raises(RuntimeError, match="pip-audit failed"):
        audit.audit([package])


def test_every_entry_of_the_real_lock_files_is_read() -> None:
    for name in lock_names():
        lines = (audit.REQUIREMENTS / f"{name}.txt").read_text().splitlines()
        packages = list(locked(name))
        assert len(packages) == sum("==" in line and not line.startswith("#") for line in lines)
        assert sum(len(one.hashes) for one in packages) == sum("--hash" in line for line in lines)


def test_the_real_excuses_are_complete() -> None:
    for one in excuses():
        assert one.expires < datetime.date.today() + datetime.timedelta(days=366), "a year at most"
