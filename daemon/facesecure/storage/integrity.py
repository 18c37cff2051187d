"""Say what of a state directory is refused because it was changed outside of facesecure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facesecure.domain.records import Person
from facesecure.storage.seals import altered
from facesecure.storage.signed_documents import SignedDocuments


def problems(state_dir: Path, people: Iterable[Person]) -> list[str]:
    """Return a sentence for each document in ``state_dir`` and each of its ``people`` that is refused."""
    return [*SignedDocuments(state_dir).problems(), *(altered(one.name) for one in people if not one.genuine)]
