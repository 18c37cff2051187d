"""Paths as users write them, file names as text, and text files in the encodings that editors save."""

from __future__ import annotations

import codecs
import re
import sys
import unicodedata
from io import TextIOWrapper
from pathlib import Path

from facesecure.util.callers_files import callers_path

_ESCAPED = re.compile(r"\\x([89a-f][0-9a-f])")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_BYTE = 0xDC00
"""Python reads byte 0xNN of a file name that is not UTF-8 as the surrogate U+DCNN (PEP 383)."""
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def expanded(path: Path | str) -> Path:
    """Return ``path`` with ``~`` or ``~name`` replaced by that home, unless there is none (``~$photo.jpg``).

    Example::

        expanded("~/photos/anna.jpg")  # /home/anna/photos/anna.jpg
    """
    path = Path(path)
    try:
        return callers_path(path.expanduser())
    except RuntimeError:
        return callers_path(path)


def readable(text: str) -> str:
    r"""Return ``text`` with the bytes of a file name that are not UTF-8 written as ``\xff``, so that it can be encoded.

    Example::

        readable(os.fsdecode(b"caf\xe9.jpg"))  # caf\\xe9.jpg
    """
    return _LONE_SURROGATES.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - _BYTE:02x}" if _BYTE + 0x80 <= code <= _BYTE + 0xFF else f"\\u{code:04x}"


def named(folder: Path, text: str) -> Path:
    """Return the file of ``folder`` that a list calls ``text``, which may have passed through ``readable``.

    Accents may be encoded otherwise than in the file's name (NFC, or NFD as macOS writes them). If no such file exists,
    this is the path as it is written.
    """
    written = folder / text
    if written.exists():
        return written
    raw = _ESCAPED.sub(lambda found: chr(_BYTE + int(found[1], 16)), text)
    others = (folder / other for other in (*(unicodedata.normalize(form, text) for form in ("NFC", "NFD")), raw))
    return next((path for path in others if path.exists()), written)


def escape_unencodable(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""Handle an error of encoding: write a byte of a file name as ``\xff``, and other characters by their code.

    Registered with ``codecs`` as "readable", for streams.
    """
    if isinstance(error, UnicodeEncodeError):
        found = error.object[error.start : error.end]
        return readable(found).encode("ascii", "backslashreplace").decode(), error.end
    raise error


codecs.register_error("readable", escape_unencodable)


def print_any_name() -> None:
    """Print file names of any bytes on stdout and stderr with escapes from now on, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="readable")


def read_text(path: Path, errors: str = "strict") -> str:
    """Return the text of the file ``path``, UTF-8 or, by its byte order mark, UTF-16; the mark is left out.

    Line ends become those of Unix. ``errors`` is "surrogateescape" for a list of file names, which may be any bytes.
    Raises OSError, and UnicodeDecodeError where the file is other text.
    """
    data = path.read_bytes()
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors).replace("\r\n", "\n").replace("\r", "\n")
