"""The log plugin: write every alert to the journal as fields, to the log as a line, and to a file as JSON.

The journal's native protocol is a datagram of FIELD=value lines (systemd.io/JOURNAL_NATIVE_PROTOCOL) and needs no
library; ``journalctl FACESECURE_KIND=stranger`` finds the entries. The line is left out if the log itself goes to the
journal, as that of a service does.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import Field

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure.domain.wire.alerts import AlertMessage
from facesecure.util.paths import expanded

JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
_HINT = "check [plugins.log] file: its folder, who owns it, and the free space"
_LEVELS = {
    AlertKind.KNOWN: (logging.INFO, 6),  # syslog's "informational"
    AlertKind.TEST: (logging.INFO, 6),
    AlertKind.UNIDENTIFIED: (logging.INFO, 5),  # "normal but significant"
    AlertKind.STRANGER: (logging.WARNING, 4),  # "warning"
    AlertKind.CAMERA: (logging.WARNING, 4),
    AlertKind.SERVICE: (logging.WARNING, 4),
}

log = logging.getLogger(__name__)


class LogPlugin:
    """Writes every alert to the journal or the log, and to a JSON file if one is set.

    Example::

        LogPlugin(LogPlugin.Config(file=Path("/var/log/facesecure.jsonl"))).send(alert)
    """

    class Config(PluginConfig):
        """[plugins.log]."""

        file: Path | None = Field(
            None,
            description="also append every alert to this file, as one JSON object a line",
            examples=["/var/lib/facesecure/alerts.jsonl"],
        )
        journal: bool = Field(True, description="send structured fields to the systemd journal, if there is one")

    def __init__(self, config: Config, journal_socket: Path = JOURNAL_SOCKET) -> None:
        """``journal_socket`` is where the journal listens."""
        self._file = expanded(config.file) if config.file else None
        self._journal = journal_socket if config.journal else None

    def check(self) -> None:
        """Raise PluginError if the file cannot be written."""
        if self._file is not None:
            append(self._file, b"")

    def check_settings(self) -> None:
        """Raise PluginError if the file can never be written: it is a folder, or its folder cannot be made."""
        if self._file is None:
            return
        above = next(path for path in (self._file, *self._file.absolute().parents) if path.exists())
        writable = os.access(above, os.W_OK) if above == self._file else above.is_dir() and os.access(above, os.W_OK)
        if self._file.is_dir() or not writable:
            why = "is a folder" if self._file.is_dir() else f"{above} is no folder that can be written"
            raise PluginError(f"cannot write {self._file}: {why}", _HINT)

    def send(self, alert: Alert) -> None:
        """Write to the journal or the log, which work on a full disk, then to the file. Raises PluginError."""
        in_journal = self._journal is not None and send_to_journal(self._journal, journal_fields(alert))
        if not (in_journal and log_is_journal()):
            log.log(_LEVELS[alert.kind][0], "%s", readable(alert))
        if self._file is not None:
            append(self._file, json.dumps(AlertMessage.of(alert).as_json(), ensure_ascii=False).encode() + b"\n")


def readable(alert: Alert) -> str:
    """Return the alert as one readable line."""
    seen = alert.sighting
    about = f"{seen.verdict.kind}, {seen.source}, {seen.identifier}]: {seen.verdict.why}" if seen else f"{alert.kind}]"
    return " ".join(f"{alert.text} [{about}".split())


def journal_fields(alert: Alert) -> dict[str, str]:
    """Return the alert as journal fields: MESSAGE, PRIORITY, and FACESECURE_... for every value that is set."""
    known = {
        key: value for key, value in AlertMessage.of(alert).as_json().items() if value is not None and key != "text"
    }
    fields = {"MESSAGE": alert.text, "PRIORITY": str(_LEVELS[alert.kind][1])}
    fields["SYSLOG_IDENTIFIER"] = "facesecure"
    return fields | {f"FACESECURE_{key.upper()}": str(value) for key, value in known.items()}


def send_to_journal(path: Path, fields: Mapping[str, str]) -> bool:
    """Send one entry to the journal that listens at ``path``. Returns False if none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.settimeout(2.0)
        try:
            client.sendto(b"".join(_field(name, value.encode()) for name, value in fields.items()), str(path))
        except OSError as error:
            log.debug("no journal at %s: %s", path, error)
            return False
    return True


def log_is_journal() -> bool:
    """Return whether stderr goes to the journal: systemd sets JOURNAL_STREAM to its device and inode.

    The variable alone is no proof, since a terminal started by the desktop inherits it.
    """
    try:
        stderr = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


def _field(name: str, value: bytes) -> bytes:
    """Encode one field; a value of several lines is preceded by its length (little-endian, 64 bits)."""
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def _ends_within_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def append(path: Path, data: bytes) -> None:
    """Append ``data`` to ``path``, created with its folder if missing (0600). Raises PluginError.

    The file is opened each time, so that one renamed by log rotation is released at once. A line that a full disk had
    truncated is ended first.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            with suppress(OSError):  # not every network folder can
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # or half a line of another writer looks like one truncated
            file.write(b"\n" + data if data and _ends_within_line(descriptor) else data)
    except OSError as error:
        raise PluginError(f"cannot write {path}: {error.strerror}", _HINT) from error
