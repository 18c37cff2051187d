"""The log plugin: every alert as structured fields in the journal, as a readable line, and as JSON in a file.

The journal's native protocol is a datagram of FIELD=value lines (systemd.io/JOURNAL_NATIVE_PROTOCOL), so it needs no
library; ``journalctl FACESECURE_KIND=stranger`` finds what was sent. The line goes to the ordinary log, unless that
is the journal too, as it is for a service: it would stand there twice.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure.domain.wire import AlertMessage

JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
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
    """Writes every alert to the journal or the log, and to a JSON file if one is set."""

    class Config(PluginConfig):
        """[plugins.log]"""

        file: Path | None = Field(None, description="also append every alert to this file, as one JSON object a line")
        journal: bool = Field(True, description="structured fields to the systemd journal, where there is one")

    def __init__(self, config: Config, journal_socket: Path = JOURNAL_SOCKET) -> None:
        self._file = config.file.expanduser() if config.file else None
        self._journal = journal_socket if config.journal else None

    def check(self) -> None:
        """Raises PluginError where the file cannot be written."""
        if self._file is not None:
            append(self._file, b"")

    def send(self, alert: Alert) -> None:
        """Journal or line first: they work when the file's disk is full. Raises PluginError where the file fails."""
        journalled = self._journal is not None and send_to_journal(self._journal, journal_fields(alert))
        if not (journalled and log_is_journal()):
            log.log(_LEVELS[alert.kind][0], "%s", readable(alert))
        if self._file is not None:
            append(self._file, json.dumps(AlertMessage.of(alert).as_json(), ensure_ascii=False).encode() + b"\n")


def readable(alert: Alert) -> str:
    """One line for people."""
    seen = alert.sighting
    about = f"{seen.verdict.kind}, {seen.source}, {seen.identifier}]: {seen.verdict.why}" if seen else f"{alert.kind}]"
    return " ".join(f"{alert.text} [{about}".split())


def journal_fields(alert: Alert) -> dict[str, str]:
    """The alert as journal fields: MESSAGE, PRIORITY, and FACESECURE_... for all that is known."""
    known = {
        key: value for key, value in AlertMessage.of(alert).as_json().items() if value is not None and key != "text"
    }
    fields = {"MESSAGE": alert.text, "PRIORITY": str(_LEVELS[alert.kind][1])}
    fields["SYSLOG_IDENTIFIER"] = "facesecure"
    return fields | {f"FACESECURE_{key.upper()}": str(value) for key, value in known.items()}


def send_to_journal(path: Path, fields: Mapping[str, str]) -> bool:
    """Send one entry to the journal that listens at ``path``; False where none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.settimeout(2.0)
        try:
            client.sendto(b"".join(_field(name, value.encode()) for name, value in fields.items()), str(path))
        except OSError as error:
            log.debug("no journal at %s: %s", path, error)
            return False
    return True


def log_is_journal() -> bool:
    """Whether stderr is a stream into the journal: systemd says so by its device and inode, in JOURNAL_STREAM.

    The variable alone proves nothing: a terminal started by the desktop inherits it.
    """
    try:
        stderr = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


def _field(name: str, value: bytes) -> bytes:
    """A field of the native protocol; a value of several lines goes with its length (little-endian, 64 bits)."""
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def _torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def append(path: Path, data: bytes) -> None:
    """Append ``data`` to ``path``, made with its folder where it is missing (0600). Raises PluginError.

    Opened anew each time, so that a file renamed by log rotation is let go of at once. A line that a full disk cut
    short is ended first, so that it spoils no other.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(b"\n" + data if data and _torn(descriptor) else data)
    except OSError as error:
        hint = "check [plugins.log] file: the folder, who owns it, and the free space"
        raise PluginError(f"cannot write {path}: {error.strerror}", hint) from error
