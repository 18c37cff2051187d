"""The household's mode: home, away or off. It is set by a person and kept across restarts.

Stored in STATE_DIR/arming.json (0600), written atomically and durably. A file that cannot be read never disarms: the
mode is then the initial one of the configuration, or home if that is off, and the log says so.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import write_durably

FILE_NAME = "arming.json"
_VERSION = 1

_log = logging.getLogger(__name__)


class Mode(StrEnum):
    """The mode of the household, which decides on alerts."""

    HOME = "home"
    AWAY = "away"
    OFF = "off"
    """Disarmed: no visitor is announced."""

    @property
    def words(self) -> str:
        """The mode as in "watching, armed away"."""
        return "disarmed" if self is Mode.OFF else f"armed {self.value}"


@dataclass(frozen=True, slots=True)
class Armed:
    """The mode that was set, and when (aware); ``since`` is None if it is still the initial one."""

    mode: Mode
    since: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("since needs a time zone")


class Arming:
    """The mode of one state directory. Any thread may read and change it.

    Example::

        arming = Arming(state_dir, Mode.HOME)
        arming.arm(Mode.AWAY)
        arming.armed.mode  # Mode.AWAY, also after a restart
    """

    def __init__(self, state_dir: Path, initial: Mode = Mode.HOME) -> None:
        """Read the mode that was set last; ``initial`` holds until one is set."""
        self.path = state_dir / FILE_NAME
        self._initial = initial
        self._lock = threading.Lock()
        self._armed = read(self.path, initial)

    @property
    def armed(self) -> Armed:
        """The present mode and when it was set."""
        return self._armed

    def refresh(self) -> None:
        """Read the file again: the mode may have been set while the daemon was starting and could not be reached."""
        with self._lock:
            self._armed = read(self.path, self._initial)

    def arm(self, mode: Mode, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Armed:
        """Set the mode at once. Returns the one before.

        Raises StoreError if it cannot be written: it then holds until the next restart.
        """
        with self._lock:
            before, self._armed = self._armed, Armed(mode, now())
            write(self.path, self._armed)
        return before


def read(path: Path, initial: Mode) -> Armed:
    """Return the mode stored in ``path``, or ``initial`` without such a file. A damaged file arms, and is logged."""
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        return Armed(initial)
    except (OSError, ValueError, KeyError, TypeError) as error:
        safe = Mode.HOME if initial is Mode.OFF else initial
        _log.error("%s cannot be understood (%s): %s until the mode is set again", path, error, safe.words)
        return Armed(safe)


def _parsed(content: bytes) -> Armed:
    found = json.loads(content)
    if found["version"] != _VERSION:
        raise ValueError(f"its version is {found['version']!r}, not {_VERSION}")
    since = found["since"]
    return Armed(Mode(found["mode"]), None if since is None else datetime.fromisoformat(since))


def write(path: Path, armed: Armed) -> None:
    """Write ``armed`` to the disk, owned by the owner of the folder: root may write it for the service.

    Raises StoreError.
    """
    since = None if armed.since is None else armed.since.isoformat()
    content = {"version": _VERSION, "mode": armed.mode.value, "since": since}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(path, json.dumps(content).encode())
    except OSError as error:
        hint = "check who owns the state directory, and the free space on its disk"
        raise StoreError(f"cannot write {path}: {error.strerror}", hint) from error
