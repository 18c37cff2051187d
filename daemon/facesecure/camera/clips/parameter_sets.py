"""Units and parameter sets of H.264 and HEVC inside their packets (Rec. ITU-T H.264 and H.265: 7.4, annex B)."""

from __future__ import annotations

import re

_START = re.compile(rb"\x00\x00\x01")
_UNIT = re.compile(rb"\x00\x00\x01[^\x00]")
_LOOKED_AT = 8192
"""Bytes of a packet in which they are searched: they come before the picture."""
_OF_H264 = (7, 8)
_OF_HEVC = (32, 33, 34)


def is_empty(data: bytes) -> bool:
    """Return whether a packet of a byte stream holds no unit at all: it was damaged, and would end a film."""
    return _UNIT.search(data) is None


def parameter_sets(data: bytes, codec: str) -> bytes:
    """Return the parameter sets in a packet of a byte stream (Annex B), empty if there are none or it is none."""
    if not data.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01")):
        return b""
    head = data[:_LOOKED_AT]
    begins = [found.end() for found in _START.finditer(head)]
    found = b""
    for begin, end in zip(begins, [*(begin - 3 for begin in begins[1:]), len(head)], strict=True):
        kind = head[begin] & 31 if codec == "h264" else head[begin] >> 1 & 63
        if kind in (_OF_H264 if codec == "h264" else _OF_HEVC) and end < len(head):
            found += b"\x00\x00\x00\x01" + head[begin:end].rstrip(b"\x00")
    return found
