"""What is known of who is at home, across a restart: STATE_DIR/presence.json (0600, signed), without names.

Each person stands there under a hash. Ages are measured by the clock that never jumps if the machine has not been
restarted, else by the time of day; what then lies in the future is dropped.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.domain.names import name_key
from facesecure.domain.presence import Whereabouts
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.clock import Clock

FILE_NAME = "presence.json"
_VERSION = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of somebody: where they are, since when (aware), and when it was heard last (steady seconds)."""

    where: Whereabouts
    since: datetime
    at: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What was heard of each person by the key of the name, and whether it was concluded that nobody is at home."""

    people: Mapping[str, Heard] = field(default_factory=dict)
    empty: bool = False


class PresenceFile:
    """The file of one state directory.

    Example::

        file = PresenceFile(state_dir, clock)
        file.save(Memory({"anna": heard}))
        file.load(["Anna"])
    """

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        """Read and write nothing yet."""
        self._documents, self._clock = SignedDocuments(state_dir), clock
        self._failed = False

    def load(self, names: Iterable[str]) -> Memory:
        """Return what is stored about the people called ``names``; nothing, with a log line, if that is unusable."""
        try:
            found = self._documents.read(FILE_NAME)
            if found["version"] != _VERSION:
                return Memory()
            shift = self._shift(found)
            keys = {_hash(name_key(name)): name_key(name) for name in names}
            heard = {keys[each]: _heard(entry, shift) for each, entry in found["people"].items() if each in keys}
            now = self._clock.steady()
            return Memory({key: one for key, one in heard.items() if one.at <= now}, bool(found["empty"]))
        except FileNotFoundError:
            return Memory()
        except StoreError as error:
            _log.error("%s: nothing is known of who is at home until it is heard again", error.message)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            _log.warning("%s cannot be read (%s): it is not known who is at home", FILE_NAME, error)
        return Memory()

    def save(self, memory: Memory) -> None:
        """Write ``memory`` durably. A failure is logged once, until a write succeeds."""
        document = {
            "version": _VERSION,
            "boot": self._clock.boot,
            "steady": self._clock.steady(),
            "wall": self._clock.now().isoformat(),
            "empty": memory.empty,
            "people": {
                _hash(key): {"where": one.where.value, "since": one.since.isoformat(), "at": one.at}
                for key, one in memory.people.items()
            },
        }
        try:
            self._documents.write(FILE_NAME, document)
            self._failed = False
        except (OSError, StoreError) as error:
            if not self._failed:
                _log.warning("cannot write %s (%s): after a restart it is not known who is at home", FILE_NAME, error)
            self._failed = True

    def _shift(self, found: Mapping[str, Any]) -> float:
        """Return what to add to the file's steady seconds to have them on the present clock."""
        if self._clock.boot and found["boot"] == self._clock.boot:
            return 0.0
        passed = (self._clock.now() - datetime.fromisoformat(found["wall"])) / timedelta(seconds=1)
        return self._clock.steady() - float(found["steady"]) - passed


def _heard(entry: Mapping[str, Any], shift: float) -> Heard:
    since = datetime.fromisoformat(entry["since"])
    if since.tzinfo is None:
        raise ValueError("since needs a time zone")
    return Heard(Whereabouts(entry["where"]), since, float(entry["at"]) + shift)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]
