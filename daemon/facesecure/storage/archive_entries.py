"""Read the entries of an export, a zip whose entries are stored as they are, in bounded memory.

Nothing that a header says is believed: compressed, repeated, linked, overlapping and foreign entries are refused before
any is read, and at most as many bytes are read of each as it may have.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

MANIFEST = "manifest.json"
MOST_FACES = 5_000
"""Faces in one export; a household has some hundreds."""
_MOST_ENTRIES = MOST_FACES + 1
_LARGEST_DIRECTORY = 100 * _MOST_ENTRIES
"""Bytes of the zip's directory: an export needs 67 for each entry."""
_END = struct.Struct("<4s4H2LH")
_ZIP64 = b"PK\x06\x07"
_NAME = re.compile(r"manifest\.json|faces/[0-9]{4,6}/[0-9]{4,6}\.png")
_FAULTS = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OverflowError, struct.error, OSError)


class Entries:
    """The entries of the zip ``data``.

    Example::

        manifest = Entries(data).read(MANIFEST, 1_000_000)
    """

    def __init__(self, data: bytes) -> None:
        """Raise ValueError unless ``data`` is a zip as an export writes it."""
        _require_small_directory(data)
        with _damage():
            self._zip = zipfile.ZipFile(BytesIO(data))
            entries = self._zip.infolist()
        _require_plain(entries)
        if sum(entry.file_size for entry in entries) > len(data):
            raise ValueError("its entries overlap")

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of an entry. Raises ValueError if there is none, it is damaged, or is beyond ``limit``."""
        with _damage():
            try:
                entry = self._zip.getinfo(name)
            except KeyError:
                raise ValueError(f"there is no {name} in it") from None
            with self._zip.open(entry) as file:
                content = file.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"{name} has more than {limit:,} bytes")
        return content


@contextmanager
def _damage() -> Iterator[None]:
    """Convert what the zip reader raises."""
    try:
        yield
    except _FAULTS as error:
        raise ValueError(str(error) or "its zip is damaged") from error


def _require_small_directory(data: bytes) -> None:
    """Raise ValueError unless the zip's directory is short: the zip reader makes an object of each of its entries."""
    end = data[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise ValueError("it does not end as a zip does")
    _, _, _, _, entries, size, _, comment = _END.unpack(end)
    if data[-_END.size - 20 :].startswith(_ZIP64) or entries > _MOST_ENTRIES or size > _LARGEST_DIRECTORY:
        raise ValueError(f"it has more than {_MOST_ENTRIES:,} entries")
    if comment:
        raise ValueError("it does not end as a zip does")


def _require_plain(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Raise ValueError unless each entry is one of an export: of its name, once, stored as it is, no link."""
    names = set[str]()
    for entry in entries:
        name = entry.orig_filename
        if not _NAME.fullmatch(name) or stat.S_ISLNK(entry.external_attr >> 16):
            raise ValueError(f"it has an entry {name[:80]!r}, which no export has")
        if name in names:
            raise ValueError(f"it has two entries {name}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise ValueError(f"{name} is compressed or locked, which no export is")
        names.add(name)
