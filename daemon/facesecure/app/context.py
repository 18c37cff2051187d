"""Whom the daemon works for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from facesecure.alerts.policy.arming import Arming
from facesecure.app.ram_fallback import StateLocation
from facesecure.config import FacesecureConfig
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class DaemonContext:
    """What a household wants, where and what is remembered of it, and the models that know its people.

    ``choose`` tells its strangers apart.
    """

    config: FacesecureConfig
    place: StateLocation
    store: Store
    arming: Arming
    models: ModelStack
    match_visitor: MatchVisitor

    def names(self) -> list[str]:
        """Who can be recognised."""
        return self.models.names(self.store)

    def group(self, stranger: str) -> object:
        """Find out which visitor it was that the sighting with that identifier showed. Raises StoreError."""
        return self.store.visitors.group(stranger, self.match_visitor)

    def troubles(self) -> Iterator[tuple[str, str]]:
        """What befell the state before this start: events of the service, and why, for reading."""
        if self.store.restored:
            yield "restored", ""
        if freed := self.store.freed + self.place.freed:
            yield "disk_full", f"{freed / 1e6:.0f} MB of old snapshots and backups were let go"
        if self.place.complaint:
            yield "unwritable", self.place.complaint
