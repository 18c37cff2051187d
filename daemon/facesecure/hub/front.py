"""The front for the hub as the daemon uses it: the thread that keeps the connection, and its duties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from facesecure.app.assembly import Daemon
from facesecure.app.changes import Topic
from facesecure.config import FacesecureConfig
from facesecure.domain.actors import DAEMON, acting
from facesecure.domain.errors import FacesecureError
from facesecure.domain.interfaces import AlertPlugin
from facesecure.hub.access import store_of
from facesecure.hub.heartbeat import Heartbeat
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.link import Duty, Link
from facesecure.hub.managing import Manager
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.mode import SharedMode

NAME = "hub"
_SHARED = {Topic.MODE, Topic.PEOPLE, Topic.VISITORS}


class HubFront:
    """The front of one daemon. A door that cannot use its hub goes on, and says why in ``facesecure status``.

    Example::

        run(config, state_dir, fronts=[HubFront])
    """

    def __init__(self, config: FacesecureConfig) -> None:
        """``config`` has [hub] enabled."""
        self._config = config.hub

    def plugins(self) -> Mapping[str, AlertPlugin]:
        """Return no plugin: the hub is not a way to be notified."""
        return {}

    @contextmanager
    def opened(self, daemon: Daemon) -> Iterator[None]:
        """Keep the connection during the block."""
        state_dir = daemon.context.state_dir
        try:
            identity = member_identity(state_dir)
            duties = duties_of(identity, state_dir, daemon)
        except FacesecureError as error:
            told = _words(error)
            daemon.commands.troubles[NAME] = lambda: told
            yield
            return
        with Link(store_of(identity, self._config, state_dir), duties) as link:
            daemon.commands.troubles[NAME] = lambda: _words(link.trouble) if link.trouble else ""
            daemon.context.changes.follow(_waker(link))
            yield


def duties_of(identity: Identity, state_dir: Path, daemon: Daemon | None = None) -> list[Duty]:
    """Return what the door of ``identity`` does at the hub; only with ``daemon`` it shares. Raises FacesecureError."""
    known = KnownDoors(state_dir)
    duties: list[Duty] = [_answer(state_dir)] if identity.is_manager else []
    duties += [known.learn, Heartbeat(state_dir, known).report]
    return duties if daemon is None else [*duties, *_shared(daemon, known)]


def _shared(daemon: Daemon, known: KnownDoors) -> list[Duty]:
    """Return what ``daemon`` shares with the household."""
    state_dir = daemon.context.state_dir
    household = Household(state_dir, known)
    return [household.refresh, SharedMode(state_dir, daemon.commands, household).follow]


def _waker(link: Link) -> Callable[[Sequence[Topic]], None]:
    """Return what wakes ``link`` when something has changed here that it shares."""

    def wake(topics: Sequence[Topic]) -> None:
        if not _SHARED.isdisjoint(topics):
            link.wake()

    return wake


def _answer(state_dir: Path) -> Duty:
    def answer(store: HubStore) -> None:
        with acting(DAEMON):
            Manager(state_dir, store).answer()

    return answer


def _words(error: FacesecureError) -> str:
    return f"{error.message}; {error.hint}".rstrip("; ")
