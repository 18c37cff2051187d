"""Keep small secrets of this machine encrypted in the state directory: STATE_DIR/hub/NAME.secret (mode 0600).

A file is a JSON object: for the identifier of each key that can read it (two while the key is rotated) the content,
encrypted with AES-256-GCM and bound to the file's name. So it is readable only with the key, and cannot be changed, or
stand in for another file.
"""

from __future__ import annotations

import base64
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.storage.encryption import FieldCipher
from facesecure.storage.keys import KEY_NAME, find_key, make_key, places
from facesecure.util.files import make_private_folders, open_own, read_regular, sync_folder, write_durably

FOLDER = "hub"
_COLUMN = "secret file"
_SUFFIX = ".secret"

_log = logging.getLogger(__name__)


class SecretFiles:
    """The secret files of one state directory. Any thread may use them.

    Example::

        files = SecretFiles(state_dir)
        files.write("identity", b"...")
        files.read("identity")  # b"..."
    """

    def __init__(self, state_dir: Path) -> None:
        """Use ``state_dir`` and its key, which is searched at each use: it may be rotated."""
        self._root = state_dir

    def read(self, name: str) -> bytes:
        """Return the content of ``name``. Raises FileNotFoundError if there is none, StoreError if it is unreadable."""
        path = self.path(name)
        try:
            content = read_regular(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}", "correct its permissions") from error
        return self._decrypted(path, content)

    def write(self, name: str, content: bytes) -> None:
        """Write ``content`` durably. Makes the key if there is none yet. Raises OSError, or StoreError."""
        path = self.path(name)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private_folders(self._root, path.parent)
        cipher = FieldCipher(find_key(self._root) or make_key(self._root / KEY_NAME))
        write_durably(path, _encoded(content, path.name, cipher))

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Keep others that lock ``name`` waiting, as while it is read, changed and written. Raises OSError."""
        path = self.path(name).with_suffix(".lock")
        make_private_folders(self._root, path.parent)
        descriptor = open_own(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove ``name``, if it is there. Raises OSError."""
        path = self.path(name)
        if path.exists():
            path.unlink()
            sync_folder(path.parent)

    def names(self) -> list[str]:
        """Return the names of the files that exist, sorted."""
        return [path.name.removesuffix(_SUFFIX) for path in self._paths()]

    def path(self, name: str) -> Path:
        """Return the path of the file ``name``."""
        return self._root / FOLDER / f"{name}{_SUFFIX}"

    def rewrap(self, old: FieldCipher, new: FieldCipher) -> None:
        """Make every file readable with the ``new`` key as well. Raises StoreError if one cannot be written."""
        for path in self._paths():
            try:
                write_durably(path, _encoded(_opened(path, read_regular(path), old), path.name, old, new))
            except StoreError as error:
                _log.error("stays as it is: %s", error)
            except OSError as error:
                raise StoreError(f"cannot write {path}: {error.strerror}", "check who owns it") from error

    def forget_old_keys(self, new: FieldCipher) -> None:
        """Leave every file readable with the ``new`` key only."""
        for path in self._paths():
            try:
                write_durably(path, _encoded(_opened(path, read_regular(path), new), path.name, new))
            except (StoreError, OSError) as error:
                _log.warning("%s can still be read with the old key: %s", path, error)

    def problems(self) -> list[str]:
        """Return a sentence for each file that cannot be read."""
        found = []
        for path in self._paths():
            try:
                self._decrypted(path, read_regular(path))
            except (StoreError, OSError) as error:
                found.append(error.message if isinstance(error, StoreError) else f"cannot read {path}")
        return found

    def _paths(self) -> Iterator[Path]:
        yield from sorted((self._root / FOLDER).glob(f"*{_SUFFIX}"))

    def _decrypted(self, path: Path, content: bytes) -> bytes:
        key = find_key(self._root)
        if key is None:
            raise StoreError(f"the key of {path} is missing (searched: {places(self._root)})", "put it back")
        return _opened(path, content, FieldCipher(key))


def _encoded(content: bytes, name: str, *ciphers: FieldCipher) -> bytes:
    encrypted = {one.identifier: base64.b64encode(one.encrypt(content, _COLUMN, name)).decode() for one in ciphers}
    return json.dumps(encrypted).encode() + b"\n"


def _opened(path: Path, content: bytes, cipher: FieldCipher) -> bytes:
    try:
        found = json.loads(content)
        return cipher.decrypt(base64.b64decode(found[cipher.identifier]), _COLUMN, path.name)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = "it was encrypted with another key" if isinstance(error, KeyError) else str(error)
        raise StoreError(f"{path} cannot be decrypted: {why}", "put it back from a backup of this machine") from error
