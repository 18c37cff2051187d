"""The decoder process: gets open files over the socket on descriptor 0, a picture and an empty one for its pixels.

It imports nothing of the daemon but headers and pixels, holds no key and no configuration, and ends when its parent's
end of the socket closes. ``process`` starts it.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facesecure.vision.images.decoding import sandbox
from facesecure.vision.images.decoding.messages import MESSAGE, DecodingError, Limits, Problem
from facesecure.vision.images.decoding.pixels import decode, within
from facesecure.vision.images.headers.header import ImageHeader
from facesecure.vision.images.image_headers import foreign_format, read_header

if TYPE_CHECKING:
    from typing import Any

    from facesecure.domain import Image

_OUT_OF_MEMORY = -4
"""OpenCV's code of an error."""
_HEIC_RESERVES = 1.5
"""Address space that libheif reserves, for each byte of memory that it takes."""


def serve(channel: socket.socket, allowance: sandbox.Allowance) -> None:
    """Answer requests until the other end of ``channel`` closes: JSON each way, and two files with each request."""
    while True:
        request, files, _, _ = socket.recv_fds(channel, MESSAGE, 2)
        if len(files) != 2:
            return
        try:
            answer = _answer(files[0], files[1], Limits(**json.loads(request)), allowance)
        finally:
            for file in files:
                os.close(file)
        channel.send(json.dumps(answer).encode())


def _answer(file: int, result: int, limits: Limits, allowance: sandbox.Allowance) -> dict[str, Any]:
    try:
        return {"shape": _decoded(file, result, limits, allowance)}
    except DecodingError as error:
        return {
            "problem": error.problem, "format": error.format, "width": error.width, "height": error.height,
            "fault": error.fault,
        }  # fmt: skip


def _decoded(file: int, result: int, limits: Limits, allowance: sandbox.Allowance) -> tuple[int, int]:
    """Write the pixels of ``file`` to ``result`` and return their (height, width). Raises DecodingError."""
    size = os.fstat(file).st_size
    allowance.grant(limits.memory + size, limits.seconds)
    header = None
    try:
        data = _read(file, size)
        header = read_header(data)
        if header is None:
            raise DecodingError(*_no_image(data))
        check(header, limits)
        reserved = _HEIC_RESERVES if header.format == "HEIC" else 1
        allowance.grant(int(limits.memory * reserved) + size, _seconds(header, limits))
        image = decode(data, header, limits.pixels)
        if image is None:
            raise DecodingError("undecodable", *_described(header))
        return _written(within(image, limits.longest), result)
    except (MemoryError, OSError):  # an OSError: the result does not fit into memory
        raise DecodingError("memory", *_described(header)) from None
    except cv2.error as error:
        raise DecodingError(_problem(error), *_described(header)) from None


def _written(image: Image, result: int) -> tuple[int, int]:
    """Write ``image``, BGR, to ``result`` as RGB. Return its (height, width)."""
    os.ftruncate(result, image.nbytes)
    with mmap.mmap(result, image.nbytes) as pixels:
        view = np.frombuffer(pixels, np.uint8).reshape(image.shape)
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, view)
        del view  # the mapping cannot be closed before
    return image.shape[0], image.shape[1]


def _problem(error: cv2.error) -> Problem:
    return "memory" if error.code == _OUT_OF_MEMORY else "undecodable"


def _seconds(header: ImageHeader, limits: Limits) -> int:
    """Return how many seconds of processor time an image may take: four times what it takes on a Pi, and some more."""
    return min(limits.seconds, 10 + header.pixels // 2_000_000)


def check(header: ImageHeader, limits: Limits) -> None:
    """Raise DecodingError where an image cannot be decoded within the limits, by what its header says."""
    if limits.formats and header.format not in limits.formats:
        raise DecodingError("foreign", header.format)
    if not header.complete:
        raise DecodingError("cut short", *_described(header))
    if header.fault:
        raise DecodingError("faulty", *_described(header), header.fault)
    if min(header.width, header.height) < limits.side:
        raise DecodingError("too small", *_described(header))
    whole = header.pixels > limits.decoded or header.pixels * header.pixel_memory > limits.memory
    if header.pixels > limits.pixels * 64 if header.shrinkable else whole:
        raise DecodingError("too large", *_described(header))


def _described(header: ImageHeader | None) -> tuple[str, int, int]:
    return (header.format, header.width, header.height) if header is not None else ("", 0, 0)


def _no_image(data: bytes) -> tuple[Problem, str]:
    if not data:
        return "empty", ""
    foreign = foreign_format(data)
    return ("foreign", foreign) if foreign else ("not an image", "")


def _read(file: int, size: int) -> bytes:
    parts, at = [], 0
    while at < size and (part := os.pread(file, size - at, at)):
        parts.append(part)
        at += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def main(largest_result: int, needs_heif: bool) -> None:
    """Shut this process in and serve. ``largest_result`` is the size of the pixels in bytes."""
    offline = sandbox.leave_network()
    if needs_heif:
        import pillow_heif  # noqa: F401 - no file can be opened later
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    allowance = sandbox.Allowance()
    sandbox.keep_to_itself(largest_result)
    shut_in = sandbox.deny_files()
    channel = socket.socket(fileno=0)
    channel.send(json.dumps({"offline": offline, "without_files": shut_in}).encode())
    serve(channel, allowance)
