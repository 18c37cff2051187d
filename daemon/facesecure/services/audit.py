"""Record in the audit log what people and the daemon do, and read it.

An action never fails because it cannot be recorded: the gap is logged, counted, and mentioned by the next entry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facesecure.domain.actors import Actor, current_actor
from facesecure.domain.errors import StoreError, UsageError, did_you_mean
from facesecure.domain.names import FORGOTTEN, name_key
from facesecure.storage.audit_check import Verification, check
from facesecure.storage.audit_entries import Entry
from facesecure.storage.audit_log import DONE, FAILED, MAX_BYTES, audit_log_of
from facesecure.storage.audit_retention import prune

ACTIONS = {
    "started": "the daemon was started",
    "stopped": "the daemon was stopped",
    "armed": "the mode was set: home, away or off",
    "disarmed-by-face": "the face of somebody on the list changed away to home",
    "disarmed-by-presence": "somebody came home, which changed away to home",
    "person-enrolled": "a person was enrolled, or faces were added",
    "person-renamed": "a person was renamed",
    "person-removed": "a person was forgotten",
    "face-removed": "a face of a person was removed",
    "people-exported": "people were written to a file",
    "people-imported": "people of a file were added",
    "person-assigned": "which doors of the hub know a person was changed",
    "people-learnt": "people came from other doors through the hub, or faces of them",
    "visitor-named": "a visitor was enrolled as a person",
    "visitors-merged": "two visitors were merged: they are one person",
    "visitor-forgotten": "a visitor was forgotten",
    "sighting-corrected": "a sighting was corrected",
    "calibrated": "the thresholds of the household were fitted",
    "key-rotated": "the key was replaced",
    "drill-begun": "a drill was begun",
    "configuration-reloaded": "a changed configuration was put to use",
    "configuration-rejected": "a changed configuration was refused",
    "settings-changed": "settings were changed",
    "settings-undone": "the last change of settings was taken back",
    "settings-rolled-back": "changed settings did not work and were taken back",
    "camera-tried": "somebody had a camera tried that was not added yet: this machine connected to its address",
    "camera-added": "a camera was added on the page",
    "key-copied": "somebody said that they have a copy of the key",
    "database-restored": "a damaged database was replaced by its backup",
    "speaker-accepted": "another speaker may take the name of a known one",
    "model-pulled": "a model was downloaded",
    "model-trusted": "a model of one's own was signed",
    "account-invited": "a one-time link was made for an account of the page",
    "account-created": "an account of the page was made with its one-time link",
    "account-removed": "an account of the page was removed",
    "role-changed": "an account of the page got another role",
    "password-changed": "the password of an account was changed",
    "password-reset": "the password of an account was made void, for a new one",
    "signed-in": "somebody signed in to the page",
    "sign-in-refused": "a wrong password or passkey was given; of many tries only some are recorded",
    "code-refused": "a wrong code was given over MQTT; of many tries only some are recorded",
    "signed-out": "sessions of the page were ended",
    "passkey-added": "a passkey was added to an account",
    "passkey-removed": "a passkey of an account was removed",
    "live-token-made": "a token for live pictures was made",
    "live-token-revoked": "a token for live pictures was revoked",
    "push-subscribed": "a browser asked to be notified",
    "push-removed": "a browser is notified no longer",
    "hub-made": "a hub was made, with this door as its manager",
    "hub-invited": "a door was invited to the hub",
    "hub-joined": "this door joined a hub",
    "hub-join-refused": "a request to join the hub was refused",
    "hub-door-joined": "a door joined the hub",
    "hub-door-renamed": "a door of the hub was renamed",
    "hub-door-removed": "a door was shut out of the hub",
    "picture-asked": "somebody asked another door of the household for the picture of a visit",
    "picture-given": "another door of the household got the picture of a visit at this one",
    "hub-left": "this door left its hub",
    "entries-lost": "as many actions before this could not be recorded",
    "end-unreadable": "the signed end of the log was missing or not genuine",
}
"""What each action in the log means."""

_ABOUT_PEOPLE = {
    "person-enrolled", "person-renamed", "person-removed", "face-removed", "people-exported", "people-imported",
    "people-learnt", "person-assigned", "visitor-named", "sighting-corrected", "disarmed-by-face",
    "disarmed-by-presence",
}  # fmt: skip
"""Actions whose subjects may be names: who is called Off must not take the mode along."""

Record = Callable[..., None]
"""Takes an action and its subjects, and records them."""

_LEAST_DIGITS = 8
"""Of the hash of an end that was noted elsewhere."""

_log = logging.getLogger(__name__)


def record(state_dir: Path, action: str, *subjects: object, outcome: str = DONE, actor: Actor | None = None) -> None:
    """Record ``action``, one of ACTIONS, on ``subjects``; log a warning if it cannot be recorded, and never raise.

    The number and hash of the entry are logged: nobody can change the journal who can write to the state directory.
    ``actor`` is by default the one who acts at present (``domain.actors``).
    """
    log = audit_log_of(state_dir)
    try:
        by = actor or current_actor()
        end = log.record(by, action, [str(one) for one in subjects], outcome)
        _log.info("audit %d:%s %s by %s (%s)", end.number, end.hash, action, by.name, by.origin)
        if log.path.stat().st_size > MAX_BYTES:
            prune(log, None)
    except (StoreError, OSError) as error:
        _log.warning("not recorded in the audit log: %s (%s)", action, error)


def ignore_action(action: str, *subjects: object) -> None:
    """Record nothing: for parts that are used without a state directory."""


@contextmanager
def audited(state_dir: Path, action: str, *subjects: object) -> Iterator[None]:
    """Record ``action`` when the block ends; as failed, and without its subjects, if it raises.

    The name of a person who does not exist could never be forgotten. Wrong usage is no action, and not recorded.

    Example::

        with audited(store.state_dir, "calibrated"):
            save_calibration(store, calibration, state_dir)
    """
    try:
        yield
    except UsageError:
        raise
    except BaseException:
        record(state_dir, action, outcome=FAILED)
        raise
    record(state_dir, action, *subjects)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to return: since a time, of an action, by a user, about a subject; None: any."""

    since: datetime | None = None
    action: str | None = None
    actor: str | None = None
    subject: str | None = None

    def admits(self, entry: Entry) -> bool:
        """Return whether ``entry`` is wanted. The subject is compared like a name: case does not matter."""
        about = {(one.shown or "").casefold() for one in entry.subjects}
        return (
            (self.since is None or entry.at >= self.since)
            and self.action in (None, entry.action)
            and self.actor in (None, entry.actor.name)
            and (self.subject is None or self.subject.casefold() in about)
        )


