"""The web process as it runs, apart from the test: what it takes of the machine can be seen."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.server import WebServer
from support.page.served import Served
from support.page_socket import SignedIn, page_parts


class Weighed(Served):
    """A page in a process of its own."""

    process: subprocess.Popen[str]

    @property
    def peak(self) -> int:
        """The most memory that the process has had, bytes; of those that decode for it nothing is counted."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def weighed_house(state_dir: Path, **settings: Any) -> Iterator[Weighed]:
    """Run the web process before a daemon's real answering part with the store in ``state_dir``."""
    socket = state_dir / "web.sock"
    command = [sys.executable, "-I", "-m", "facesecure.web", "--port", "0", "--socket", str(socket)]
    with (
        page_parts(state_dir, **settings) as parts,
        WebServer(Guard(all_verbs(), parts, SignedIn()), socket),
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running,
    ):
        try:
            served = Weighed(_port(running), cast("Any", None), parts)
            served.process = running
            yield served
        finally:
            running.kill()


def _port(running: subprocess.Popen[str]) -> int:
    assert running.stderr is not None
    said = ""
    while not (found := re.search(r"the page is at \w+://.*:(\d+)$", said)):
        said = running.stderr.readline().rstrip()
        assert said or running.poll() is None, running.stderr.read()
    return int(found[1])
