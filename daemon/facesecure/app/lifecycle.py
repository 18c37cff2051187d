"""The life of the service: one daemon at a time, until SIGTERM; at SIGHUP another, if its configuration is good.

A new configuration is read and checked while the old daemon goes on watching. Where it is wrong, the old one stays, and
the log and STATUS= say why. Where it proves wrong only in use, before its first frame, the old one comes back.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from facesecure.app.process_memory import give_back
from facesecure.app.signals import Signals, has_terminal
from facesecure.app.systemd import notify
from facesecure.app.watchdog import Capture, Deadline, Progress, Watchdog
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame

FRAME_SECONDS = 30.0
"""The longest that one frame may take, where no watchdog says."""

CHANGE_SECONDS = 300.0
"""How long it may take to end one daemon and start the next, which may have to embed every face by another model."""

STOP_SECONDS = 2.7
"""How long the end may take. What hangs then is left behind: nothing that was decided is lost, it is on the disk."""

_log = logging.getLogger(__name__)

ReloadConfig = Callable[[], FacesecureConfig]
"""Reads the configuration again, and checks it as far as can be without using it. Raises FacesecureError."""


class Stoppable(Capture, Protocol):
    def stop(self) -> None:
        """End the iteration soon; any thread may call."""


class Supervisor:
    """Calls ``serve(config, service)`` for each configuration; that builds a daemon and reads ``watched`` frames.

    ``complaint`` says why the configuration on the disk is not the one in use; empty where it is.
    """

    def __init__(
        self, serve: Callable[[FacesecureConfig, Supervisor], None], reread: ReloadConfig | None = None
    ) -> None:
        """Without ``reread``, and where a terminal controls us, SIGHUP is an end like SIGTERM."""
        self._serve = serve
        self._reread = None if has_terminal() else reread
        self._watchdog = Watchdog()
        self._signals = Signals(self._hear)
        self._changed = threading.Condition()
        self._reloading = threading.Lock()
        self._config: FacesecureConfig | None = None
        self._next: FacesecureConfig | None = None
        self._fallback: FacesecureConfig | None = None
        self._frames: Stoppable | None = None
        self._proven = False
        self._stopped = self._interrupted = False
        self.complaint = ""

    def run(self, config: FacesecureConfig) -> None:
        """Serve ``config`` and what follows it. Raises KeyboardInterrupt if Ctrl-C was the end, when all is closed."""
        following: FacesecureConfig | None = config
        with self._watchdog, self._signals:
            while following is not None:
                following = self._turn(following)
                give_back()  # before the next daemon needs it
        if self._interrupted:
            raise KeyboardInterrupt

    @property
    def ending(self) -> bool:
        """Whether the present daemon has to end: for good, or for another."""
        return self._stopped or self._next is not None

    def with_complaint(self, line: str) -> str:
        """``line``, and what somebody has to mend."""
        return f"{line}; {self.complaint}" if self.complaint else line

    @contextmanager
    def watched(self, frames: Stoppable, timeout: float) -> Iterator[Iterator[Frame]]:
        """``frames`` of a camera with that ``timeout`` (seconds), ended when we have to; READY while this lasts."""
        progress = Progress(frames, timeout, self._watchdog.seconds or FRAME_SECONDS)
        self._watchdog.watch(progress)
        with self._changed:
            self._frames = frames
        if self.ending:
            frames.stop()
        self._signals.listen()
        notify("READY=1")
        try:
            yield progress.frames()
        finally:
            self._proven = progress.finished > 0
            self._watchdog.watch(Deadline("ending", CHANGE_SECONDS))
            with self._changed:
                self._frames = None
            if not self._next:
                notify("STOPPING=1")

    def wait(self) -> None:
        """Wait until the present daemon has to end."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending)

    def _turn(self, config: FacesecureConfig) -> FacesecureConfig | None:
        """One daemon's time. Returns the configuration of the next one, None after the last."""
        self._config, self._proven = config, False
        self._watchdog.watch(Deadline("starting", CHANGE_SECONDS))
        try:
            self._serve(config, self)
        except Exception as error:
            if self._fallback is None or self._proven or self._stopped:
                raise
            self._refuse(error)
            config, self._fallback = self._fallback, None
            return self._following() or config
        self._fallback = config
        return self._following()

    def _following(self) -> FacesecureConfig | None:
        with self._changed:
            following, self._next = self._next, None
            self._config = following or self._config
        return None if self._stopped else following

    def _hear(self, number: int) -> None:
        """A signal came; in the thread that listens for them."""
        if number == signal.SIGHUP and self._reread is not None:
            threading.Thread(target=self._reload, args=(self._reread,), name="reload", daemon=True).start()
            return
        self._interrupted |= number == signal.SIGINT
        _end_in_time(128 + signal.SIGINT if self._interrupted else 0)
        self._end()

    def _end(self, following: FacesecureConfig | None = None) -> None:
        """End the present daemon, for good or for ``following``."""
        with self._changed:
            self._next, self._stopped = following, self._stopped or following is None
            frames = self._frames
            self._changed.notify_all()
        if frames is not None:
            frames.stop()

    def _reload(self, reread: ReloadConfig) -> None:
        """What was read last is what holds in the end, however many ask at once."""
        with self._reloading:
            self._reload_now(reread)

    def _reload_now(self, reread: ReloadConfig) -> None:
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            config = reread()
        except Exception as error:  # noqa: BLE001 - whatever a plugin's settings raise, the present daemon goes on
            self._refuse(error)
            notify("READY=1")
            return
        self.complaint = ""
        with self._changed:
            present = self._next or self._config
        if config == present:
            _log.info("the configuration has not changed")
            notify("READY=1")
        elif not self._stopped:
            _log.info("the configuration has changed: starting anew")
            self._end(config)

    def _refuse(self, error: Exception) -> None:
        for line in str(error).splitlines():
            _log.error("the new configuration was refused, the old one is kept: %s", line)
        self.complaint = f"the new configuration was refused: {' '.join(str(error).split())}"


def _end_in_time(code: int) -> None:
    """See to it that this process ends with ``code`` within STOP_SECONDS, however busy the machine, whatever hangs.

    Python's own way out, which takes half a second to unload what is gone anyway, is cut short.
    """
    guard = threading.Timer(STOP_SECONDS, _leave_behind, (code,))
    guard.daemon = True
    guard.start()
    atexit.register(_exit, code)


def _leave_behind(code: int) -> None:
    busy = ", ".join(sorted(thread.name for thread in threading.enumerate() if not thread.daemon))
    _log.warning("not everything ended within %g s; left behind: %s", STOP_SECONDS, busy)
    _exit(code)


def _exit(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
