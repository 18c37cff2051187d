"""Define the lines of the audit log, and the cryptography that chains and seals them.

Each entry has a SHA-256 over its content and the hash of the entry before, and for each key that may read it (two while
the key is rotated) an HMAC-SHA-256 of that hash. What an entry is about, a person's name for example, is not in the
hash itself but a commitment to it: a hash with a random salt of 128 bits. Name and salt stand beside the commitment.
They can be erased without breaking the chain, and then nobody can find the name by trying. What takes their place is
sealed too, so that only the owner of the key can erase.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from facesecure.domain.actors import LONGEST_ACTOR, Actor
from facesecure.storage.keys import Key
from facesecure.util.plain_text import is_plain, one_line

GENESIS = "0" * 64
"""Stands for the hash of the entry before the first."""
LONGEST_SUBJECT = 120
MOST_SUBJECTS = 20
_PURPOSE = "audit log"
_HASH = 64
_LONGEST_WORD = 64


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about: its ``commitment``, and either the text and its salt, or what took their place.

    ``text`` is None once it was erased; ``becomes`` is then the name that is shown instead, and ``macs`` seal that.
    """

    commitment: str
    text: str | None
    salt: str = ""
    becomes: str | None = None
    macs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Subject:
        """Return the subject ``text``, with a new salt."""
        text, salt = one_line(text, LONGEST_SUBJECT), secrets.token_hex(16)
        return cls(_commitment(salt, text), text, salt)

    @property
    def shown(self) -> str | None:
        """The text, or the name that replaced it; None if it is forgotten."""
        return self.becomes if self.text is None else self.text

    def erased(self, becomes: str | None, keys: Iterable[Key]) -> Subject:
        """Return the subject without its text, shown as ``becomes`` from now on."""
        macs = {key.identifier: _mac(key, "erased", self.commitment, becomes) for key in keys}
        return Subject(self.commitment, None, becomes=becomes, macs=macs)

    def sealed(self, keys: Iterable[Key]) -> Subject:
        """Return the subject with its erasure, if it was erased, sealed with each of ``keys``."""
        return self if self.text is not None else self.erased(self.becomes, keys)

    def is_genuine(self, key: Key) -> bool:
        """Return whether the text is the one that was committed to, or was erased by the owner of ``key``."""
        if self.text is not None:
            return hmac.compare_digest(self.commitment.encode(), _commitment(self.salt, self.text).encode())
        return _matches(self.macs, key, "erased", self.commitment, self.becomes)

    def as_json(self) -> dict[str, Any]:
        """Return what stands beside the commitment."""
        if self.text is not None:
            return {"text": self.text, "salt": self.salt}
        return {"becomes": self.becomes, "macs": dict(self.macs)}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the chain: the number and hash of the last entry before it."""

    number: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """One action: when, by whom, what, on what, and whether it succeeded; chained to the entry before."""

    number: int
    at: datetime
    actor: Actor
    action: str
    outcome: str
    subjects: tuple[Subject, ...]
    previous: str
    hash: str = ""
    macs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def after(
        cls, last: Position, at: datetime, actor: Actor, action: str, outcome: str, subjects: Sequence[str], key: Key
    ) -> Entry:
        """Return the entry that follows ``last``, sealed with ``key``. More than MOST_SUBJECTS are summed up."""
        texts = list(subjects[:MOST_SUBJECTS])
        if len(subjects) > MOST_SUBJECTS:
            texts[-1] = f"and {len(subjects) - MOST_SUBJECTS + 1} more"
        chosen = tuple(Subject.of(text) for text in texts)
        entry = cls(last.number + 1, at.astimezone(UTC), actor, action, outcome, chosen, last.hash)
        return replace(entry, hash=entry.digest()).sealed([key])

    @property
    def position(self) -> Position:
        """The place after this entry."""
        return Position(self.number, self.hash)

    def digest(self) -> str:
        """Return the hash of the content and of the entry before."""
        actor, commitments = [self.actor.name, self.actor.origin], [one.commitment for one in self.subjects]
        content = [self.number, self.at.isoformat(), *actor, self.action, self.outcome, commitments, self.previous]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def sealed(self, keys: Iterable[Key]) -> Entry:
        """Return the entry with a seal for each of ``keys``."""
        return replace(self, macs={key.identifier: _mac(key, "entry", self.hash) for key in keys})

    def is_genuine(self, key: Key) -> bool:
        """Return whether the owner of ``key`` wrote this entry as it is, its subjects' texts aside."""
        return self.hash == self.digest() and _matches(self.macs, key, "entry", self.hash)

    def line(self) -> bytes:
        """Return the entry as a line of the log."""
        document = {
            "number": self.number,
            "at": self.at.isoformat(),
            "actor": self.actor.name,
            "origin": self.actor.origin,
            "action": self.action,
            "outcome": self.outcome,
            "subjects": [{"commitment": one.commitment, **one.as_json()} for one in self.subjects],
            "previous": self.previous,
            "hash": self.hash,
            "macs": dict(self.macs),
        }
        return json.dumps(document, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first line of a log whose oldest entries were pruned: where it goes on, and ``breaks``, those found in them.

    ``at`` is the time of the last entry that was pruned.
    """

    position: Position
    at: datetime
    breaks: int = 0
    macs: Mapping[str, str] = field(default_factory=dict)

    def sealed(self, keys: Iterable[Key]) -> Checkpoint:
        """Return the checkpoint with a seal for each of ``keys``."""
        return replace(self, macs={key.identifier: _mac(key, "checkpoint", *self._content()) for key in keys})

    def is_genuine(self, key: Key) -> bool:
        """Return whether the owner of ``key`` wrote it."""
        return _matches(self.macs, key, "checkpoint", *self._content())

    def line(self) -> bytes:
        """Return the checkpoint as a line of the log."""
        named = zip(("checkpoint", "hash", "at", "breaks"), self._content(), strict=True)
        document = {**dict(named), "macs": dict(self.macs)}
        return json.dumps(document, separators=(",", ":")).encode() + b"\n"

    def _content(self) -> tuple[int, str, str, int]:
        return self.position.number, self.position.hash, self.at.isoformat(), self.breaks


def parse(line: bytes) -> Entry | Checkpoint:
    """Return what ``line`` holds. Raises ValueError if it is neither an entry nor a checkpoint."""
    try:
        found = json.loads(line)
        return _checkpoint(found) if "checkpoint" in found else _entry(found)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _entry(found: Mapping[str, Any]) -> Entry:
    return Entry(
        _number(found["number"]),
        _time(found["at"]),
        Actor(_text(found["actor"], LONGEST_ACTOR), _text(found["origin"])),
        _text(found["action"]),
        _text(found["outcome"]),
        tuple(_subject(one) for one in found["subjects"][:MOST_SUBJECTS]),
        _text(found["previous"], _HASH),
        _text(found["hash"], _HASH),
        _macs(found["macs"]),
    )


def _checkpoint(found: Mapping[str, Any]) -> Checkpoint:
    position = Position(_number(found["checkpoint"]), _text(found["hash"], _HASH))
    return Checkpoint(position, _time(found["at"]), _number(found["breaks"]), _macs(found["macs"]))


def _subject(found: Mapping[str, Any]) -> Subject:
    commitment = _text(found["commitment"], _HASH)
    if "text" in found:
        return Subject(commitment, _text(found["text"], LONGEST_SUBJECT), _text(found["salt"]))
    becomes = found.get("becomes")
    shown = None if becomes is None else _text(becomes, LONGEST_SUBJECT)
    return Subject(commitment, None, becomes=shown, macs=_macs(found.get("macs", {})))


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(f"{value!r:.20} is no number")
    return value


def _text(value: object, longest: int = _LONGEST_WORD) -> str:
    if not isinstance(value, str) or len(value) > longest or not is_plain(value):
        raise ValueError("a text is too long, or is none")
    return value


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.utcoffset() is None:
        raise ValueError("a time has no zone")
    return at


def _macs(value: Mapping[str, Any]) -> dict[str, str]:
    return {_text(key): _text(mac, _HASH) for key, mac in value.items()}


def _commitment(salt: str, text: str) -> str:
    return hashlib.sha256(json.dumps([salt, text]).encode()).hexdigest()


def _mac(key: Key, *values: object) -> str:
    return hmac.digest(key.derived(_PURPOSE), json.dumps(values).encode(), hashlib.sha256).hex()


def _matches(macs: Mapping[str, str], key: Key, *values: object) -> bool:
    found = macs.get(key.identifier, "")
    return hmac.compare_digest(found.encode(errors="replace"), _mac(key, *values).encode())
