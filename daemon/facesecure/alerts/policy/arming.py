"""The household's mode: home, away or off. It is set by a person and kept across restarts.

With an exit delay, away applies some seconds after it was set, and the mode before until then. After a restart it
applies at once.

Stored in STATE_DIR/arming.json (0600), signed, written atomically and durably. A file that cannot be read, or was
changed by others, never disarms: the mode is then the initial one of the configuration, or home if that is off; log,
status and doctor say so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.domain.mode import Mode
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.clock import SystemClock

FILE_NAME = "arming.json"
_VERSION = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Armed:
    """The mode that was set, and when (aware); ``since`` is None if it is still the initial one."""

    mode: Mode
    since: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("since needs a time zone")


@dataclass(frozen=True, slots=True)
class _Leaving:
    """An exit delay: ``before`` applies until ``until``, steady seconds."""

    before: Armed
    until: float


class Arming:
    """The mode of one state directory. Any thread may read and change it.

    Example::

        arming = Arming(state_dir, Mode.HOME)
        arming.arm(Mode.AWAY)
        arming.armed.mode  # Mode.AWAY, also after a restart
    """

    def __init__(
        self,
        state_dir: Path,
        initial: Mode = Mode.HOME,
        on_change: Callable[[], object] = lambda: None,
        *,
        exit_delay: float = 0.0,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """Read the mode that was set last; ``initial`` holds until one is set. ``on_change`` is told of a new mode.

        ``exit_delay``: seconds after which away applies. ``steady``: a clock that never jumps.
        """
        self.path = state_dir / FILE_NAME
        self._documents = SignedDocuments(state_dir)
        self._initial, self._on_change = initial, on_change
        self._exit_delay, self._steady = exit_delay, steady or SystemClock().steady
        self._lock = threading.Lock()
        self._leaving: _Leaving | None = None
        self._armed = read(self._documents, initial)

    @property
    def armed(self) -> Armed:
        """The mode that applies and when it was set: during the exit delay the one before."""
        leaving = self._leaving
        return self._armed if leaving is None or self._steady() >= leaving.until else leaving.before

    @property
    def latest(self) -> Armed:
        """The mode that was set last and when, although an exit delay may still run."""
        return self._armed

    @property
    def intended(self) -> Mode:
        """The mode that was set, although an exit delay may still run."""
        return self._armed.mode

    @property
    def leaving(self) -> float | None:
        """Seconds until away applies; None if no exit delay runs."""
        leaving = self._leaving
        left = 0.0 if leaving is None else leaving.until - self._steady()
        return left if left > 0 else None

    def refresh(self) -> None:
        """Read the file again: the mode may have been set while the daemon was starting and could not be reached."""
        with self._lock:
            self._armed, self._leaving = read(self._documents, self._initial), None
        self._on_change()

    def arm(
        self, mode: Mode, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, at_once: bool = False
    ) -> Armed:
        """Set the mode; away after the exit delay, unless ``at_once``. Returns the one before.

        An exit delay that runs is not begun again. Raises StoreError if the mode cannot be written: it then holds until
        the next restart.
        """
        with self._lock:
            before = self.armed
            self._leaving = None if at_once else self._begun_to_leave(mode, before)
            self._armed = Armed(mode, now())
            self._on_change()
            write(self._documents, self._armed)
        return before

    def _begun_to_leave(self, mode: Mode, before: Armed) -> _Leaving | None:
        if mode is not Mode.AWAY or before.mode is Mode.AWAY or self._exit_delay <= 0:
            return None
        return self._leaving if self.leaving else _Leaving(before, self._steady() + self._exit_delay)


def read(documents: SignedDocuments, initial: Mode) -> Armed:
    """Return the mode that was stored, or ``initial`` if none was. A file that cannot be used arms, and is logged."""
    path = documents.folder / FILE_NAME
    try:
        return _parsed(documents.read(FILE_NAME))
    except FileNotFoundError:
        return Armed(initial)
    except StoreError as error:
        problem = error.message
    except (ValueError, KeyError, TypeError) as error:
        problem = f"{path} cannot be understood ({error})"
    safe = Mode.HOME if initial is Mode.OFF else initial
    _log.error("%s: %s until the mode is set again", problem, safe.words)
    return Armed(safe)


def _parsed(found: dict[str, Any]) -> Armed:
    if found["version"] != _VERSION:
        raise ValueError(f"its version is {found['version']!r}, not {_VERSION}")
    since = found["since"]
    return Armed(Mode(found["mode"]), None if since is None else datetime.fromisoformat(since))


def write(documents: SignedDocuments, armed: Armed) -> None:
    """Write ``armed`` to the disk, owned by the owner of the folder: root may write it for the service.

    Raises StoreError.
    """
    since = None if armed.since is None else armed.since.isoformat()
    try:
        documents.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        documents.write(FILE_NAME, {"version": _VERSION, "mode": armed.mode.value, "since": since})
    except OSError as error:
        hint = "check who owns the state directory, and the free space on its disk"
        raise StoreError(f"cannot write {documents.folder / FILE_NAME}: {error.strerror}", hint) from error
