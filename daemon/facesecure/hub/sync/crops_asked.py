"""Ask other doors for pictures of their visits, each only when somebody at this door wants to see it.

A picture is kept in memory for some minutes and nowhere else. With its arrival the hub forgets it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from facesecure.domain.door_visits import DoorVisit, PictureState
from facesecure.domain.doors import OtherDoor
from facesecure.domain.errors import HubRefusedError, ImageError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.vision.images.codec import preview_jpeg
from facesecure.vision.images.photos import photo_of

PATIENCE = 30.0
"""Seconds until a door counts as not answering."""
KEPT_FOR = 600.0
_MOST = 20
"""Pictures that are kept, or waited for, at a time."""
_AGAIN_AFTER = 1.0
"""Seconds between two looks at what became of a request: nobody is told of one that was denied."""
WIDEST = 640

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Wish:
    """The wish for a picture of ``door`` since ``at`` (steady), and what became of it."""

    door: str
    at: float
    sent: bool = False
    refused: bool = False
    received: bytes | None = None
    shown: bytes | None = None

    @property
    def is_open(self) -> bool:
        return not self.refused and self.received is None


class AskedCrops:
    """The pictures that were asked for (``domain.door_visits.PicturesElsewhere``). One thread fetches; any may ask.

    Example::

        asked = AskedCrops(household, doors.others, link.wake)
        Link(store, [household.refresh, asked.fetch])
        asked.ask(visit)
    """

    def __init__(
        self,
        household: Household,
        others: Callable[[], Iterable[OtherDoor]],
        wake: Callable[[], object] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``others`` returns how the other doors are; ``wake`` has ``fetch`` called soon."""
        self._household, self._others, self._wake, self._steady = household, others, wake, steady
        self._lock = threading.Lock()
        self._wishes: OrderedDict[str, _Wish] = OrderedDict()
        self._waiting = threading.Event()

    def state(self, visit: DoorVisit) -> PictureState:
        """Return how it stands with the picture of ``visit``."""
        if not visit.picture:
            return PictureState.NONE
        with self._lock:
            wish = self._wishes.get(visit.identifier)
        waited = self._steady() - wish.at if wish is not None else 0.0
        if wish is not None and waited < KEPT_FOR:
            if wish.received is not None:
                return PictureState.HERE
            if wish.refused:
                return PictureState.REFUSED
            if waited < PATIENCE:
                return PictureState.ASKED
        if not self._household.may(Right.VIEW):
            return PictureState.FORBIDDEN
        if self._is_away(visit.door):
            return PictureState.AWAY
        return PictureState.POSSIBLE if wish is None or waited >= KEPT_FOR else PictureState.UNANSWERED

    def ask(self, visit: DoorVisit) -> PictureState:
        """Ask for the picture, if it is not here, on its way, or out of reach. Return how it stands with it."""
        state = self.state(visit)
        if state not in (PictureState.POSSIBLE, PictureState.UNANSWERED, PictureState.REFUSED):
            return state
        with self._lock:
            self._wishes[visit.identifier] = _Wish(visit.door, self._steady())
            self._wishes.move_to_end(visit.identifier)
            while len(self._wishes) > _MOST:
                self._wishes.popitem(last=False)  # its request at the hub ends with the other door's patience
        self._wake()
        return PictureState.ASKED

    def picture(self, visit: DoorVisit) -> bytes | None:
        """Return the JPEG, drawn anew here: what came may be any file."""
        with self._lock:
            wish = self._wishes.get(visit.identifier)
        if wish is None or wish.received is None or not visit.picture or self.state(visit) is not PictureState.HERE:
            return None
        if wish.shown is None:
            try:
                wish.shown = wish.received = preview_jpeg(photo_of(wish.received, visit.identifier), WIDEST)
            except (ImageError, ValueError) as error:
                _log.warning("the picture of a visit at %s cannot be shown: %s", visit.door_name, error)
                wish.received, wish.refused = None, True
        return wish.shown

    def fetch(self, store: HubStore) -> None:
        """Ask at the hub, and fetch what has come. Raises HubError."""
        now = self._steady()
        with self._lock:
            for identifier in [one for one, wish in self._wishes.items() if now - wish.at >= KEPT_FOR]:
                del self._wishes[identifier]
            wishes = [(one, wish) for one, wish in self._wishes.items() if wish.is_open]
        for identifier, wish in wishes:
            try:
                self._fetch(store, identifier, wish)
            except (NotGenuineError, HubRefusedError) as error:
                _log.warning("a picture of another door is not shown: %s (%s)", error, identifier)
                wish.refused = True
        if any(wish.is_open and now - wish.at < PATIENCE for _, wish in wishes) and not self._waiting.is_set():
            self._waiting.set()
            later = threading.Timer(_AGAIN_AFTER, self._fetch_again)
            later.daemon = True
            later.start()

    def _fetch_again(self) -> None:
        self._waiting.clear()
        self._wake()

    def _fetch(self, store: HubStore, identifier: str, wish: _Wish) -> None:
        row = store.sightings.get(identifier)
        if row is None:
            wish.refused = True
            return
        if row.author != wish.door:
            raise NotGenuineError("another door has handed in that visit")
        if not wish.sent:
            store.crops.request(identifier)
            wish.sent = True
            return
        if not row.has_crop:
            wish.refused = not store.crops.is_asked(identifier)
            return
        sealed = store.crops.get(identifier)
        if sealed is not None:
            wish.received = self._household.documents.open_crop(row, sealed)
            store.crops.withdraw(identifier)

    def _is_away(self, door: str) -> bool:
        found = next((one for one in self._others() if one.identifier == door), None)
        return found is None or found.silent or found.heard_at is None
