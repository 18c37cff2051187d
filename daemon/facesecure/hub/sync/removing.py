"""Remove people at every door: order it, obey such an order, and confirm. Each step can be repeated after a kill."""

from __future__ import annotations

import logging

from facesecure.domain.errors import HubConflictError, HubRefusedError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import Removal
from facesecure.hub.sync.people_state import Shared
from facesecure.hub.sync.round import Round

FOR_GOOD = 1 << 61
"""Above every version: who was removed here by a door that may not remove them elsewhere does not come back."""

_log = logging.getLogger(__name__)


def obey(work: Round) -> None:
    """Wipe whom other doors ordered to wipe, and confirm it. Raises HubError, and StoreError if a file cannot be wiped.

    An order that is not genuine, or older than what this door knows, is not obeyed, and stays open.
    """
    for order in work.hub.removals.mine():
        if _is_genuine(work, order):
            _wipe(work, order)
            work.hub.removals.confirm(order.person)


def obey_again(work: Round) -> None:
    """Wipe who was removed, and came back with an old backup of this door: of its people, or of all that it has.

    Raises HubError, and StoreError if a file cannot be wiped.
    """
    for uid in work.local.all():
        if work.state.was_wiped(uid):
            _log.warning("somebody who was removed came back with an old backup of this door, and is wiped again")
            work.local.wipe(uid)
    for order in work.hub.removals.mine_confirmed():
        if order.person in work.state.people and _is_genuine(work, order):
            _wipe(work, order)


def order(work: Round) -> None:
    """Remove from the hub whom somebody removed here, so that every door wipes them. Raises HubError, StoreError.

    A door that may not change people forgets them for itself only.
    """
    removed = work.local.removed()
    for identifier, entry in list(work.state.people.items()):
        if entry.twin or entry.uid in removed:
            if work.ours(entry):
                work.state.forget(identifier, _order(work, identifier, entry))
                work.state.ordered.add(identifier)
            else:
                work.state.forget(identifier, FOR_GOOD)
            work.state.save()


def bury(work: Round, identifier: str, version: int) -> None:
    """Remove again whom this door removed once, and an old backup of the hub brought back. Raises HubError."""
    if identifier in work.state.ordered and work.may_enrol:
        above = max(version, work.state.gone[identifier]) + 1
        work.hub.people.remove(identifier, above, work.documents.tombstone(identifier, above))
        work.state.forget(identifier, above)


def _order(work: Round, identifier: str, entry: Shared) -> int:
    """Write the tombstone, if this door may and nobody has. Return its version."""
    row = work.hub.people.get(identifier)
    version = max(entry.version, row.person.version if row else 0) + 1
    if row is None:
        return version
    try:
        work.hub.people.remove(identifier, version, work.documents.tombstone(identifier, version))
    except (HubRefusedError, HubConflictError) as error:
        _log.warning("a person who was removed here stays at other doors: %s; %s", error.message, error.hint)
    return version


def _is_genuine(work: Round, order: Removal) -> bool:
    entry = work.state.people.get(order.person)
    try:
        if order.version <= work.state.gone.get(order.person, 0) and entry is None:
            return True  # wiped already, and not confirmed yet
        work.trusted.check_removal(order, newest=entry.version + 1 if entry else 0)
        if entry is not None and order.household != entry.household:
            raise NotGenuineError("it is of another household than the person")
    except NotGenuineError as error:
        why = f"an order to wipe a person is not obeyed: {error}"
        if entry is not None and entry.note != why:
            _log.warning("the hub: %s", why)
            entry.note = why
        return False
    return True


def finish_begun(work: Round) -> None:
    """Wipe whose enrolment here was interrupted and who is at the hub no longer, once all there has been read.

    Raises StoreError if a file cannot be wiped.
    """
    for uid, identifier in list(work.state.begun.items()):
        if identifier not in work.state.people and identifier not in work.state.refused:
            work.local.wipe(uid)
            del work.state.begun[uid]


def _wipe(work: Round, order: Removal) -> None:
    entry = work.state.people.get(order.person)
    for uid in work.state.begun_as(order.person):
        work.local.wipe(uid)
        del work.state.begun[uid]
    if entry is not None and entry.uid is not None and not entry.twin:
        work.local.wipe(entry.uid)
    if entry is not None or order.person not in work.state.gone:
        work.state.forget(order.person, order.version)
        work.state.save()
