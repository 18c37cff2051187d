"""Whether the household is at home, away, or wants to be left alone: said once, and still so after a restart.

Kept in STATE_DIR/arming.json (0600), written whole and durably. A file that cannot be understood never disarms: the
mode is then what the configuration starts with, and the log says so.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from facesecure.domain.errors import StoreError

FILE_NAME = "arming.json"
_VERSION = 1

_log = logging.getLogger(__name__)


class Mode(StrEnum):
    """What the household wants to be told of."""

    HOME = "home"
    AWAY = "away"
    OFF = "off"
    """Disarmed: nobody is told of anybody."""

    @property
    def words(self) -> str:
        """As in "watching, armed away"."""
        return "disarmed" if self is Mode.OFF else f"armed {self.value}"


@dataclass(frozen=True, slots=True)
class Armed:
    """The mode that somebody chose, and when; ``since`` is None where nobody has chosen yet."""

    mode: Mode
    since: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("since needs a time zone")


class Arming:
    """The mode of one state directory. Any thread may ask and any may change it."""

    def __init__(self, state_dir: Path, initial: Mode = Mode.HOME) -> None:
        """``initial``: what the household wants until somebody says otherwise."""
        self.path = state_dir / FILE_NAME
        self._initial = initial
        self._lock = threading.Lock()
        self._armed = read(self.path, initial)

    @property
    def armed(self) -> Armed:
        return self._armed

    def refresh(self) -> None:
        """Read the file again: somebody may have armed while a daemon was starting, and could not be asked yet."""
        with self._lock:
            self._armed = read(self.path, self._initial)

    def arm(self, mode: Mode, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Armed:
        """Change the mode, from this moment on. Returns what it was before.

        Raises StoreError where it could not be written: it is changed all the same, until the next restart.
        """
        with self._lock:
            before, self._armed = self._armed, Armed(mode, now())
            write(self.path, self._armed)
        return before


def read(path: Path, initial: Mode) -> Armed:
    """What ``path`` says; ``initial`` where there is no such file. A damaged one arms, and is logged."""
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        return Armed(initial)
    except (OSError, ValueError, KeyError, TypeError) as error:
        safe = Mode.HOME if initial is Mode.OFF else initial
        _log.error("%s cannot be understood (%s): taken as %s until somebody arms anew", path, error, safe.words)
        return Armed(safe)


def _parsed(content: bytes) -> Armed:
    found = json.loads(content)
    if found["version"] != _VERSION:
        raise ValueError(f"its version is {found['version']!r}, not {_VERSION}")
    since = found["since"]
    return Armed(Mode(found["mode"]), None if since is None else datetime.fromisoformat(since))


def write(path: Path, armed: Armed) -> None:
    """Put ``armed`` on the disk, owned by whoever owns the folder: root may write it for the service.

    Raises StoreError.
    """
    from facesecure.util.files import write_durably

    since = None if armed.since is None else armed.since.isoformat()
    content = {"version": _VERSION, "mode": armed.mode.value, "since": since}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(path, json.dumps(content).encode())
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.chown(path, owner.st_uid, owner.st_gid)
    except OSError as error:
        hint = "check who owns the state directory, and the free space on its disk"
        raise StoreError(f"cannot write {path}: {error.strerror}", hint) from error
