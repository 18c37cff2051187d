"""The key that faces are encrypted with: where it is looked for, how it is made, when it is refused.

Looked for in this order, and the first that is there is the one:

1. the file that FACESECURE_KEY_FILE names
2. ``facesecure.key`` among the service's credentials (systemd.exec(5): LoadCredential=, LoadCredentialEncrypted=)
3. ``key`` in the state directory
4. ``/etc/facesecure/key``, where this user may read it

Where there is none and nothing is encrypted yet, ``key`` is made in the state directory. A key is never made again in
another's place: what the old one encrypted would be lost without a word.

The file is one line, ``facesecure-key-1:`` and 32 random bytes in base64, for its owner only (0600).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import sync_folder, write_durably

KEY_VARIABLE = "FACESECURE_KEY_FILE"
CREDENTIAL = "facesecure.key"
KEY_NAME = "key"
MACHINE_KEY = Path("/etc/facesecure/key")
_HEAD = b"facesecure-key-1:"
_SIZE = 32
_PUT_BACK = (
    "put the right key back, from the machine it was made on or from your copy; do not make another in its place"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, 32 bytes, and the file it came from; ``given`` tells that systemd lends it and it cannot be changed."""

    secret: bytes = field(repr=False)
    path: Path
    given: bool = False

    @property
    def identifier(self) -> str:
        """16 hexadecimal digits that tell keys apart and nothing about them: the database keeps them as a check."""
        return self.derived("key identifier")[:8].hex()

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose only (HMAC-SHA-256, as HKDF's expansion; RFC 5869)."""
        return hmac.digest(self.secret, f"facesecure {purpose}\x01".encode(), hashlib.sha256)


def find_key(state_dir: Path) -> Key | None:
    """The key in use for ``state_dir``, None where there is none. Raises StoreError for one that must not be used."""
    named = os.environ.get(KEY_VARIABLE)
    if named:
        return read_key(Path(named).expanduser())
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / CREDENTIAL).exists():
        return read_key(Path(credentials) / CREDENTIAL, given=True)
    if (state_dir / KEY_NAME).exists():
        return read_key(state_dir / KEY_NAME)
    return read_key(MACHINE_KEY) if os.access(MACHINE_KEY, os.R_OK) else None


def places(state_dir: Path) -> str:
    """Where a key is looked for, for people."""
    return f"${KEY_VARIABLE}, $CREDENTIALS_DIRECTORY/{CREDENTIAL}, {state_dir / KEY_NAME}, {MACHINE_KEY}"


def read_key(path: Path, *, given: bool = False) -> Key:
    """The key in ``path``. Raises StoreError where it is missing, open to others, cut short or no key."""
    try:
        status, content = path.stat(), path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read the key {path}: {error.strerror}", _PUT_BACK) from error
    others = stat.S_IMODE(status.st_mode) & (0o007 if given else 0o077)  # systemd lends one by an ACL, seen as 0440
    if others:
        raise StoreError(
            f"the key {path} can be used by others (mode {stat.S_IMODE(status.st_mode):04o})",
            f"chmod 600 {path}; if others may have read it: facesecure key rotate",
        )
    return Key(_secret(path, content), path, given)


def _secret(path: Path, content: bytes) -> bytes:
    try:
        secret = base64.b64decode(content.strip().removeprefix(_HEAD), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != _SIZE or not content.startswith(_HEAD):
        raise StoreError(f"the key {path} is damaged, cut short, or no key of facesecure's", _PUT_BACK)
    return secret


def make_key(path: Path) -> Key:
    """A new key in ``path``; where another process was sooner, the one that it made. Raises StoreError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        write_key(draft)
        os.link(draft, path)  # whole, or not there; and never over another
        sync_folder(path.parent)
    except FileExistsError:
        _log.debug("%s was made by another process meanwhile", path)
    except OSError as error:
        raise StoreError(
            f"cannot make the key {path}: {error.strerror}", "choose a folder that can be written"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return read_key(path)


def write_key(path: Path) -> Key:
    """Put a new key at ``path``, whatever is there. Raises OSError."""
    secret = secrets.token_bytes(_SIZE)
    write_durably(path, _HEAD + base64.b64encode(secret) + b"\n")
    return Key(secret, path)


def next_path(key: Key) -> Path:
    """Where the next key waits while a rotation is under way."""
    return key.path.with_name(f"{key.path.name}.next")


def required_key(state_dir: Path, identifier: str) -> Key:
    """The key of that identifier. Raises StoreError, saying why, where it is not the one that is found.

    A rotation that was interrupted after the database took the new key is brought to its end.
    """
    key = find_key(state_dir)
    if key is None:
        raise StoreError(
            f"the faces in {state_dir} are encrypted, and their key is missing (looked for: {places(state_dir)})",
            _PUT_BACK,
        )
    if key.identifier == identifier:
        return key
    following = next_path(key)
    if not key.given and following.exists() and read_key(following).identifier == identifier:
        following.replace(key.path)
        sync_folder(key.path.parent)
        return read_key(key.path)
    raise StoreError(
        f"{key.path} is not the key that the faces in {state_dir} are encrypted with: "
        f"it is {key.identifier}, and {identifier} is needed",
        _PUT_BACK,
    )
