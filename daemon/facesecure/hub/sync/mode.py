"""One mode for the household: whoever sets it at one door sets it at all.

The mode is one record, replaced only by who knows the version at the hub. A door keeps the version that it last agreed
with, and the mode it had then: so it knows a change here from a change there, also after a week without the hub or a
restart, and without any clock. If both have changed, the stricter wins: away, home, off. So it does where the hub has
another mode under the version that was agreed, as after an older backup of the hub was put back.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

from facesecure.alerts.policy.arming import Armed, Arming
from facesecure.domain.actors import LONGEST_ACTOR, Actor, acting
from facesecure.domain.errors import HubError, StoreError
from facesecure.domain.mode import Mode
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import Record, RecordKind, Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.json_document import parsed
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.plain_text import one_line

FILE_NAME = "hub/mode.json"
_TRIES = 5
"""How often a change that another door forestalled is decided on again, before the next look."""

_log = logging.getLogger(__name__)


class House(Protocol):
    """What sets the mode of this door (``app.control.commands.Commands``)."""

    @property
    def arming(self) -> Arming:
        """The mode that was set last."""

    def set_mode(self, mode: Mode, *, at_once: bool = False) -> dict[str, Any]:
        """Set ``mode``; ``warning`` of the result says whether it would be lost at a restart."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What this door and the hub last had in common: the record's version, and what was set here then."""

    version: int = 0
    mode: Mode | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The record at the hub. ``mode`` is None if there is none, or nobody who may set the mode wrote it."""

    version: int = 0
    mode: Mode | None = None
    leaving: bool = False
    """Whether an exit delay began with it."""
    door: str = ""
    """The name of the door at which it was set."""


class Step(Enum):
    """What is to be done."""

    KEEP = auto()
    PUSH = auto()
    TAKE = auto()


def step(agreed: Agreed, here: Armed, found: Found, *, may_arm: bool, started: bool = False) -> Step:
    """Return what to do with the mode ``here`` and the one at the hub.

    ``may_arm``: whether the household takes a mode from this door. ``started``: whether the daemon has just begun; what
    was set here may then be older than what was agreed, if the disk was full.
    """
    changed_here = may_arm and here.since is not None and (here.mode, here.since) != (agreed.mode, agreed.since)
    if found.mode is None or found.version < agreed.version:
        lost = 0 < agreed.version >= found.version  # an older backup was put back, or the door that wrote it is gone
        return Step.PUSH if changed_here or (lost and may_arm and here.since is not None) else Step.KEEP
    forked = found.version == agreed.version and found.mode is not agreed.mode  # the hub was put back from a backup
    changed_there = found.version > agreed.version or forked
    if here.mode is found.mode:
        return Step.TAKE if changed_there or changed_here else Step.KEEP
    if here.since is None:
        return Step.TAKE
    doubtful = changed_there or (started and agreed.since is not None and here.since < agreed.since)
    if (changed_here or (forked and may_arm)) and (not doubtful or here.mode.strictness > found.mode.strictness):
        return Step.PUSH
    return Step.TAKE if doubtful else Step.KEEP


class SharedMode:
    """Keeps this door's mode and the household's the same. One thread uses it.

    Example::

        Link(store, [household.refresh, SharedMode(state_dir, daemon.commands, household).follow])
    """

    def __init__(self, state_dir: Path, house: House, household: Household) -> None:
        """Begin with what was agreed before a restart."""
        self._documents, self._house, self._household = SignedDocuments(state_dir), house, household
        self._agreed, self._started = self._remembered(), True
        self._refused = ""

    def follow(self, store: HubStore) -> None:
        """Push a mode that was set here, or take one that was set at another door. Raises HubError."""
        for _ in range(_TRIES):
            found, here = self._found(store), self._house.arming.latest
            may_arm = self._household.may(Right.ARM)
            decided = step(self._agreed, here, found, may_arm=may_arm, started=self._started)
            if decided is Step.TAKE:
                self._take(found, here)
            if decided is not Step.PUSH or self._push(store, here, found):
                self._started = False
                return

    def _found(self, store: HubStore) -> Found:
        row = store.records.get(RecordKind.MODE, self._household.own.household)
        if row is None:
            return Found()
        try:
            return self._opened(row)
        except (NotGenuineError, ValueError, KeyError, TypeError) as error:
            if self._refused != (refused := f"{row.version} {error}"):
                self._refused = refused
                _log.warning("the mode at the hub is not believed: %s", error)
            return Found(row.version)

    def _opened(self, row: Record) -> Found:
        plain = self._household.documents.open_record(row)
        if plain is None:
            return Found(row.version)
        said = parsed(plain)
        return Found(row.version, Mode(said["mode"]), said["leaving"] is True, self._household.name_of(row.author))

    def _push(self, store: HubStore, here: Armed, found: Found) -> bool:
        """Write the mode ``here`` in the place of ``found``; return False if another door was faster."""
        version = max(self._agreed.version, found.version) + 1
        leaving = self._house.arming.leaving is not None
        plain = json.dumps({"mode": here.mode.value, "leaving": leaving}).encode()
        record = self._household.documents.record(RecordKind.MODE, self._household.own.household, version, plain)
        if store.records.put(record, after=found.version) is None:
            return False
        self._agree(Agreed(version, here.mode, here.since))
        return True

    def _take(self, found: Found, here: Armed) -> None:
        """Set the mode of the household here, as whoever set it would have, and never push it again."""
        kept, latest = True, here
        if found.mode is not None and found.mode is not here.mode:
            with acting(Actor("facesecure", one_line(f"door {found.door}", LONGEST_ACTOR))):
                kept = self._house.set_mode(found.mode, at_once=not found.leaving)["warning"] is None
            latest = self._house.arming.latest
        own = latest.mode is found.mode  # otherwise somebody has set another one since: it is pushed next
        self._agree(Agreed(found.version, found.mode, latest.since if own else None), write=kept)

    def _agree(self, agreed: Agreed, *, write: bool = True) -> None:
        """Keep what was agreed; not on the disk (``write``) if the mode itself is not there."""
        self._agreed = agreed
        since = agreed.since.isoformat() if agreed.since else None
        if write:
            said = {"version": agreed.version, "mode": agreed.mode, "since": since, "door": self._household.own.door}
            try:
                self._documents.write(FILE_NAME, said)
            except OSError as error:
                raise HubError(f"what was agreed with the hub cannot be kept: {error.strerror}", _DISK) from error

    def _remembered(self) -> Agreed:
        try:
            found = self._documents.read(FILE_NAME)
            own = self._household.own.door
            if found.get("door", own) != own:  # an older facesecure did not say which door it was
                return Agreed()  # a daemon that still ran wrote it after this door had left its hub
            since = found["since"]
            return Agreed(int(found["version"]), Mode(found["mode"]), datetime.fromisoformat(since) if since else None)
        except FileNotFoundError:
            return Agreed()
        except (StoreError, ValueError, KeyError, TypeError) as error:
            _log.warning("which mode was agreed with the hub is not known; of two, the stricter counts: %s", error)
            return Agreed()


_DISK = "check the free space on the disk of the state directory"
