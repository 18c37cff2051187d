"""How the page reaches the settings of the running daemon: where they are, and how they are put to use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from facesecure.domain.errors import FacesecureError
from facesecure.services.settings_file import Change, Place, undo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SettingsAccess:
    """The ``place`` of the settings, and the functions of the ``Supervisor`` that put them to use.

    Example::

        access = SettingsAccess(Place(file, state_dir), supervisor.apply, lambda: supervisor.applying)
        access.put_to_use(change_settings(access.place, changes))
    """

    place: Place
    apply: Callable[[Callable[[Exception], None]], bool]
    applying: Callable[[], bool]

    def put_to_use(self, change: Change) -> bool:
        """Have the daemon use ``change``, and take it back if it does not start with it. False if it cannot reload."""

        def take_back(error: Exception) -> None:
            try:
                undo(self.place, change.revision, failed=error)
            except (FacesecureError, OSError) as problem:
                _log.error("the changed settings could not be taken back: %s", problem)

        return self.apply(take_back)
