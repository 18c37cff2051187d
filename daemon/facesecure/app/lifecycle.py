"""Run one daemon after another: until SIGTERM, and at SIGHUP another one if the new configuration is valid.

A new configuration is read and checked while the current daemon keeps watching. If it is invalid, the current daemon
stays, and the log and STATUS= report the reason. If it fails only in use, before its first frame, the previous
configuration is used again.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from facesecure.app.process_memory import release_memory
from facesecure.app.signals import Signals, has_terminal
from facesecure.app.systemd import notify
from facesecure.app.watchdog import Capture, Deadline, EachProgress, Progress, Watchdog
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame
from facesecure.storage.audit_log import DONE, FAILED
from facesecure.util.redaction import redact

FRAME_SECONDS = 30.0
"""The longest that one frame may take, where the service manager sets no watchdog timeout."""

CHANGE_SECONDS = 300.0
"""The longest that stopping a daemon and starting the next may take, each; the start may re-embed every face."""

STOP_SECONDS = 2.7
"""The longest that stopping may take. What still hangs is abandoned; alerts that were decided on are on the disk."""

_log = logging.getLogger(__name__)

ReloadConfig = Callable[[], FacesecureConfig]
"""Reads and checks the configuration again, without using it. Raises FacesecureError."""


OnApplied = Callable[[Exception | None], None]
"""Is told that a changed configuration is used (None), or why it is not."""


class Stoppable(Capture, Protocol):
    """A capture that can be stopped (``camera.capture.LatestFrame``)."""

    def stop(self) -> None:
        """End the iteration soon. Thread-safe."""


class Supervisor:
    """Calls ``serve(config, supervisor)`` for each configuration, which builds a daemon and processes its frames.

    ``complaint`` says why the configuration on the disk is not the one in use, empty if it is. ``applying`` is whether
    a configuration is being put to use that ``apply`` was called for. Example::

        def serve(config: FacesecureConfig, supervisor: Supervisor) -> None:
            with assembled(config, state_dir) as daemon, supervisor.watched(daemon.captures) as streams:
                daemon.watch(streams)

        Supervisor(serve).run(config)
    """

    def __init__(
        self,
        serve: Callable[[FacesecureConfig, Supervisor], None],
        reread: ReloadConfig | None = None,
        record: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Without ``reread``, or if a terminal controls this process, SIGHUP stops the service like SIGTERM.

        ``record`` audits that a configuration was reloaded or rejected.
        """
        self._serve, self._record = serve, record
        self._apply_reread = reread
        self._reread = None if has_terminal() else reread
        self._watchdog = Watchdog()
        self._signals = Signals(self._on_signal)
        self._changed = threading.Condition()
        self._reloading = threading.Lock()
        self._config: FacesecureConfig | None = None
        self._next: FacesecureConfig | None = None
        self._fallback: FacesecureConfig | None = None
        self._captures: tuple[Stoppable, ...] = ()
        self._proven = False
        self._stopped = self._interrupted = False
        self._applied: OnApplied | None = None
        self.applying = False
        self.complaint = ""

    def run(self, config: FacesecureConfig) -> None:
        """Serve ``config`` and its successors. After a Ctrl-C, raises KeyboardInterrupt once everything is closed."""
        following: FacesecureConfig | None = config
        with self._watchdog, self._signals:
            while following is not None:
                following = self._serve_once(following)
                release_memory()  # before the next daemon needs it
        if self._interrupted:
            raise KeyboardInterrupt

    @property
    def ending(self) -> bool:
        """Whether the current daemon has to stop: for good, or for its successor."""
        return self._stopped or self._next is not None

    def with_complaint(self, line: str) -> str:
        """Return ``line``, and that there is a complaint; what it says is for the journal: all read STATUS=."""
        return f"{line}; the new configuration was rejected: see the journal" if self.complaint else line

    def apply(self, applied: OnApplied) -> bool:
        """Read the configuration again, as at SIGHUP, and return at once; False if there is none to be read.

        ``applied`` is called, on another thread, when a daemon with it is ready, and with the error if it is not used:
        it is invalid, or failed before its first frame.
        """
        if self._apply_reread is None:
            return False
        self.applying = True
        arguments = (self._apply_reread, applied)
        threading.Thread(target=self._reload, args=arguments, name="reload", daemon=True).start()
        return True

    @contextmanager
    def watched(self, captures: Sequence[tuple[Stoppable, float]]) -> Iterator[list[Iterator[Frame]]]:
        """Yield the frames of each capture under the watchdog's supervision, and report READY; a signal ends them.

        ``captures``: each with its camera's timeout in seconds.
        """
        progress = EachProgress(
            [Progress(frames, timeout, self._watchdog.seconds or FRAME_SECONDS) for frames, timeout in captures]
        )
        self._watchdog.watch(progress)
        with self._changed:
            self._captures = tuple(frames for frames, _ in captures)
        if self.ending:
            self._stop_captures()
        self._signals.listen()
        notify("READY=1")
        if self.applying and not self.ending:  # for another
            self.applying = False
            self._tell(None)
        try:
            yield progress.frames()
        finally:
            self._proven = progress.finished > 0
            self._watchdog.watch(Deadline("stopping", CHANGE_SECONDS))
            with self._changed:
                self._captures = ()
            if not self._next:
                notify("STOPPING=1")

    def _stop_captures(self) -> None:
        for frames in self._captures:
            frames.stop()

    def wait(self) -> None:
        """Wait until the current daemon has to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending)

    def _serve_once(self, config: FacesecureConfig) -> FacesecureConfig | None:
        """Run one daemon. Return the configuration of the next one, None after the last."""
        self._config, self._proven = config, False
        self._watchdog.watch(Deadline("starting", CHANGE_SECONDS))
        try:
            self._serve(config, self)
        except Exception as error:
            if self._fallback is None or self._proven or self._stopped:
                raise
            if self._next is not None:  # which came while this one began, and is not to blame
                _log.error("a configuration that another has followed failed: %s", error)
                return self._following()
            self._reject(error)
            config, self._fallback = self._fallback, None
            return self._following() or config
        self._fallback = config
        return self._following()

    def _following(self) -> FacesecureConfig | None:
        with self._changed:
            following, self._next = self._next, None
            self._config = following or self._config
        return None if self._stopped else following

    def _on_signal(self, number: int) -> None:
        """Handle a signal, on the signal thread."""
        if number == signal.SIGHUP and self._reread is not None:
            threading.Thread(target=self._reload, args=(self._reread,), name="reload", daemon=True).start()
            return
        self._interrupted |= number == signal.SIGINT
        _end_in_time(128 + signal.SIGINT if self._interrupted else 0)
        self._end()

    def _end(self, following: FacesecureConfig | None = None) -> None:
        """Stop the current daemon, for good or for ``following``."""
        with self._changed:
            self._next, self._stopped = following, self._stopped or following is None
            self._changed.notify_all()
        self._stop_captures()

    def _reload(self, reread: ReloadConfig, applied: OnApplied | None = None) -> None:
        """Reload one at a time, so that the configuration read last is the one in use."""
        with self._reloading:
            self._applied = applied
            self._reload_now(reread)

    def _reload_now(self, reread: ReloadConfig) -> None:
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            config = reread()
        except Exception as error:  # noqa: BLE001 - whatever a plugin's settings raise, the current daemon continues
            self._reject(error)
            notify("READY=1")
            return
        self.complaint = ""
        with self._changed:
            current = self._next or self._config
        if config == current:
            self.applying = False
            self._tell(None)
            _log.info("the configuration has not changed")
            notify("READY=1")
        elif not self._stopped:
            _log.info("the configuration has changed: restarting with it")
            self._record("configuration-reloaded")
            self._end(config)

    def _tell(self, error: Exception | None) -> None:
        """Tell whoever called ``apply`` that it is used, and once more if it fails before its first frame."""
        told = self._applied
        self._applied = None if error is not None else told
        if told is not None:
            told(error)

    def _reject(self, error: Exception) -> None:
        for line in str(error).splitlines():
            _log.error("the new configuration was rejected, the old one stays in use: %s", line)
        self._record("configuration-rejected")
        self.applying = False
        self._tell(error)
        self.complaint = redact(f"the new configuration was rejected: {' '.join(str(error).split())}")


def _end_in_time(code: int) -> None:
    """Make this process exit with ``code`` within STOP_SECONDS, even if a thread hangs.

    Python's own shutdown, which spends half a second on unloading modules, is skipped.
    """
    guard = threading.Timer(STOP_SECONDS, _abandon, (code,))
    guard.daemon = True
    guard.start()
    atexit.register(_exit, code)


def _abandon(code: int) -> None:
    busy = ", ".join(sorted(thread.name for thread in threading.enumerate() if not thread.daemon))
    _log.warning("not everything stopped within %g s; abandoned: %s", STOP_SECONDS, busy)
    _exit(code)


def _exit(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class AuditedRun(AbstractContextManager["AuditedRun"]):
    """Audits the first start of the daemon, whatever configurations follow, and its end."""

    def __init__(self, record: Callable[..., None]) -> None:
        self._record = record
        self._begun = False

    def begun(self) -> None:
        """Record the start, once."""
        if not self._begun:
            self._begun = True
            self._record("started")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._begun:
            ended = kind is None or issubclass(kind, KeyboardInterrupt)
            self._record("stopped", outcome=DONE if ended else FAILED)
