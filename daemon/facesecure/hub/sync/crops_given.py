"""Show pictures of this door's visits to the household's other doors, each only when one of them asks."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from facesecure.domain.actors import DAEMON
from facesecure.domain.errors import HubError, HubFullError, HubUnreachableError, ImageError, UsageError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import CropRequest, Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.telling import Telling
from facesecure.services.audit import record
from facesecure.services.thumbnails import portrait
from facesecure.storage.store import Store
from facesecure.vision.images.codec import preview_jpeg
from facesecure.vision.images.photos import photo_of

KEPT_AT_HUB = timedelta(minutes=2)
_TIDY_EVERY = 30.0
_TIDY_FOR = 600.0
_MOST_AT_ONCE = 3
_MOST_AN_HOUR = 200
"""Pictures for all doors together: who presses buttons needs fewer, and a door that was taken over gets no more."""
_WIDEST = 640

_log = logging.getLogger(__name__)


class GivenCrops:
    """Answers requests for pictures. One thread uses it.

    Example::

        given = GivenCrops(store, household, visits.told, config.hub.crops)
        Link(hub, [household.refresh, given.give])
    """

    def __init__(
        self,
        store: Store,
        household: Household,
        told: Telling,
        crops: str = "on-request",
        steady: Callable[[], float] = time.monotonic,
        more: Callable[[], object] = lambda: None,
    ) -> None:
        """``told`` knows which visit is which; ``crops`` is ``[hub] crops``; ``more`` has ``give`` called again."""
        self._store, self._household, self._told, self._steady = store, household, told, steady
        self._more = more
        self._shows_any = crops != "never"
        self._given: deque[float] = deque(maxlen=_MOST_AN_HOUR)
        self._tidied: float | None = None

    def give(self, hub: HubStore) -> None:
        """Answer some requests, and take back what nobody fetched. Raises HubError."""
        if self._told.has_looked:
            requests = hub.crops.requested()
            for request in requests[:_MOST_AT_ONCE]:
                self._answer(hub, request)
            if len(requests) > _MOST_AT_ONCE:
                self._more()
        now = self._steady()
        lately = bool(self._given) and now - self._given[-1] < _TIDY_FOR
        if self._tidied is None or (lately and now - self._tidied >= _TIDY_EVERY):
            hub.crops.tidy(KEPT_AT_HUB)
            self._tidied = now

    def _answer(self, hub: HubStore, request: CropRequest) -> None:
        asking = self._allowed(request)
        picture = self._picture(request.sighting) if asking else None
        if picture is None or asking is None:
            hub.crops.deny(request.sighting)
            return
        try:
            hub.crops.put(request.sighting, self._household.documents.crop(request.sighting, picture))
        except (HubUnreachableError, HubFullError):
            raise
        except HubError:
            return  # whoever asked does no longer
        self._given.append(self._steady())
        record(self._store.state_dir, "picture-given", asking, actor=DAEMON)

    def _allowed(self, request: CropRequest) -> str | None:
        """Return the name of the door that asks, None if it gets nothing."""
        if not self._shows_any:
            return None
        try:
            door = self._household.doors.door(request.door)
        except NotGenuineError:
            _log.warning("the hub: a door that is not trusted asks for a picture, and gets none")
            return None
        if door.household != self._household.own.household or not door.may(Right.VIEW):
            _log.warning("the hub: the door %s asks for a picture, which it may not", door.name)
            return None
        if len(self._given) == _MOST_AN_HOUR and self._steady() - self._given[0] < 3600:
            _log.warning("the door %s gets no picture: %d were given within an hour", door.name, _MOST_AN_HOUR)
            return None
        return door.name

    def _picture(self, identifier: str) -> bytes | None:
        """Return the face and what is around it, or the whole snapshot if there is no face; None without a snapshot."""
        sighting = self._told.sighting_of(identifier)
        if sighting is None:
            return None
        try:
            picture = portrait(self._store, self._store.timeline.sighting(sighting))
            return None if picture is None else preview_jpeg(photo_of(picture, sighting), _WIDEST)
        except (UsageError, ImageError, ValueError):
            return None
