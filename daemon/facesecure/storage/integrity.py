"""Say what of a state directory is refused because it was changed outside of facesecure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facesecure.storage.seals import altered
from facesecure.storage.secret_files import SecretFiles
from facesecure.storage.signed_documents import SignedDocuments

if TYPE_CHECKING:
    from facesecure.storage.store import Store


def problems(state_dir: Path, store: Store | None) -> list[str]:
    """Return a sentence for each document in ``state_dir``, and each person and account of ``store``, that is refused.

    ``store`` is None where there is no database yet.
    """
    documents = [*SignedDocuments(state_dir).problems(), *SecretFiles(state_dir).problems()]
    if store is None:
        return documents
    people = [altered(one.name) for one in store.people() if not one.genuine]
    return [*documents, *people, *store.page.accounts.problems()]
