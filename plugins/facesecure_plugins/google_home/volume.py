"""The volumes still to be restored: recorded before a change, so that even kill -9 leaves no speaker too loud."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from facesecure.util.files import read_regular, replace_file
from facesecure_plugins.google_home.device import Device, Loudness

LAPSE = timedelta(hours=1)
"""After this time a user has set the volume by hand, and restoring it would be a surprise."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PendingRestore:
    """``device`` had the volume ``loudness`` until facesecure changed it at ``since``."""

    device: Device
    loudness: Loudness
    since: datetime


class PendingRestores:
    """The volumes to restore, stored in a file (0600), or in memory without one. Thread-safe.

    Example::

        pending = PendingRestores(state_dir / "google_home" / "volumes.json")
        before = pending.add(device, cast.loudness)
        cast.set_loudness(before)
        pending.remove(device)
    """

    def __init__(self, file: Path | None) -> None:
        """Read what an earlier run left in ``file``."""
        self._file = file
        self._lock = threading.Lock()
        self._pending = _read(file) if file is not None else {}

    def add(self, device: Device, loudness: Loudness) -> Loudness:
        """Record that ``device`` is to be set back to ``loudness``, or to what is recorded already. Returns which."""
        with self._lock:
            entry = self._pending.get(device.key) or PendingRestore(device, loudness, datetime.now(UTC))
            self._pending[device.key] = entry
            self._write()
        return entry.loudness

    def remove(self, device: Device) -> None:
        """Note that the volume of ``device`` is restored."""
        with self._lock:
            if self._pending.pop(device.key, None) is not None:
                self._write()

    def open(self) -> list[PendingRestore]:
        """Return what is still to be restored. What is too old is dropped and logged."""
        with self._lock:
            lapsed = [entry for entry in self._pending.values() if datetime.now(UTC) - entry.since > LAPSE]
            for entry in lapsed:
                message = "the volume of %s was not restored to %s: the device did not answer"
                log.warning(message, entry.device.name, entry.loudness)
                del self._pending[entry.device.key]
            if lapsed:
                self._write()
            return list(self._pending.values())

    def _write(self) -> None:
        """Write the file. A full disk must not prevent an announcement, nor an fsync delay it."""
        if self._file is None:
            return
        rows = [
            {**asdict(entry.loudness), **_plain(entry.device), "since": entry.since.isoformat()}
            for entry in self._pending.values()
        ]
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._file, json.dumps(rows).encode(), 0o600)
        except OSError as error:
            log.warning("cannot record in %s which volumes to restore: %s", self._file, error.strerror)


def _plain(device: Device) -> dict[str, object]:
    return {"name": device.name, "addresses": device.addresses, "uuid": device.uuid and str(device.uuid)}


def _read(file: Path) -> dict[str, PendingRestore]:
    """Return the entries of ``file`` by device; none if it is missing or damaged."""
    try:
        entries = [_entry(row) for row in json.loads(read_regular(file))]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("cannot read from %s which volumes to restore: %s", file, error)
        return {}
    return {entry.device.key: entry for entry in entries}


def _entry(row: dict[str, object]) -> PendingRestore:
    addresses = tuple((str(host), int(port)) for host, port in row["addresses"])  # type: ignore[attr-defined]
    device = Device(str(row["name"]), addresses, UUID(str(row["uuid"])) if row["uuid"] else None)
    loudness = Loudness(float(row["level"]), bool(row["muted"]))  # type: ignore[arg-type]
    return PendingRestore(device, loudness, datetime.fromisoformat(str(row["since"])))
