"""The encryption key of the faces: where it is found, how it is created, and when it is rejected.

The first of these that exists is used:

1. the file that FACESECURE_KEY_FILE names
2. ``facesecure.key`` among the credentials of the service (systemd.exec(5): LoadCredential=, LoadCredentialEncrypted=)
3. ``key`` in the state directory
4. ``/etc/facesecure/key``, if this user may read it

If there is none and nothing is encrypted yet, ``key`` is created in the state directory. A missing key is never
replaced by a new one: everything that it encrypted would silently be lost.

The file is one line, ``facesecure-key-1:`` and 32 random bytes in base64, with mode 0600.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import hmac
import logging
import os
import secrets
import stat
import threading
from dataclasses import dataclass, field
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util import callers_files
from facesecure.util.files import sync_folder, write_durably
from facesecure.util.paths import expanded

KEY_VARIABLE = "FACESECURE_KEY_FILE"
CREDENTIAL = "facesecure.key"
KEY_NAME = "key"
MACHINE_KEY = Path("/etc/facesecure/key")
_HEAD = b"facesecure-key-1:"
_SIZE = 32
_PUT_BACK = "put the right key back, from the machine it was made on or from your copy; do not create another one"

_reading = threading.Lock()
"""A key that is held open for this process (``util.callers_files``) has one position for all threads that read it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """A secret of 32 bytes and its file; ``from_systemd``: systemd provides it, so it cannot be replaced here."""

    secret: bytes = field(repr=False)
    path: Path
    from_systemd: bool = False

    @property
    def identifier(self) -> str:
        """16 hexadecimal digits that identify the key without revealing it; stored in the database as a check."""
        return self.derived("key identifier")[:8].hex()

    def derived(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose (HMAC-SHA-256, as the expansion of HKDF; RFC 5869)."""
        return hmac.digest(self.secret, f"facesecure {purpose}\x01".encode(), hashlib.sha256)


def find_key(state_dir: Path) -> Key | None:
    """Return the key for ``state_dir``, None if there is none. Raises StoreError if it must not be used."""
    named = os.environ.get(KEY_VARIABLE)
    if named:
        return read_key(expanded(named))
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / CREDENTIAL).exists():
        return read_key(Path(credentials) / CREDENTIAL, from_systemd=True)
    if (state_dir / KEY_NAME).exists():
        return read_key(state_dir / KEY_NAME)
    return read_key(MACHINE_KEY) if os.access(MACHINE_KEY, os.R_OK) else None


def places(state_dir: Path) -> str:
    """List the places where a key is searched, for an error message."""
    return f"${KEY_VARIABLE}, $CREDENTIALS_DIRECTORY/{CREDENTIAL}, {state_dir / KEY_NAME}, {MACHINE_KEY}"


def read_key(path: Path, *, from_systemd: bool = False) -> Key:
    """Read the key in ``path``. Raises StoreError if it is missing, accessible to others, truncated or not a key."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        with _reading:
            content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read the key {path}: {error.strerror}", _PUT_BACK) from error
    others = stat.S_IMODE(status.st_mode) & (
        0o007 if from_systemd else 0o077
    )  # systemd grants access by an ACL, shown as 0440
    if others:
        raise StoreError(
            f"the key {path} is accessible to others (mode {stat.S_IMODE(status.st_mode):04o})",
            f"chmod 600 {path}; if others may have read it: facesecure key rotate",
        )
    return Key(_secret(path, content), path, from_systemd)


def _secret(path: Path, content: bytes) -> bytes:
    try:
        secret = base64.b64decode(content.strip().removeprefix(_HEAD), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != _SIZE or not content.startswith(_HEAD):
        raise StoreError(f"the key {path} is damaged, truncated, or not a facesecure key", _PUT_BACK)
    return secret


def make_key(path: Path) -> Key:
    """Create a key in ``path``, or read the one that another process created meanwhile. Raises StoreError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        write_key(draft)
        os.link(draft, path)  # complete or not at all, and never over another key
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
    """Write a new key to ``path``, replacing any file there. Raises OSError."""
    secret = secrets.token_bytes(_SIZE)
    content = _HEAD + base64.b64encode(secret) + b"\n"
    if (files := callers_files.in_use()) is None or not files.write_key(path, content):
        write_durably(path, content)
    return Key(secret, path)


def next_path(key: Key) -> Path:
    """Return the path of the new key during a rotation."""
    return key.path.with_name(f"{key.path.name}.next")


def required_key(state_dir: Path, identifier: str) -> Key:
    """Return the key with that identifier. Raises StoreError if another key is found, or none.

    A rotation that was interrupted after the database was re-encrypted is completed.
    """
    key = find_key(state_dir)
    if key is None:
        raise StoreError(
            f"the faces in {state_dir} are encrypted, and their key is missing (searched: {places(state_dir)})",
            _PUT_BACK,
        )
    if key.identifier == identifier:
        return key
    following = next_path(key)
    if not key.from_systemd and following.exists() and read_key(following).identifier == identifier:
        following.replace(key.path)
        sync_folder(key.path.parent)
        return read_key(key.path)
    raise StoreError(
        f"{key.path} is not the key that the faces in {state_dir} are encrypted with: "
        f"it is {key.identifier}, and {identifier} is needed",
        _PUT_BACK,
    )
