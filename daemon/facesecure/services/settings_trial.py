"""Try changed settings: they stay once the daemon has started with them, and are taken back if it has not.

That a trial goes on is kept on the disk: if the process ends in the middle of it, the next one takes the change back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from facesecure.domain.errors import ConfigError, FacesecureError
from facesecure.services import settings_history
from facesecure.services.settings_file import Change, Place, history, undo
from facesecure.services.settings_history import History, rejected_now
from facesecure.storage.signed_documents import SignedDocuments

_log = logging.getLogger(__name__)


def begin(place: Place) -> None:
    """Note that the last change is on trial."""
    _update(place, lambda found: replace(found, on_trial=bool(found.versions)))


def end(place: Place, change: Change, error: Exception | None) -> None:
    """End the trial of ``change``: it stays, or is taken back because of ``error``. Never raises."""
    if error is None:
        _update(place, lambda found: replace(found, on_trial=False))
        return
    try:
        undo(place, change.revision, failed=error)
    except (FacesecureError, OSError) as problem:
        _log.error("the changed settings could not be taken back: %s", problem)


def note(place: Place, change: Change, error: Exception | None) -> None:
    """Note that the daemon does not start with ``change``, which stays, because of ``error``. Never raises."""
    if error is not None:
        _update(place, lambda found: replace(found, rejected=rejected_now(change.names, error)))


def take_back_untried(place: Place) -> bool:
    """Take back a change in whose trial the process ended, and return whether there was one. Never raises."""
    try:
        if not history(place).on_trial:
            return False
        undo(place, failed=ConfigError("facesecure ended while it was starting with it", hint="see the journal"))
    except (FacesecureError, OSError) as problem:
        _log.warning("settings that were on trial stay: %s", problem)
        _update(place, lambda found: replace(found, on_trial=False))
        return False
    _log.error("facesecure ended while it was starting with changed settings: they were taken back")
    return True


def _update(place: Place, change: Callable[[History], History]) -> None:
    documents = SignedDocuments(place.state_dir)
    try:
        settings_history.write(documents, change(settings_history.read(documents)))
    except (FacesecureError, OSError) as problem:
        _log.warning("not noted: %s", problem)
