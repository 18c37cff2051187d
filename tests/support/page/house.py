"""A household with its page: a daemon that watches a film, a web process before it, and browsers that look."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.domain.accounts import Role
from support.faults.household import Daemon, Home, wait_until
from support.page_socket import call
from support.ports import free_port
from support.service.commandline import write_picture

PASSWORD = "a long way to the garden gate"
SETTINGS = "[web]\nidle_minutes = 60\n[plugins.speaker]\nenabled = false\n"


@dataclass
class House:
    """``home`` with one daemon and one web process, both real. The page is at ``url``, over TLS.

    ``album``: photos of Grace Hopper; every twenty seconds she comes to the door, and after her a stranger.
    """

    home: Home
    album: Path
    certificates: Path
    port: int = field(default_factory=lambda: free_port())
    daemon: Daemon | None = None
    web: Daemon | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def begin(self, *, enrolled: bool = True) -> None:
        """Watch the film, and open the page; ``enrolled``: Grace Hopper is known from the beginning."""
        self.home.configure(SETTINGS)
        if enrolled:
            self.command("enroll", "Grace Hopper", "--images", self.album)
        self.daemon = self.home.begin()
        self.daemon.wait_ready()
        self.open_page()

    def open_page(self) -> None:
        """Start the web process, and wait until it answers."""
        said = self.home.folder / "page-said.txt"
        words = (
            "--host",
            "127.0.0.1",
            "--port",
            self.port,
            "--socket",
            self.socket,
            *self._certificate_words(),
        )
        command = [sys.executable, "-m", "facesecure.web", *map(str, words)]
        with said.open("w") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env=self.home.variables, start_new_session=True, cwd=self.home.folder
            )
        self.web = Daemon(process, said)
        wait_until(self._answers, "page", 20)

    def end(self) -> None:
        """End what was begun."""
        if self.web is not None:
            self.web.kill()
        self.home.kill()

    def command(self, *words: object) -> Any:
        """Type a command in this house, which must succeed. Returns its stdout, parsed if it is JSON."""
        done = self.home.run(*words)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def invite(self, name: str, role: Role) -> str:
        """Return the one-time link of a new account. The first one is an owner's."""
        where = ("--address", self.url, "--json")
        if not self.command("web", "accounts", "list", "--json")["accounts"]:
            assert role is Role.OWNER
            return str(self.command("web", "setup", name, *where)["link"])
        return str(self.command("web", "accounts", "invite", name, "--role", role, *where)["link"])

    def token(self, name: str, role: Role) -> str:
        """Return the session of a new account: what the browser keeps in its cookie."""
        code = self.invite(name, role).partition("code=")[2]
        done = call(self.socket, "accept-invitation", {"code": code, "password": PASSWORD})
        return str(done.result["token"])

    def ask(self, token: str, verb: str, **arguments: Any) -> dict[str, Any]:
        """Ask the daemon as the page does, for whoever has the session ``token``."""
        return call(self.socket, verb, arguments, token=token).result

    def wait_for_page(self) -> None:
        """Wait until the daemon answers the page again after new settings, for a second without a break."""
        answered: list[float] = []

        def steady() -> bool:
            try:
                assert call(self.socket, "session").result["accounts"]
            except (OSError, ValueError):
                answered.clear()
                return False
            answered.append(time.monotonic())
            return answered[-1] - answered[0] > 1.5

        wait_until(steady, "answer to the page", 30, every=0.1)

    @property
    def socket(self) -> Path:
        """Where the daemon answers the page."""
        return self.home.state / "web.sock"

    def _certificate_words(self) -> tuple[object, ...]:
        return ("--certificate", self.certificates / "server.pem", "--key", self.certificates / "server.key")

    def _answers(self) -> bool:
        assert self.web is not None
        assert self.web.process.poll() is None, self.web.said
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def key_of(certificates: Path) -> str:
    """Return the SHA-256 of the page's public key in base64, by which Chromium is told to trust it."""
    certificate = x509.load_pem_x509_certificate((certificates / "server.pem").read_bytes())
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


def photo_album(folder: Path, count: int = 6) -> Path:
    """Photos of Grace Hopper as a family has them, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(enrolment_images(count)):
        write_picture(folder / f"grace-{number}.jpg", image)
    return folder
