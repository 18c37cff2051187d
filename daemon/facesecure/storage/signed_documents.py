"""Sign the JSON files of the state directory that decide something, so that only the owner of the key can write them.

A signed document is a JSON object with a member ``signature``: for the identifier of each key that may read it (two
while the key is rotated), an HMAC-SHA-256 with a key derived for this purpose (RFC 5869). It covers the other members
and the path of the file within the state directory, so that no document can stand in for another.

A document without a valid signature is refused. Version 0.1 signed nothing: its documents are accepted until its
database is migrated, and are signed then (``take_over``). An older document of the same path can be put back by whoever
has a copy; after ``facesecure key rotate`` no longer, since only documents that are in place then are signed again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.storage import signed_recordings
from facesecure.storage.keys import KEY_NAME, Key, find_key, make_key
from facesecure.storage.unsigned_state import is_unsigned_state
from facesecure.util.files import read_regular, write_durably

SIGNATURE = "signature"
_PURPOSE = "signed documents"
_PLAIN = (
    "calibration.json",
    "arming.json",
    "told.json",
    "liveness.json",
    "audit.json",
    "settings.json",
    "settings-history.json",
    "key-copy.json",
    "mqtt.json",
    "hub/records.json",
    "hub/doors.json",
    "hub/household.json",
    "hub/mode.json",
    "presence.json",
    "updates.json",
    "google_home/devices.json",
    "google_home/pending_volumes.json",
)
_REPORTS = "drills"
_CARD = {"task", "file", "sha256"}
"""Members that tell the card of a model from other files."""

_log = logging.getLogger(__name__)


class SignedDocuments:
    """The signed documents of one state directory. Any thread may use them.

    Example::

        documents = SignedDocuments(state_dir)
        documents.write("arming.json", {"mode": "away"})
        documents.read("arming.json")  # {"mode": "away"}
    """

    def __init__(self, folder: Path) -> None:
        """Use the state directory ``folder`` and its key, which is searched at each use: it may be rotated."""
        self.folder = folder

    def read(self, name: str) -> dict[str, Any]:
        """Return the document ``name``, a path in the state directory, without its signature.

        Raises FileNotFoundError if there is none, StoreError if it cannot be read or is not as facesecure wrote it.
        """
        path = self.folder / name
        try:
            content = read_regular(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}", "correct its permissions") from error
        return self.verified(name, content)

    def verified(self, name: str, content: bytes) -> dict[str, Any]:
        """Return the document that ``content`` of the file ``name`` contains. Raises StoreError as ``read`` does."""
        document = _parsed(self.folder / name, content)
        signatures = document.pop(SIGNATURE, None)
        key = find_key(self.folder)
        if key is not None and (_signed_by(key, name, document, signatures) or self._is_older(key, signatures)):
            return document
        why = "its signature is missing" if signatures is None else "its signature does not fit"
        raise StoreError(
            f"{self.folder / name} was not written by facesecure with this key, or was changed since ({why})",
            "find out who can write to the state directory",
        )

    def write(self, name: str, document: Mapping[str, Any]) -> Path:
        """Sign ``document`` and write it durably (0600); return its path. Makes the key if there is none yet.

        Raises OSError, or StoreError if the key cannot be used.
        """
        path = self.folder / name
        write_durably(path, self.signed(name, document))
        return path

    def signed(self, name: str, document: Mapping[str, Any]) -> bytes:
        """Return the content of the file ``name`` with ``document``. Makes the key if there is none yet.

        Raises OSError, or StoreError if the key cannot be used.
        """
        return _signed(name, document, [find_key(self.folder) or make_key(self.folder / KEY_NAME)])

    def sign_again(self, keys: Iterable[Key], trusted: Key | None, names: Iterable[str] | None = None) -> list[str]:
        """Sign every document with ``keys``: those signed by ``trusted``, or with None those not signed at all.

        ``names``: only these. Return the names of those signed. Raises StoreError if one cannot be written.
        """
        keys, done = list(keys), []
        for name in self.names() if names is None else names:
            try:
                document = _parsed(self.folder / name, read_regular(self.folder / name))
            except (OSError, StoreError) as error:
                _log.warning("not signed: %s", error)
                continue
            signatures = document.pop(SIGNATURE, None)
            if (signatures is None) if trusted is None else _signed_by(trusted, name, document, signatures):
                self._sign(name, document, keys)
                done.append(name)
        return done

    def problems(self) -> list[str]:
        """Return a sentence for each document that is refused; the cards of models are checked with the models."""
        found = []
        for name in self.names():
            if name in _PLAIN or name.startswith(f"{_REPORTS}/"):
                try:
                    self.read(name)
                except FileNotFoundError:
                    continue
                except StoreError as error:
                    found.append(error.message)
        return found

    def names(self) -> Iterator[str]:
        """Yield the names of the documents that exist: the known ones, reports of drills, and cards of models."""
        yield from (name for name in _PLAIN if (self.folder / name).exists())
        for path in sorted((*self.folder.glob("*.json"), *self.folder.glob("*/*.json"))):
            name = str(path.relative_to(self.folder))
            if name not in _PLAIN and (path.parent.name == _REPORTS or _is_card(path)):
                yield name

    def _sign(self, name: str, document: Mapping[str, Any], keys: list[Key]) -> None:
        try:
            write_durably(self.folder / name, _signed(name, document, keys))
        except OSError as error:
            raise StoreError(f"cannot sign {self.folder / name}: {error.strerror}", "check who owns it") from error

    def _is_older(self, key: Key, signatures: object) -> bool:
        """Return whether an unsigned document is acceptable: in a state directory that is still version 0.1's."""
        if signatures is not None:
            return False
        return is_unsigned_state(self.folder, key)


def take_over(state_dir: Path) -> None:
    """Sign the files of version 0.1 in ``state_dir``, and log which; do nothing if it is not that version's."""
    key = find_key(state_dir)
    if key is None or not is_unsigned_state(state_dir, key):
        return
    signed = SignedDocuments(state_dir).sign_again([key], trusted=None)
    try:
        if signed_recordings.sign_again(state_dir, [key], trusted=None):
            signed.append("recordings")
    except OSError as error:
        _log.warning("not every recording is signed, some are made again: %s", error)
    if signed:
        _log.warning("signed for the first time, as version 0.1 left them: %s", ", ".join(signed))


def _signed(name: str, document: Mapping[str, Any], keys: Iterable[Key]) -> bytes:
    plain = json.loads(json.dumps(document))  # as it will be read: tuples are lists
    signed = {**plain, SIGNATURE: {key.identifier: _mac(key, name, plain) for key in keys}}
    return json.dumps(signed, indent=1).encode() + b"\n"


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be understood: {error}", "it is damaged; remove it") from error
    if not isinstance(document, dict):
        raise StoreError(f"{path} cannot be understood: it is not an object", "it is damaged; remove it")
    return document


def _signed_by(key: Key, name: str, document: Mapping[str, Any], signatures: object) -> bool:
    found = signatures.get(key.identifier) if isinstance(signatures, dict) else None
    return isinstance(found, str) and hmac.compare_digest(found.encode(), _mac(key, name, document).encode())


def _mac(key: Key, name: str, document: Mapping[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hmac.digest(
        key.derived(_PURPOSE), f"{name}\n{canonical}".encode(errors="surrogateescape"), hashlib.sha256
    ).hex()


def _is_card(path: Path) -> bool:
    try:
        return _parsed(path, read_regular(path)).keys() >= _CARD
    except (OSError, StoreError):
        return False
