"""The volumes still to be restored: recorded before a change, so that even kill -9 leaves no speaker too loud."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from facesecure.domain.errors import StoreError
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.files import replace_file
from facesecure.util.plain_text import one_line
from facesecure_plugins.google_home.device import Device, Loudness

FILE_NAME = "google_home/pending_volumes.json"
OLD_FILE_NAME = "google_home/volumes.json"
"""Version 0.1's, which was not signed."""

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
    """The volumes to restore, in a signed file of the state directory, or in memory without one. Thread-safe.

    Example::

        pending = PendingRestores(state_dir)
        before = pending.add(device, cast.loudness)
        cast.set_loudness(before)
        pending.remove(device)
    """

    def __init__(self, state_dir: Path | None) -> None:
        """Read what an earlier run left in ``state_dir``."""
        self._documents = None if state_dir is None else SignedDocuments(state_dir)
        self._lock = threading.Lock()
        self._pending = {} if self._documents is None else _read(self._documents)

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
        if self._documents is None:
            return
        rows = [
            {**asdict(entry.loudness), **_plain(entry.device), "since": entry.since.isoformat()}
            for entry in self._pending.values()
        ]
        path = self._documents.folder / FILE_NAME
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, self._documents.signed(FILE_NAME, {"volumes": rows}), 0o600)
            (self._documents.folder / OLD_FILE_NAME).unlink(missing_ok=True)
        except (OSError, StoreError) as error:
            log.warning("cannot record in %s which volumes to restore: %s", path, one_line(str(error)))


def _plain(device: Device) -> dict[str, object]:
    return {"name": device.name, "addresses": device.addresses, "uuid": device.uuid and str(device.uuid)}


def _read(documents: SignedDocuments) -> dict[str, PendingRestore]:
    """Return the entries by device; none if the file is missing, damaged, or not as facesecure wrote it."""
    try:
        entries = [_entry(row) for row in documents.read(FILE_NAME)["volumes"]]
    except FileNotFoundError:
        return {}
    except (StoreError, ValueError, KeyError, TypeError) as error:
        log.warning("no volume of an earlier run is restored: %s", one_line(str(error)))
        return {}
    return {entry.device.key: entry for entry in entries}


def _entry(row: dict[str, object]) -> PendingRestore:
    addresses = tuple((str(host), int(port)) for host, port in row["addresses"])  # type: ignore[attr-defined]
    device = Device(str(row["name"]), addresses, UUID(str(row["uuid"])) if row["uuid"] else None)
    loudness = Loudness(float(row["level"]), bool(row["muted"]))  # type: ignore[arg-type]
    return PendingRestore(device, loudness, datetime.fromisoformat(str(row["since"])))
