"""Sign recordings, so that nobody without the key decides what is said aloud.

A signed recording is an MP3 file that begins with an ID3v2.4 tag, which players skip. For each key that may read it,
the tag has a private frame (PRIV) with an HMAC-SHA-256 of the file's name and the rest of the file.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from pathlib import Path

from facesecure.storage.keys import KEY_NAME, Key, find_key, make_key
from facesecure.util.files import read_regular, write_durably

FOLDER = "speech"
"""Folder of the recordings in the state directory."""
_PURPOSE = "signed recordings"
_HEAD = b"ID3\x04\x00\x00"
_HEAD_SIZE = len(_HEAD) + 4
_OWNER, _MAC_SIZE = b"facesecure ", 32
_FRAME_SIZE = 10 + len(_OWNER) + 16 + 1 + _MAC_SIZE


def sign(path: Path, mp3: bytes) -> None:
    """Write ``mp3`` durably to ``path``, in a folder of the state directory, signed with its key.

    Raises OSError, or StoreError if the key cannot be used.
    """
    state_dir = path.parent.parent
    write_durably(path, _signed(path.name, mp3, [find_key(state_dir) or make_key(state_dir / KEY_NAME)]))


def is_genuine(path: Path) -> bool:
    """Return whether the recording ``path`` was signed with the key of its state directory.

    Raises OSError if it cannot be read, StoreError if the key cannot be used.
    """
    key = find_key(path.parent.parent)
    return key is not None and _is_signed(path.name, read_regular(path), key)


def sign_again(state_dir: Path, keys: Iterable[Key], trusted: Key | None) -> int:
    """Sign the recordings with ``keys``: those signed by ``trusted``, or with None those not signed at all.

    Return how many there were. Raises OSError.
    """
    keys, count = list(keys), 0
    for path in sorted((state_dir / FOLDER).glob("*.mp3")):
        content = read_regular(path)
        macs, mp3 = _split(content)
        if (not macs) if trusted is None else _is_signed(path.name, content, trusted):
            write_durably(path, _signed(path.name, mp3, keys))
            count += 1
    return count


def _signed(name: str, mp3: bytes, keys: Iterable[Key]) -> bytes:
    frames = b"".join(_frame(key, _mac(key, name, mp3)) for key in keys)
    return _HEAD + _syncsafe(len(frames)) + frames + mp3


def _is_signed(name: str, content: bytes, key: Key) -> bool:
    macs, mp3 = _split(content)
    return hmac.compare_digest(macs.get(key.identifier, b""), _mac(key, name, mp3))


def _mac(key: Key, name: str, mp3: bytes) -> bytes:
    return hmac.digest(key.derived(_PURPOSE), name.encode(errors="surrogateescape") + b"\n" + mp3, hashlib.sha256)


def _frame(key: Key, mac: bytes) -> bytes:
    body = _OWNER + key.identifier.encode() + b"\x00" + mac
    return b"PRIV" + _syncsafe(len(body)) + b"\x00\x00" + body


def _split(content: bytes) -> tuple[dict[str, bytes], bytes]:
    """Return the signatures in ``content`` by the identifier of their key, and the recording after them."""
    if content[: len(_HEAD)] != _HEAD or len(content) < _HEAD_SIZE:
        return {}, content
    size = sum(value << 7 * place for place, value in enumerate(reversed(content[len(_HEAD) : _HEAD_SIZE])))
    tag, mp3 = content[_HEAD_SIZE : _HEAD_SIZE + size], content[_HEAD_SIZE + size :]
    macs = dict(_macs(tag))
    return (macs, mp3) if macs else ({}, content)  # the tag of somebody else


def _macs(tag: bytes) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(tag) - _FRAME_SIZE + 1, _FRAME_SIZE):
        frame = tag[start : start + _FRAME_SIZE]
        if frame[:4] == b"PRIV" and frame[10 : 10 + len(_OWNER)] == _OWNER:
            identifier = frame[10 + len(_OWNER) : -_MAC_SIZE - 1]
            yield identifier.decode("ascii", "replace"), frame[-_MAC_SIZE:]


def _syncsafe(size: int) -> bytes:
    """Return ``size`` in four bytes of seven bits, as ID3 writes it."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
