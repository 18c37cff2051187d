"""Start the decoder process, ask it for the pixels of files, and replace it where a picture has ended it.

One process serves all pictures of the process that asks, one after the other, and is ended when it has had nothing to
do for a while. It is started anew, not forked: it holds nothing of the daemon's memory, the key least of all.
"""

from __future__ import annotations

import atexit
import fcntl
import importlib.util
import json
import mmap
import operator
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from facesecure.vision.images.decoding.messages import MESSAGE, PROBLEMS, DecodingError, Limits
from facesecure.vision.images.headers.header import FAULTS, FORMATS
from facesecure.vision.images.image_headers import FOREIGN_FORMATS

if TYPE_CHECKING:
    from facesecure.domain import Image

Codec = Literal["opencv", "heif"]

IDLE = 60.0
"""Seconds after which a process without work is ended."""
_START, _ANSWER = 120.0, 1200.0
"""Seconds to wait for it. A picture may take two minutes of processor time, on a machine that has more to do."""
_LARGEST_RESULT = 24_000_000 * 3
_MOST_PICTURES = 5000
"""Pictures after which it is started anew, so that a leak of a decoder stays small."""
_PROGRAM = (
    "import sys; largest, codec, *sys.path[:] = sys.argv[1:]; "
    "from facesecure.vision.images.decoding.program import main; main(int(largest), codec == 'heif')"
)
_ENVIRONMENT = {
    # OpenCV's own limits. Of a JPEG that it shrinks while it decodes, it counts the pixels that it keeps.
    "OPENCV_IO_MAX_IMAGE_PIXELS": "50000000",
    "OPENCV_IO_MAX_IMAGE_WIDTH": "65535",
    "OPENCV_IO_MAX_IMAGE_HEIGHT": "65535",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "LANG": "C.UTF-8",
}


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A decoded image, uint8 RGB, rows from the top, in memory that the decoder cannot change any more."""

    width: int
    height: int
    data: mmap.mmap

    def array(self) -> Image:
        """Return it as an array (height, width, 3)."""
        import numpy as np  # the page's web process, which asks too, has no room for it

        return np.frombuffer(self.data, np.uint8).reshape(self.height, self.width, 3)


class DecoderProcess:
    """A decoder process, started when it is first needed. Safe for several threads, which take turns.

    Example::

        with open("anna.jpg", "rb") as file:
            image = DecoderProcess("opencv").decode(file.fileno(), Limits(24_000_000, 50_000_000, 12))
    """

    def __init__(self, codec: Codec) -> None:
        """``codec`` is the library it decodes with. Nothing is started yet."""
        self._codec = codec
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._timer: threading.Timer | None = None
        self._used = 0.0
        self._pictures = 0
        self.protections: dict[str, bool] = {}

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        return None if self._process is None else self._process.pid

    def decode(self, file: int, limits: Limits) -> Image:
        """Return the image in the open regular ``file``, uint8 RGB (height, width, 3), upright.

        Raises DecodingError. A process that the picture ended is replaced with the next one.
        """
        return self.pixels(file, limits).array()

    def pixels(self, file: int, limits: Limits) -> Pixels:
        """Return what ``decode`` does, without numpy."""
        with self._lock:
            channel = self._started()
            try:
                pixels = self._asked(channel, file, limits)
            except DecodingError as error:
                if error.problem == "memory":  # what a decoder leaves behind then would count against the next picture
                    self.close()
                raise
            except BaseException:
                self.close()
                raise
            self._note_use()
            return pixels

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            process, self._process = self._process, None
            if self._channel is not None:
                self._channel.close()
            self._channel = None
            if process is not None:
                process.kill()
                process.wait()

    def abandon(self) -> None:
        """Forget the process of which this one is a fork: it is the other's."""
        self._lock = threading.RLock()
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for
        self._process = self._channel = self._timer = None

    def _started(self) -> socket.socket:
        ended = self._process is not None and self._process.poll() is not None
        if ended or self._pictures >= _MOST_PICTURES:
            self.close()
        if self._channel is None:
            self._pictures = 0
            try:
                self._channel = self._start()
            except (OSError, ValueError) as error:
                self.close()
                raise DecodingError("not started") from error
        self._pictures += 1
        return self._channel

    def _start(self) -> socket.socket:
        """Start the process and wait until it is shut in. Raises OSError or ValueError."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        paths = dict.fromkeys(path for path in sys.path if path.startswith("/"))
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_LARGEST_RESULT), self._codec, *paths]
        try:
            with its:
                self._process = subprocess.Popen(
                    command, stdin=its.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env=_environment(), cwd="/", start_new_session=True,
                )  # fmt: skip
            ours.settimeout(_START)
            self.protections = json.loads(ours.recv(MESSAGE))
        except BaseException:
            ours.close()
            raise
        ours.settimeout(_ANSWER)
        return ours

    def _asked(self, channel: socket.socket, file: int, limits: Limits) -> Pixels:
        """Return the pixels of ``file``. Raises DecodingError where it ends, sends nonsense or takes too long."""
        result = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            socket.send_fds(channel, [json.dumps(asdict(limits)).encode()], [file, result])
            answer = json.loads(channel.recv(MESSAGE))
            if "shape" in answer:
                return _pixels(answer["shape"], result, limits)
        except (OSError, ValueError, TypeError):
            raise DecodingError(self._end()) from None
        finally:
            os.close(result)
        raise _refusal(answer)

    def _end(self) -> Literal["slow", "crashed"]:
        """End the process, and return whether it was the limit of time that ended it."""
        import signal

        process = self._process
        with suppress(subprocess.TimeoutExpired):  # it has closed the socket, and is about to end
            if process is not None:
                process.wait(1)
        code = None if process is None else process.returncode
        self.close()
        return "slow" if code in (None, -signal.SIGXCPU) else "crashed"

    def _note_use(self) -> None:
        self._used = time.monotonic()
        if self._timer is None:
            self._wait(IDLE)

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end_if_idle)
        self._timer.daemon = True
        self._timer.name = "idle decoder"
        self._timer.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            self._timer = None
            left = self._used + IDLE - time.monotonic()
            if self._process is None:
                return
            if left > 0:
                self._wait(left)
            else:
                self.close()


def _pixels(shape: Any, result: int, limits: Limits) -> Pixels:
    """Return the pixels in the file ``result``, which cannot change any more. Nothing about them is believed unseen.

    Raises OSError, TypeError or ValueError for anything that is not an image within the limits.
    """
    height, width = map(operator.index, shape)
    fcntl.fcntl(result, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    size = height * width * 3
    too_long = 0 < limits.longest < max(height, width)
    if min(height, width) < 1 or height * width > limits.pixels or too_long or os.fstat(result).st_size != size:
        raise ValueError("this is not the size of the pixels")
    return Pixels(width, height, mmap.mmap(result, size, mmap.MAP_PRIVATE))


def _refusal(answer: dict[str, Any]) -> DecodingError:
    """Return the refusal in ``answer``, without any text that is not ours."""
    problem, format_name, fault = answer.get("problem"), answer.get("format"), answer.get("fault")
    if problem not in PROBLEMS:
        return DecodingError("crashed")
    width, height = (side if isinstance(side, int) else 0 for side in (answer.get("width"), answer.get("height")))
    known = FORMATS | FOREIGN_FORMATS
    return DecodingError(
        problem, format_name if format_name in known else "", width, height, fault if fault in FAULTS else ""
    )


def _environment() -> dict[str, str]:
    """Return the environment of the process: nothing of ours but where libraries are."""
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    return {**_ENVIRONMENT, **{name: os.environ[name] for name in kept if name in os.environ}}


_DECODERS: dict[Codec, DecoderProcess] = {"opencv": DecoderProcess("opencv"), "heif": DecoderProcess("heif")}


def decoder(codec: Codec) -> DecoderProcess:
    """Return this process's decoder by ``codec``."""
    return _DECODERS[codec]


def reads_heic() -> bool:
    """Return whether pillow-heif is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def _close_all() -> None:
    for one in _DECODERS.values():
        one.close()


def _abandon_all() -> None:
    for one in _DECODERS.values():
        one.abandon()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_abandon_all)
