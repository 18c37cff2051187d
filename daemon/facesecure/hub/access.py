"""Open the hub as this door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from facesecure.config.hub import HubConfig
from facesecure.domain.errors import HubError
from facesecure.hub.database import HubDatabase
from facesecure.hub.failures import hint_to_command
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import address_of
from facesecure.hub.store import HubStore
from facesecure.hub.tables import HEAD


def store_of(identity: Identity, config: HubConfig, state_dir: Path, household: str | None = None) -> HubStore:
    """Return the hub as the door of ``identity`` sees it; it connects when it is used. Raises NotGenuineError.

    ``household`` stands for the certificate's, as long as there is none.
    """
    return HubStore(
        HubDatabase(address_of(identity, config, state_dir)), identity.door, household or identity.own().household
    )


def require_fitting(database: HubDatabase) -> None:
    """Raise HubError unless the hub's database is of the version that this facesecure knows. It connects."""
    with database.begin() as connection:
        found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none())
    if found > HEAD:
        raise HubError(
            f"a newer facesecure made this hub (revision {found}; this one knows {HEAD})",
            "upgrade facesecure on this door",
        )
    if found < HEAD:
        raise HubError(
            f"an older facesecure made this hub (revision {found}; this one needs {HEAD})",
            "facesecure hub upgrade DATABASE_URL",
        )


@contextmanager
def opened(identity: Identity, config: HubConfig, state_dir: Path, household: str | None = None) -> Iterator[HubStore]:
    """Return the hub as ``store_of`` does, for a command, and close the connection at the end of the block.

    Raises HubError if the hub cannot be reached, or is of another version.
    """
    store = store_of(identity, config, state_dir, household)
    try:
        require_fitting(store.database)
        yield store
    except HubError as error:
        error.hint = hint_to_command(error.hint) if error.hint else None
        raise
    finally:
        store.database.close()
