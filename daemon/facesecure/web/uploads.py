"""Read a form with files as it arrives, one part at a time, in bounded memory and without a file on the disk.

Everything in it is hostile: the number and size of its parts, their headers, and what they say of themselves.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MOST_FILES = 30
MOST_FIELDS = 8
LONGEST_FIELD = 4096
LARGEST_FILE = 32_000_000
"""Bytes of one file; what a larger one has more is read and forgotten, so that the form can be answered."""
LARGEST_FORM = 256_000_000
"""Bytes of the whole form: beyond, the connection is closed."""
_LONGEST_NAME = 64
_LONGEST_FILE_NAME = 1000


@dataclass(slots=True)
class Part:
    """A part of a form. ``file`` has the bytes of a file, at its beginning; None for a field, whose text is ``value``.

    ``too_large``: the file had more bytes than are kept. ``name`` and ``file_name`` are as the browser says.
    """

    name: str
    value: str = ""
    file_name: str = ""
    file: IO[bytes] | None = None
    too_large: bool = False
    size: int = 0

    def close(self) -> None:
        """Free the memory."""
        if self.file is not None:
            self.file.close()


async def parts_of(request: Request) -> AsyncGenerator[Part, None]:
    """Yield the parts of a multipart form in their order; each is closed when the next one is asked for.

    A file without a name and bytes, which browsers send for an empty field, is left out. Raises HTTPException: 415 for
    another kind of request, 400 for a damaged one, 413 for too many parts, names or bytes.
    """
    form = _Form(_boundary(request))
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > LARGEST_FORM:
                raise HTTPException(413)
            form.feed(chunk)
            while form.ready:
                part = form.ready.popleft()
                try:
                    yield part
                finally:
                    part.close()
    except ClientDisconnect:
        raise HTTPException(400) from None
    finally:
        form.close()
    if not form.ended:
        raise HTTPException(400)


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise HTTPException(415)
    return boundary


class _Form:
    """Collects parts from the pieces of a form, as its parser calls."""

    def __init__(self, boundary: bytes) -> None:
        self.ready = deque[Part]()
        self.ended = False
        self._files = self._fields = 0
        self._header, self._value = bytearray(), bytearray()
        self._headers = dict[bytes, bytes]()
        self._part: Part | None = None
        self._text = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._add,
                "on_part_end": self._finish,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Read on. Raises HTTPException."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise HTTPException(400) from None

    def close(self) -> None:
        """Free what was not taken."""
        for part in (*self.ready, *([self._part] if self._part else [])):
            part.close()

    def _begin(self) -> None:
        self._headers, self._text = {}, bytearray()

    def _end_header(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _open(self) -> None:
        """Begin a part, now that its headers are there. Raises HTTPException."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name, file_name = options.get(b"name", b""), options.get(b"filename")
        if len(name) > _LONGEST_NAME:
            raise HTTPException(413)
        if file_name is None:
            self._fields += 1
            self._part = Part(_text(name))
        else:
            self._files += 1
            file = os.fdopen(os.memfd_create("upload", os.MFD_CLOEXEC), "w+b", buffering=0)
            self._part = Part(_text(name), file_name=_text(file_name)[:_LONGEST_FILE_NAME], file=file)
        if self._files > MOST_FILES or self._fields > MOST_FIELDS:
            raise HTTPException(413)

    def _add(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part is None:
            return
        part.size += end - start
        if part.file is None:
            if part.size > LONGEST_FIELD:
                raise HTTPException(413)
            self._text += data[start:end]
        elif part.size <= LARGEST_FILE:
            part.file.write(data[start:end])
        elif not part.too_large:
            part.too_large = True
            with suppress(OSError):
                part.file.truncate(0)

    def _finish(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if part.file is None:
            part.value = _text(bytes(self._text))
        elif part.size == 0 and not part.file_name:
            part.close()
            self._files -= 1
            return
        self.ready.append(part)

    def _end(self) -> None:
        self.ended = True


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
