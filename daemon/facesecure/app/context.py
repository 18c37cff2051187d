"""Whom the daemon works for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from facesecure.alerts.policy.arming import Arming
from facesecure.alerts.policy.visit import Choose
from facesecure.app.ram_fallback import Place
from facesecure.config import FacesecureConfig
from facesecure.services.model_stack import Vision
from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class Home:
    """What a household wants, where and what is remembered of it, and the models that know its people.

    ``choose`` tells its strangers apart.
    """

    config: FacesecureConfig
    place: Place
    store: Store
    arming: Arming
    vision: Vision
    choose: Choose

    def names(self) -> list[str]:
        """Who can be recognised."""
        return self.vision.names(self.store)

    def group(self, stranger: str) -> object:
        """Find out which visitor it was that the sighting with that identifier showed. Raises StoreError."""
        return self.store.visitors.group(stranger, self.choose)

    def troubles(self) -> Iterator[tuple[str, str]]:
        """What befell the state before this start: events of the service, and why, for reading."""
        if self.store.restored:
            yield "restored", ""
        if freed := self.store.freed + self.place.freed:
            yield "disk_full", f"{freed / 1e6:.0f} MB of old snapshots and backups were let go"
        if self.place.complaint:
            yield "unwritable", self.place.complaint
