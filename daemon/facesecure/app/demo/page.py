"""Open the page on the demo's own state, before a daemon that watches the clip again and again."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facesecure.app.assembly import Daemon, run
from facesecure.app.web_api.places import own_place
from facesecure.config import FacesecureConfig
from facesecure.domain.errors import UsageError
from facesecure.services.accounts import OneTimeLink, reset, set_up
from facesecure.services.certificates.folder import SERVER, SERVER_KEY, issue
from facesecure.services.certificates.names import names_of_this_machine
from facesecure.services.page_address import link_address
from facesecure.storage.store import Store

ACCOUNT = "you"
_TIMES = 600
"""How often the clip is shown: for four hours."""
_BEGIN_SECONDS = 20.0
_END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where the page listens: on this machine only, or for phones at home too, and then over TLS.

    Example::

        PagePlace("127.0.0.1", 8080).address  # "http://localhost:8080"
    """

    host: str
    port: int

    @property
    def private(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def address(self) -> str:
        """Return the page's address for a browser."""
        if self.private:
            return f"http://localhost:{self.port}"
        return f"https://{names_of_this_machine().hosts[0]}:{self.port}"


def open_page(out: Path, state_dir: Path, place: PagePlace, on_open: Callable[[str], None]) -> None:
    """Watch the demo's clip in ``out`` and answer browsers until Ctrl-C, which raises KeyboardInterrupt.

    ``on_open`` gets a link that works once, within 15 minutes, when the page is there. Raises UsageError if the port
    cannot be used, and as ``assembly.run`` does.
    """
    os.environ.pop("RUNTIME_DIRECTORY", None)  # beside a service that runs here, not in its place
    config = FacesecureConfig.model_validate(
        {
            "camera": {"source": f"file:{_again_and_again(out)}", "file_speed": "real"},
            "plugins": {"log": {"enabled": False}},
        }
    )
    link = link_address(place.address, _link(state_dir).code)

    def ready(daemon: Daemon) -> None:  # noqa: ARG001 - what assembly.run passes
        _wait_for(process, place)
        on_open(link)

    with _page_process(out, state_dir, place) as process:
        run(config, state_dir, on_ready=ready)


def _again_and_again(out: Path) -> Path:
    """Write a list of FFmpeg's that repeats the clip."""
    path = out / "again.ffconcat"
    path.write_text("ffconcat version 1.0\n" + "file clip.mp4\n" * _TIMES)
    return path.absolute()


def _link(state_dir: Path) -> OneTimeLink:
    with Store.open(state_dir) as store:
        known = store.page.accounts.find(ACCOUNT)
        return reset(store, ACCOUNT) if known else set_up(store, ACCOUNT)


@contextmanager
def _page_process(out: Path, state_dir: Path, place: PagePlace) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web process for the block."""
    words = ["--host", place.host, "--port", str(place.port), "--socket", str(own_place(state_dir).absolute())]
    if not place.private:
        issue(out / "certificates", names_of_this_machine(), new_authority=True)
        certificates = (out / "certificates").absolute()
        words += ["--certificate", str(certificates / SERVER), "--key", str(certificates / SERVER_KEY)]
    process = subprocess.Popen([sys.executable, "-I", "-m", "facesecure.web", *words], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], place: PagePlace) -> None:
    """Wait until the page answers. Raises UsageError if it has ended, after it has said why."""
    deadline = time.monotonic() + _BEGIN_SECONDS
    host = "127.0.0.1" if place.host in ("0.0.0.0", "localhost") else "::1" if place.host == "::" else place.host
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, place.port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise UsageError(f"the page does not answer on port {place.port}", "choose another: --port")
