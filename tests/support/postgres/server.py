"""A real PostgreSQL of this machine's package, in a folder of its own: TLS, passwords by SCRAM, killed on demand."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.ports import free_port
from support.tls import Authority

ADMINISTRATOR = "administrator"
_USER = "postgres"

_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "ssl": "on",
    "ssl_cert_file": "'server.pem'",
    "ssl_key_file": "'server.pem'",
    "ssl_ca_file": "'root.pem'",
    "password_encryption": "'scram-sha-256'",
    "shared_buffers": "'32MB'",
    "max_connections": "100",
    "logging_collector": "off",
    "log_min_messages": "warning",
}


def binaries() -> Path | None:
    """Return the folder with the programs of the newest PostgreSQL here, None if there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


def needs_postgres() -> Path:
    """Return the folder of the programs. Skip the test where there is none; fail it where there has to be one."""
    folder = binaries()
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: apt install postgresql")
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    return folder


@dataclass
class Server:
    """One PostgreSQL, which can be stopped, killed and started again; ``folder`` belongs to the user that it runs as.

    ``durable``: it syncs what is committed, as it does in earnest; otherwise only the machine itself must not crash.
    """

    folder: Path
    durable: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    client_certificates: str = ""
    """How those of clients are checked (``clientcert`` of pg_hba.conf); not at all unless told."""
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    process: subprocess.Popen[bytes] | None = None

    @cached_property
    def authority(self) -> Authority:
        """Signed the server's certificate, and signs those of clients."""
        return Authority(self.folder)

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.folder / "data"

    def make(self) -> None:
        """Create its data folder, with ``ADMINISTRATOR`` as superuser."""
        word = self._file("password", self.password)
        # fmt: off
        self._program("initdb", "--no-sync", "--username", ADMINISTRATOR, "--auth-local", "trust", "--auth-host",
                      "scram-sha-256", "--pwfile", str(word), "--encoding", "UTF8", "--locale", "C", str(self.data))
        # fmt: on
        (self.data / "root.pem").write_bytes(self.authority.root.read_bytes())
        self.authority.context()
        pem = next(self.folder.glob("127.0.0.1-*.pem"))
        (self.data / "server.pem").write_bytes(pem.read_bytes())
        asked = f" clientcert={self.client_certificates}" if self.client_certificates else ""
        rules = ["local all all trust", f"hostssl all all 127.0.0.1/32 scram-sha-256{asked}"]
        (self.data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        lines = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": f"'{self.folder}'"}
        lines |= {} if self.durable else {"fsync": "off", "synchronous_commit": "off"}
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in {**lines, **self.settings}.items())
        for name in ("root.pem", "server.pem"):
            self._hand_over(self.data / name)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            command = [self._path("postgres"), "-D", str(self.data)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_as_user())
        self.wait()

    def wait(self, seconds: float = 120) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                self.administer("SELECT 1")
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it: SIGINT ends connections too, SIGQUIT does not tidy up."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(how)
            self.process.wait(120)
            self.process = None

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            while left := _processes(self.data):
                for number in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(number, signal.SIGKILL)
                self.process.poll()
            self.process.wait(120)
            self.process = None

    def connect(self, user: str = ADMINISTRATOR, database: str = "postgres", **more: Any) -> psycopg.Connection[Any]:
        """Connect over its socket without a password, each statement a transaction of its own."""
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=user,
            dbname=database,
            autocommit=True,
            connect_timeout=20,
            **more,
        )

    def administer(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute a statement as the superuser, and return its rows."""
        with self.connect(database=database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Create an empty database, and return its name."""
        name = f"hub_{secrets.token_hex(6)}"
        self.administer(f"CREATE DATABASE {name}")
        return name

    def url(self, user: str, database: str) -> str:
        """Return the address of a database for ``user``, to be used with TLS."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def _file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        self._hand_over(path)
        return path

    def _hand_over(self, path: Path) -> None:
        path.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path, _USER, _USER)

    def _path(self, name: str) -> str:
        return str(needs_postgres() / name)

    def _program(self, name: str, *arguments: str) -> None:
        done = subprocess.run([self._path(name), *arguments], capture_output=True, text=True, check=False, **_as_user())
        assert done.returncode == 0, done.stderr


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    return {"user": _USER, "group": _USER, "extra_groups": [], "cwd": "/"}


def _processes(data: Path) -> list[int]:
    """Return the numbers of the server's processes: each backend leads a group of its own."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cwd").readlink() == data:
                found.append(int(folder.name))
    return found


@contextmanager
def made_server(parent: Path | None = None, **options: Any) -> Iterator[Server]:
    """Yield a running server, in a new folder in ``parent`` (else /tmp), which is removed at the end."""
    needs_postgres()
    folder = Path(tempfile.mkdtemp(prefix="facesecure-postgres-", dir=parent))
    if os.geteuid() == 0:
        assert pwd.getpwnam(_USER)
        shutil.chown(folder, _USER, _USER)
    server = Server(folder, **options)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
