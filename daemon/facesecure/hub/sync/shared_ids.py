"""Under which identifiers the people of this door are known at the hub, as ``PeopleSync`` has last kept it."""

from __future__ import annotations

from pathlib import Path

from facesecure.domain.errors import UsageError
from facesecure.domain.names import name_key
from facesecure.hub.sync import people_state
from facesecure.hub.sync.people_state import PeopleState
from facesecure.storage.secret_files import SecretFiles
from facesecure.storage.store import Store


class SharedIds:
    """Reads the file again only when it or the people have changed. One thread uses it.

    Example::

        ids = SharedIds(store, state_dir)
        if ids.refresh():
            ids.of("Anna")
    """

    def __init__(self, store: Store, state_dir: Path) -> None:
        """Know nobody yet."""
        self._store, self._state_dir = store, state_dir
        self._path = SecretFiles(state_dir).path(people_state.NAME)
        self._seen: tuple[int, int] | None = None
        self._names: dict[str, str] = {}
        self.removed: frozenset[str] = frozenset()
        """People who were removed, and those whom this door may know no longer."""

    def refresh(self) -> bool:
        """Look again. Return whether anything has changed. Raises StoreError."""
        now = (self._store.people_revision(), self._written())
        if now == self._seen:
            return False
        state = PeopleState.read(self._state_dir)
        names = {person.uid: name_key(person.name) for person in self._store.people() if person.genuine}
        self._names = {names[entry.uid]: one for one, entry in state.people.items() if entry.uid in names}
        here = self._store.removals.removed_people()
        waiting = {one for one, entry in state.people.items() if entry.uid in here}
        self.removed = frozenset((state.gone.keys() - state.people.keys()) | waiting)
        self._seen = now
        return True

    def of(self, name: str) -> str | None:
        """Return the identifier of the person called ``name``, None if there is none."""
        try:
            return self._names.get(name_key(name))
        except UsageError:  # not a name, as of somebody forgotten long ago
            return None

    def _written(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
