"""A write as a value: it can be made now, or kept and made later (``write_queue``).

``Writer`` is what sightings, visitors and the outbox write through: ``direct_writer.DirectWriter`` waits for the
database, as commands do; ``write_queue.WriteQueue`` does not, as the daemon must not.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from sqlalchemy.orm import Session


class Write(Protocol):
    """One change of the database. One that may be made ``beside`` all others is repeated at the next start."""

    beside: ClassVar[bool]

    def apply(self, session: Session, *, deferred: bool) -> None:
        """Make the change. A ``deferred`` one may have been made before, by a process that was killed then."""

    def document(self) -> dict[str, Any]:
        """Return the write as JSON for the journal; empty for one that is made ``beside``."""


class Writer(Protocol):
    """Makes writes."""

    @property
    def waiting(self) -> int:
        """The number of writes that were deferred and are not made yet."""

    def do(self, write: Write, timeout: float | None = None) -> bool:
        """Make ``write``. Return True if it is in the database, False if it was deferred and is in the journal.

        ``timeout``: seconds to wait for other writers. Raises StoreError if it was neither made nor kept.
        """

    def deferred(self) -> list[Write]:
        """Return the writes that were deferred and are not made yet, oldest first."""

    def settle(self) -> None:
        """Return once no write is deferred, before data is erased that one of them may contain. Raises BusyError."""
