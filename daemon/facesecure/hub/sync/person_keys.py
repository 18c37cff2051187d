"""See to it that exactly the doors that may know a person have the key: give it, take it back, replace it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from facesecure.domain.errors import BusyError, DiskFullError, HubConflictError, HubRefusedError, StoreError
from facesecure.domain.records import Person
from facesecure.hub.rows import Right
from facesecure.hub.sealing import DataKey
from facesecure.hub.sync.assigning import Wish
from facesecure.hub.sync.handing_out import document_of, write
from facesecure.hub.sync.people_state import Shared
from facesecure.hub.sync.round import Round
from facesecure.hub.sync.taking_in import is_genuine

_log = logging.getLogger(__name__)


def settle_keys(work: Round, wishes: Mapping[str, Wish]) -> None:
    """Give keys to doors that may know a person now, and replace those that a door may know no longer.

    ``wishes`` say which doors shall know whom, by ``uid``. Raises HubError, StoreError.
    """
    people = work.local.all()
    for identifier, entry in list(work.state.people.items()):
        person = people.get(entry.uid or "")
        if person is None or not person.genuine or not work.ours(entry) or not entry.version or entry.put_back:
            continue
        if identifier in work.state.failed and identifier in work.state.refused:
            continue  # what another door has changed could not be taken in yet: it must not be written over
        try:
            _settle(work, identifier, entry, person, wishes.get(person.uid))
        except (HubRefusedError, HubConflictError) as error:
            entry.note = f"who may know {person.name} cannot be changed: {error.message}"
            _log.warning("%s", entry.note)
        except (BusyError, DiskFullError):
            raise
        except StoreError as error:  # as of a damaged face
            work.put_off(identifier, entry, f"who may know {person.name} cannot be changed: {error.message}")
    work.state.save()


def _settle(work: Round, identifier: str, entry: Shared, person: Person, wish: Wish | None) -> None:
    wished = wish is not None and wish.number != entry.wish
    if not wished and not entry.renew and not _responsible(work, identifier, entry):
        return
    before = entry.doors
    if wish is not None and wished:
        entry.doors = None if wish.doors is None else frozenset(wish.doors)
    if entry.doors is not None:
        entry.doors |= {work.own.door}  # it knows the person too: other doors have to give it the key
    wanted = {one.door: one for one in work.holders(entry)}
    present = {one.door for one in work.trusted.present()}
    if not entry.holders:
        entry.holders = work.hub.people.doors_of(identifier)
    extra = (entry.holders & present) - wanted.keys()
    foreign = entry.author not in _able(work, entry)  # nothing that it signed counts any more
    if extra or foreign or work.needs_key(entry) or before != entry.doors:
        _renew(work, identifier, entry, person, sorted(extra))
    elif missing := [one for door, one in wanted.items() if door not in entry.holders]:
        work.hub.people.share(work.documents.keys_for(identifier, entry.key, missing))
        entry.holders |= {one.door for one in missing}
    if wish is not None and not entry.renew:
        entry.wish = wish.number


def _renew(work: Round, identifier: str, entry: Shared, person: Person, extra: list[str]) -> None:
    """Take the person from the doors ``extra``, and seal them under a new key for those that stay."""
    if not entry.renew:
        entry.renew = True
        work.state.save()  # a kill after the next step leaves the rest to the next round
    at_hub = work.hub.people.get(identifier)
    if at_hub is not None and at_hub.person.version > entry.version and is_genuine(work, at_hub):
        return  # another door was quicker: that is taken in first
    version = max(entry.version, at_hub.person.version if at_hub else 0)
    if extra:
        signature = work.documents.tombstone(identifier, version + 1)
        work.hub.people.withdraw(identifier, extra, version + 1, signature)
        entry.holders -= set(extra)
    document, key = document_of(work, identifier, entry, person), DataKey.made(entry.key.version + 1)
    if write(work, identifier, document, key, version + 2, version, work.holders(entry)):
        entry.edition, entry.local = person.edition, person.name


def _responsible(work: Round, identifier: str, entry: Shared) -> bool:
    """Return whether this door sees to a person's keys.

    The author does, and where that is gone, the first of the doors that have the key.
    """
    if entry.author == work.own.door:
        return True
    able = _able(work, entry)
    if entry.author in able:
        return False
    return work.own.door == min(able & work.hub.people.doors_of(identifier), default="")


def _able(work: Round, entry: Shared) -> set[str]:
    """Return the doors that may change a person."""
    present = work.trusted.present()
    return {one.door for one in present if one.household == entry.household and one.may(Right.ENROL)}
