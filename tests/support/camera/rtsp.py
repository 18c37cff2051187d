"""Start, kill, stall and restart the RTSP camera in ``rtsp_server.py``."""

from __future__ import annotations

import functools
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from support.ports import free_port

PYTHON = "/usr/bin/python3"  # Debian's: `gi` is its package and not on any index
SCRIPT = Path(__file__).with_name("rtsp_server.py")
NEEDS = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gir1.2-gstreamer-1.0"
    " gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
_TRIAL = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
raise SystemExit(not all(Gst.ElementFactory.find(n) for n in ("videotestsrc", "x264enc", "rtph264pay", "rtpbin")))
"""


@functools.cache
def unavailable() -> str | None:
    """Return why no RTSP camera can be started; None if one can."""
    if not Path(PYTHON).exists():
        return f"{PYTHON} is missing"
    trial = subprocess.run([PYTHON, "-c", _TRIAL], capture_output=True, check=False)
    return None if trial.returncode == 0 else f"GStreamer's RTSP server is missing: apt install {NEEDS}"


class RtspCamera:
    """A camera process on its own port, killed at the end of the ``with`` block."""

    def __init__(self, account: str = "", film: Path | None = None, *, shared: bool = False) -> None:
        """``account``: USER:PASSWORD, if it requires one. ``film``: a video to send instead of a bouncing ball.

        ``shared``: viewers join the film where it is, as at a real camera; otherwise each sees it from its beginning.
        """
        self.port = free_port()
        self._account = account
        self._film = film
        self._shared = shared
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """The camera's address with the right account."""
        return self.url_for(self._account)

    def url_for(self, account: str) -> str:
        """The camera's address with any account (USER:PASSWORD)."""
        return f"rtsp://{account + '@' if account else ''}127.0.0.1:{self.port}/door"

    def change_account(self, account: str) -> None:
        """Let in only ``account`` (USER:PASSWORD) from now on: it restarts, as cameras do."""
        self.kill()
        self._account = account
        self.switch_on()

    def switch_on(self) -> None:
        """Start, and wait until it listens."""
        command = [
            PYTHON,
            str(SCRIPT),
            str(self.port),
            self._account or "-",
            *([str(self._film)] if self._film else []),
            *(["shared"] if self._film and self._shared else []),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        """Kill it, as if it were unplugged."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def stall(self) -> None:
        """Keep the connection and send nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue after a stall."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
