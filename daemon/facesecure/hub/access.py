"""Open the hub as this door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesecure.config.hub import HubConfig
from facesecure.hub.database import HubDatabase
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import address_of
from facesecure.hub.store import HubStore


def store_of(identity: Identity, config: HubConfig, state_dir: Path, household: str | None = None) -> HubStore:
    """Return the hub as the door of ``identity`` sees it; it connects when it is used. Raises NotGenuineError.

    ``household`` stands for the certificate's, as long as there is none.
    """
    return HubStore(
        HubDatabase(address_of(identity, config, state_dir)), identity.door, household or identity.own().household
    )


@contextmanager
def opened(identity: Identity, config: HubConfig, state_dir: Path, household: str | None = None) -> Iterator[HubStore]:
    """Return the hub as ``store_of`` does, and close the connection at the end of the block."""
    store = store_of(identity, config, state_dir, household)
    try:
        yield store
    finally:
        store.database.close()
