"""How the page reaches the settings of the running daemon: where they are, and how they are put to use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facesecure.services import settings_trial
from facesecure.services.settings_file import Change, Place


@dataclass(frozen=True, slots=True)
class SettingsAccess:
    """The ``place`` of the settings, and the functions of the ``Supervisor`` that put them to use.

    Example::

        access = SettingsAccess(Place(file, state_dir), supervisor.apply, lambda: supervisor.applying)
        access.put_to_use(change_settings(access.place, changes))
    """

    place: Place
    apply: Callable[[Callable[[Exception | None], None]], bool]
    applying: Callable[[], bool]

    def put_to_use(self, change: Change, *, undone: bool = False) -> bool:
        """Have the daemon use ``change``, and take it back if it does not start with it. False if it cannot reload.

        ``undone``: it took another back, and stays: there is nothing else to try.
        """
        if undone:
            return self.apply(lambda error: settings_trial.note(self.place, change, error))
        settings_trial.begin(self.place)
        return self.apply(lambda error: settings_trial.end(self.place, change, error))