def select(entries: Sequence[Entry], wanted: Wanted) -> list[Entry]:
    """Return the ``wanted`` entries. Raises UsageError if there is no such action."""
    if wanted.action is not None and wanted.action not in ACTIONS:
        hint = did_you_mean(wanted.action, ACTIONS) or f"the actions are: {', '.join(ACTIONS)}"
        raise UsageError(f"the audit log has no action {wanted.action!r}", hint)
    return [entry for entry in entries if wanted.admits(entry)]


def forget_name(state_dir: Path, name: str, becomes: str) -> None:
    """Replace ``name`` in the log by ``becomes``, or by nothing if the person is forgotten.

    Raises StoreError or OSError.
    """
    wanted = name_key(name)
    audit_log_of(state_dir).forget(
        lambda action, text: action in _ABOUT_PEOPLE and _key(text) == wanted, None if becomes == FORGOTTEN else becomes
    )


def verify(state_dir: Path, expected: Sequence[str] = ()) -> Verification:
    """Return the entries of the log and where its chain breaks. Raises StoreError.

    ``expected`` are ends of the log that were noted elsewhere, as NUMBER:HASH. Raises UsageError for anything else.
    """
    return check(audit_log_of(state_dir), [_end(text) for text in expected])


def _end(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) < _LEAST_DIGITS:
        hint = "it stands in the journal: journalctl -u facesecure | grep audit"
        raise UsageError(f"{text!r} is no end of an audit log, which is NUMBER:HASH", hint)
    return int(number), digest.lower()


def _key(text: str) -> str | None:
    try:
        return name_key(text)
    except UsageError:
        return None
