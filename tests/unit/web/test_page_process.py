"""The web process as it runs: what it loads and weighs, how it begins, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.server import WebServer
from facesecure.domain.accounts import Role
from facesecure.web.app import SCREENS
from facesecure.web.navigation import PLACES
from support.page_socket import SignedIn, page_parts, token_of

MOST_MEMORY = 44 * 1024
"""kB: 40 MB, and what differs between machines and versions of Python."""
SECONDS = 30.0
IDLE = 0.05
"""Minutes after which a page ends that nobody asks: three seconds, so that a busy machine has begun to answer."""
AT_ONCE = 15.0
"""Seconds that the end of a page may take on a busy machine; browsers that are waited for never leave."""
HEAVY = ("numpy", "cv2", "pydantic", "sqlalchemy", "av", "typer", "rich", "cryptography", "argon2", "PIL")


class Process:
    """A web process on a port that was free."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def get(self, path: str, role: Role | None = None) -> bytes:
        """Read a page."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
            self.ask(connection, path, role)
            received = bytearray()
            while chunk := connection.recv(65536):
                received += chunk
            return bytes(received)

    def ask(self, connection: socket.socket, path: str, role: Role | None = None) -> None:
        cookie = f"Cookie: facesecure={token_of(role)}\r\n" if role else ""
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n{cookie}\r\n"
        connection.sendall(head.encode())

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send a signal, and return how long the end took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(SECONDS)
        return time.monotonic() - begun


@contextmanager
def process(
    *words: object, module: Sequence[str] = ("-I", "-m", "facesecure.web"), **more: object
) -> Iterator[Process]:
    """Run the page with these words until it answers; end it at the end."""
    command = [sys.executable, *module, "--port", "0", *map(str, words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more) as running:  # type: ignore[call-overload]
        try:
            said = ""
            while not (found := re.search(r"the page is at \w+://.*:(\d+)$", said)):
                said = running.stderr.readline().rstrip()
                assert said or running.poll() is None, running.stderr.read()
            yield Process(running, int(found[1]))
        finally:
            running.kill()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "web.sock"
    with page_parts(tmp_path) as parts, WebServer(Guard(all_verbs(), parts, SignedIn()), path):
        yield path


def test_the_page_loads_nothing_of_what_recognises_and_stores() -> None:
    code = "import sys, facesecure.web.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    assert [name for name in HEAVY if name in loaded] == []
    ours = {name for name in loaded if name.startswith("facesecure.")}
    rooms = {name.split(".")[1] for name in ours} - {"errors"}  # an alias for plugins
    assert rooms <= {"web", "app", "domain", "util", "vision"}
    assert {name for name in ours if name.startswith("facesecure.vision.")} <= {
        name
        for name in ours
        if name.startswith("facesecure.vision.images")  # the headers of pictures, in plain Python
    }
    assert {name for name in ours if name.startswith("facesecure.app.")} <= {
        "facesecure.app.control",
        "facesecure.app.control.protocol",
        "facesecure.app.web_api",
        "facesecure.app.web_api.places",
        "facesecure.app.web_api.protocol",
    }


def test_ten_pages_take_no_more_memory_than_there_is(house: Path) -> None:
    with process("--socket", house) as page:
        routes = {route.path for screen in SCREENS for route in screen.ROUTES}
        for path in [place.path for place in PLACES if place.path in routes - {"/drill"}]:
            assert b" 200 OK" in page.get(path, Role.OWNER)[:20], path
        status = Path(f"/proc/{page.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        assert int(found[1]) < MOST_MEMORY


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_although_browsers_listen(house: Path, number: int) -> None:
    with process("--socket", house) as page, socket.create_connection(("127.0.0.1", page.port), SECONDS) as stream:
        page.ask(stream, "/events", Role.OWNER)
        assert b"text/event-stream" in stream.recv(65536)
        assert page.end(number) < AT_ONCE
        assert page.process.returncode == 0


def test_it_ends_when_nobody_has_asked_for_long_enough(house: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, activated(house, listener) as running:
        address: tuple[str, int] = listener.getsockname()
        with socket.create_connection(address, SECONDS) as stream:  # it waits for an answer before the page has begun
            Process(running, address[1]).ask(stream, "/events", Role.OWNER)
            assert stream.recv(65536)
            time.sleep(60 * IDLE + 2)
            assert running.poll() is None, "ended while a browser listens"
        assert running.wait(SECONDS) == 0


def test_it_does_not_end_when_idle_if_somebody_started_it(house: Path) -> None:
    with process("--socket", house) as page:
        time.sleep(2)
        assert page.process.poll() is None


def activated(path: Path, listener: socket.socket, **environment: str) -> subprocess.Popen[str]:
    """The page as systemd starts it: with a socket that listens already."""
    code = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True);"
        "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
        "os.execv(sys.executable, [sys.executable, '-I', '-m', 'facesecure.web', *sys.argv[2:]])"
    )
    number = listener.fileno()
    command = [sys.executable, "-c", code, str(number), "--socket", str(path), "--idle", str(IDLE)]
    variables = {**os.environ, **environment}
    return subprocess.Popen(command, pass_fds=[number], env=variables, stderr=subprocess.PIPE, text=True)


def test_it_takes_the_socket_that_it_is_started_with_and_leaves_it_open(house: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(2):
            with (
                activated(house, listener) as running,
                socket.create_connection(listener.getsockname(), SECONDS) as browser,
            ):
                browser.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert browser.recv(65536).startswith(b"HTTP/1.1 200 ")
                assert running.wait(SECONDS) == 0, "did not end when idle"


def test_without_a_certificate_a_service_answers_this_machine_only(house: Path, tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_text("none")
    (tmp_path / "key.pem").write_text("none")
    address = _other_address()
    if address is None:
        pytest.skip("this machine has no address but its own")
    with (
        socket.create_server(("0.0.0.0", 0)) as listener,
        activated(house, listener, CREDENTIALS_DIRECTORY=str(tmp_path)) as running,
    ):
        try:
            with socket.create_connection((address, listener.getsockname()[1]), SECONDS) as browser:
                browser.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                with suppress(ConnectionResetError):
                    assert browser.recv(65536) == b""
        finally:
            running.kill()


def _other_address() -> str | None:
    """An address of this machine that is not its loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return None if address.startswith("127.") else address


def refusal(*words: object) -> str:
    """What the page says when it cannot begin."""
    command = [sys.executable, "-I", "-m", "facesecure.web", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal("--port", port)
    assert f"port {port} of 127.0.0.1 is in use" in said
    assert "choose another" in said


def test_a_certificate_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    assert "cannot be read: No such file" in refusal("--certificate", tmp_path / "none", "--key", text)
    assert "are no certificate and its key" in refusal("--certificate", text, "--key", text)
    assert "give both" in refusal("--certificate", text)


def test_the_command_line_runs_the_same_process(house: Path) -> None:
    module = ("-m", "facesecure", "web", "serve")
    with process("--socket", house, module=module, env={**os.environ, "NO_COLOR": "1"}) as page:
        assert page.get("/").startswith(b"HTTP/1.1 303 ")
        command = Path(f"/proc/{page.process.pid}/cmdline").read_bytes().split(b"\0")
        assert b"facesecure.web" in command
        assert page.end() < AT_ONCE
