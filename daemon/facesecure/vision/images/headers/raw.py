"""Tell RAW photos, as cameras and phones keep them beside or instead of a JPEG, from images that are decoded.

Most of them are TIFF whose first image is a thumbnail of the sensor data: OpenCV would decode that, a hundred pixels
high, and no face in it would be large enough.
"""

from __future__ import annotations

import struct

from facesecure.vision.images.headers.tiff import TIFF_MAGIC, first_fields

_MAGIC = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"\0MRM", b"FOVb")
"""Fujifilm, Panasonic, Olympus, Minolta and Sigma."""
_SUBFILE_TYPE, _PHOTOMETRIC, _SUB_IMAGES, _DNG_VERSION = 254, 262, 330, 50706
_SENSOR = frozenset({32803, 34892})
"""Photometric interpretations of sensor data: a colour filter array, and linear RAW (DNG 1.7, chapter 3)."""


def is_raw(data: bytes) -> bool:
    """Return whether a file begins as a RAW photo does: DNG, CR2, CR3, NEF, ARW, PEF, RAF, RW2 or ORF."""
    if data.startswith(_MAGIC) or data[4:12] == b"ftypcrx " or (data[8:10] == b"CR" and data.startswith(TIFF_MAGIC)):
        return True
    if not data.startswith(TIFF_MAGIC):
        return False
    try:
        first = first_fields(data)
    except struct.error:
        return False
    thumbnail = first.get(_SUBFILE_TYPE, 0) & 1 and (_SUB_IMAGES in first or _DNG_VERSION in first)
    return bool(thumbnail) or first.get(_PHOTOMETRIC) in _SENSOR
