"""Volumes that are not back yet: written down before one is changed, so that not even kill -9 leaves a speaker loud."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from facesecure_plugins.google_home.device import Device, Loudness

LAPSE = timedelta(hours=1)
"""After this somebody has set the volume by hand; to set it back then would be a surprise."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PendingRestore:
    """``device`` was at ``loudness`` until we changed it, at ``since``."""

    device: Device
    loudness: Loudness
    since: datetime


class PendingRestores:
    """Kept in ``file``, readable by this user alone; without one, as long as the object. Any thread may call."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._debts = _read(file) if file is not None else {}

    def add(self, device: Device, loudness: Loudness) -> Loudness:
        """Note that ``device`` is to be set back to ``loudness``, or to what it is owed already. Returns which."""
        with self._lock:
            debt = self._debts.get(device.key) or PendingRestore(device, loudness, datetime.now(UTC))
            self._debts[device.key] = debt
            self._write()
        return debt.loudness

    def remove(self, device: Device) -> None:
        """``device`` is as loud as it was."""
        with self._lock:
            if self._debts.pop(device.key, None) is not None:
                self._write()

    def open(self) -> list[PendingRestore]:
        """What is still owed. What has lapsed is given up, and said so."""
        with self._lock:
            lapsed = [debt for debt in self._debts.values() if datetime.now(UTC) - debt.since > LAPSE]
            for debt in lapsed:
                log.warning("%s was not set back to volume %s: it did not answer", debt.device.name, debt.loudness)
                del self._debts[debt.device.key]
            if lapsed:
                self._write()
            return list(self._debts.values())

    def _write(self) -> None:
        """A disk that is full does not keep an alarm from being spoken."""
        if self._file is None:
            return
        rows = [
            {**asdict(debt.loudness), **_plain(debt.device), "since": debt.since.isoformat()}
            for debt in self._debts.values()
        ]
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(rows, file)
            fresh.replace(self._file)
        except OSError as error:
            log.warning("cannot note in %s which volumes to set back: %s", self._file, error.strerror)


def _plain(device: Device) -> dict[str, object]:
    return {"name": device.name, "addresses": device.addresses, "uuid": device.uuid and str(device.uuid)}


def _read(file: Path) -> dict[str, PendingRestore]:
    """What the file holds; nothing where there is none, or it makes no sense."""
    try:
        debts = [_debt(row) for row in json.loads(file.read_text())]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s does not tell which volumes to set back: %s", file, error)
        return {}
    return {debt.device.key: debt for debt in debts}


def _debt(row: dict[str, object]) -> PendingRestore:
    addresses = tuple((str(host), int(port)) for host, port in row["addresses"])  # type: ignore[attr-defined]
    device = Device(str(row["name"]), addresses, UUID(str(row["uuid"])) if row["uuid"] else None)
    loudness = Loudness(float(row["level"]), bool(row["muted"]))  # type: ignore[arg-type]
    return PendingRestore(device, loudness, datetime.fromisoformat(str(row["since"])))
