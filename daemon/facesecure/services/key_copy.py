"""Remember that somebody has a copy of the key: without the key, the faces of a broken machine cannot be read again.

Kept in STATE_DIR/key-copy.json, signed. It is about one key: after ``facesecure key rotate`` there has to be a copy of
the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.services.audit import audited
from facesecure.storage.keys import Key, find_key
from facesecure.storage.signed_documents import SignedDocuments

FILE_NAME = "key-copy.json"
SERVICE_KEY = "/etc/facesecure/key"
"""Where the service's key is; systemd hands it over."""


@dataclass(frozen=True, slots=True)
class KeyCopy:
    """The key's file, and who said when that there is a copy of it; None if nobody did."""

    path: str
    identifier: str
    beside_faces: bool
    by: str | None = None
    at: datetime | None = None


def key_copy(state_dir: Path) -> KeyCopy | None:
    """Return what is known of the copy of the key; None if there is no key yet. Raises StoreError."""
    key = find_key(state_dir)
    if key is None:
        return None
    documents = SignedDocuments(state_dir)
    try:
        found = documents.read(FILE_NAME)
        if found["key"] == key.identifier:
            return _of(key, state_dir, str(found["by"]), datetime.fromisoformat(found["at"]))
    except (FileNotFoundError, StoreError, KeyError, TypeError, ValueError):
        pass  # nobody has said so, as far as is certain: the reminder stays
    return _of(key, state_dir)


def note_copy(state_dir: Path, by: str) -> KeyCopy | None:
    """Note that ``by`` has a copy of the present key, and return it. Raises StoreError or OSError."""
    key = find_key(state_dir)
    if key is None:
        return None
    now = datetime.now(UTC)
    with audited(state_dir, "key-copied", key.identifier):
        SignedDocuments(state_dir).write(FILE_NAME, {"key": key.identifier, "by": by, "at": now.isoformat()})
    return _of(key, state_dir, by, now)


def _of(key: Key, state_dir: Path, by: str | None = None, at: datetime | None = None) -> KeyCopy:
    path = SERVICE_KEY if key.from_systemd else str(key.path)
    return KeyCopy(path, key.identifier, key.path.parent == state_dir, by, at)
