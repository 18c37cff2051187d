"""Writes as text for the journal, and back."""

from __future__ import annotations

import json
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.storage.outbox_writes import AddAlert, MarkDelivery
from facesecure.storage.sighting_writes import CloseSighting, RecordSighting
from facesecure.storage.writes import Write

_KINDS: dict[str, Any] = {
    "sighting": RecordSighting,
    "end": CloseSighting,
    "alert": AddAlert,
    "delivery": MarkDelivery,
}


def encoded(write: Write) -> bytes:
    """Return ``write`` as text for the journal. Raises StoreError for values that are no text or number."""
    kind = next(name for name, known in _KINDS.items() if isinstance(write, known))
    try:
        return json.dumps({"kind": kind, **write.document()}).encode()
    except (ValueError, TypeError) as error:
        raise StoreError(f"a write cannot be kept for later: {error}", "this is a bug; please report it") from error


def decoded(plain: bytes) -> Write:
    """Return the write that was encoded as ``plain``. Raises ValueError, KeyError or TypeError."""
    document = json.loads(plain)
    kind = _KINDS[document["kind"]]
    write: Write = kind(**kind.fields_of(document))
    return write
