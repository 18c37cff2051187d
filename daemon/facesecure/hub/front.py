"""The front for the hub as the daemon uses it: the thread that keeps the connection, and its duties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from facesecure.app.assembly import Daemon
from facesecure.config import FacesecureConfig
from facesecure.domain.actors import DAEMON, acting
from facesecure.domain.errors import FacesecureError
from facesecure.domain.interfaces import AlertPlugin
from facesecure.hub.access import store_of
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import Membership, member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.link import Concerned, Duty, Link
from facesecure.hub.managing import Manager
from facesecure.hub.restoring import Restoring
from facesecure.hub.store import HubStore
from facesecure.hub.sync.sharing import NAME, Sharing


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
            store, known = store_of(identity, self._config, state_dir), KnownDoors(state_dir)
            sharing = Sharing(daemon, store, known)
        except FacesecureError as error:
            told = _words(error)
            daemon.commands.troubles[NAME] = lambda: told
            yield
            return
        duties, still = [*duties_of(identity, state_dir, known), *sharing.duties], Membership(state_dir, identity)
        with Link(store, duties, still.require) as link, sharing.begun():
            daemon.commands.troubles[NAME] = lambda: _words(link.trouble) if link.trouble else ""
            yield


def duties_of(identity: Identity, state_dir: Path, known: KnownDoors | None = None) -> list[Duty]:
    """Return what the door of ``identity`` does at the hub besides sharing. Raises FacesecureError."""
    known = known or KnownDoors(state_dir)
    learn = Concerned(known.learn, frozenset({"doors"}))
    if not identity.is_manager:
        return [learn]
    return [_answer(state_dir), learn, Restoring(state_dir, known).restore]


def _answer(state_dir: Path) -> Duty:
    def answer(store: HubStore) -> None:
        with acting(DAEMON):
            Manager(state_dir, store).answer()

    return answer


def _words(error: FacesecureError) -> str:
    return f"{error.message}; {error.hint}".rstrip("; ")
