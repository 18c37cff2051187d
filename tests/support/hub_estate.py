"""Real doors of a real hub: state directories, a PostgreSQL with TLS, and what commands do, without the commands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from facesecure.config.hub import HubConfig
from facesecure.hub.access import opened
from facesecure.hub.codes import JoinCode
from facesecure.hub.connecting import HubAddress
from facesecure.hub.identity import Certificate, Identity
from facesecure.hub.identity_file import read_identity
from facesecure.hub.joining import Joining, join
from facesecure.hub.making import make
from facesecure.hub.managing import Joined, Manager
from facesecure.hub.rows import Right
from facesecure.hub.store import HubStore
from support.postgres.server import ADMINISTRATOR, Server

CONFIG = HubConfig()
EVERY_RIGHT = frozenset(Right)


@dataclass
class RealHub:
    """A hub in a database of its own, and the folder of its doors. The manager's is ``manager``.

    Example::

        hub = RealHub(server, tmp_path)
        garage = hub.add("garage")
    """

    server: Server
    folder: Path
    database: str = field(init=False)

    def __post_init__(self) -> None:
        self.database = self.server.new_database()
        url = self.server.url(ADMINISTRATOR, self.database)
        administrator = HubAddress(url, self.server.password)
        make(self.manager, administrator, "front", "Villa Kunterbunt", self.server.authority.root.read_text())

    @property
    def manager(self) -> Path:
        """The state directory of the manager."""
        return self.folder / "front"

    @property
    def ca(self) -> bytes:
        """The certificate of the authority that signed the server's, as DER."""
        pem = self.server.authority.root.read_bytes()
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    def administer(self, statement: str) -> list[tuple[object, ...]]:
        """Execute a statement as the database's administrator."""
        return self.server.administer(f"SET search_path = facesecure; {statement}", self.database)

    @contextmanager
    def managing(self) -> Iterator[Manager]:
        """Act as the manager."""
        with self.opened(self.manager) as store:
            yield Manager(self.manager, store)

    @contextmanager
    def opened(self, state_dir: Path) -> Iterator[HubStore]:
        """Act as the door of ``state_dir``."""
        with opened(read_identity(state_dir), CONFIG, state_dir) as store:
            yield store

    def identity(self, state_dir: Path) -> Identity:
        """Return who the door of ``state_dir`` is."""
        return read_identity(state_dir)

    def invite(self, name: str, household: str | None = None, rights: frozenset[Right] = EVERY_RIGHT) -> JoinCode:
        """Invite a door."""
        with self.managing() as manager:
            return manager.invite(name, household, rights, self.ca)

    def join(self, name: str, code: JoinCode, seconds: float = 60) -> Certificate:
        """Join as the door whose folder is ``name``."""
        return join(Joining(self.folder / name, code, CONFIG, timedelta(seconds=seconds)))

    def add(self, name: str, household: str | None = None, rights: frozenset[Right] = EVERY_RIGHT) -> Path:
        """Invite a door, let it in, and return its state directory."""
        code = self.invite(name, household, rights)
        with self.answering():
            self.join(name, code)
        return self.folder / name

    @contextmanager
    def answering(self) -> Iterator[list[Joined]]:
        """Answer requests to join as the manager's daemon does, until the end of the block."""
        over, joined = threading.Event(), list[Joined]()

        def answer() -> None:
            with self.managing() as manager:
                while not over.wait(0.1):
                    joined.extend(manager.answer())

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield joined
        finally:
            over.set()
            thread.join()
