"""The people that a daemon shares: its store, its models, and the thread that looks for changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from facesecure.app.assembly import Daemon
from facesecure.app.changes import Topic
from facesecure.app.web_api.spare_models import SpareModels
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.link import Duty
from facesecure.hub.sync.local_people import Lend, LocalPeople
from facesecure.hub.sync.people import PeopleSync
from facesecure.hub.sync.visitors import PeopleIds
from facesecure.hub.sync.watching import PeopleWatch
from facesecure.services.model_stack import ModelStack


class SharedPeople:
    """Shares the people of ``daemon``. Models to judge faces of other doors are loaded when some come, and freed again.

    Example::

        shared = SharedPeople(daemon, known)
        with Link(store, [known.learn, shared.duty]) as link, shared.watched(link.wake):
            ...
    """

    def __init__(self, daemon: Daemon, known: KnownDoors) -> None:
        """``known`` are the doors that are trusted. Raises StoreError if what was shared cannot be read."""
        context = daemon.context
        self._store, self._state_dir = context.store, context.state_dir
        self._spare = SpareModels(partial(ModelStack.load, context.config, context.state_dir))
        local = LocalPeople(context.store, context.config, context.state_dir, self._spare.lend)
        changed = context.changes.bumper(Topic.PEOPLE, Topic.VISITS, Topic.VISITORS)
        self._sync = PeopleSync(context.state_dir, known, local, changed)

    @property
    def duty(self) -> Duty:
        """What the link does."""
        return self._sync.share

    @property
    def lend(self) -> Lend:
        """Lends models to judge faces with, to one thread at a time."""
        return self._spare.lend

    @property
    def ids(self) -> PeopleIds:
        """Which local person is which at the hub."""
        return self._sync

    @contextmanager
    def watched(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call ``wake`` during the block when people here have changed."""
        try:
            with PeopleWatch(self._store, self._state_dir, self._sync.notice, wake):
                yield
        finally:
            self._spare.close()
