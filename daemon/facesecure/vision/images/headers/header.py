"""What the header of an image file says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The header of an image file: ``format`` as in messages, sizes in pixels as stored, before any turn.

    ``complete``: the end is there. ``orientation`` is EXIF's, 1 to 8; 1 where the decoder turns the image itself.
    ``premultiplied`` lists the depths in bits at which colours are decoded multiplied by their opacity; ``bits`` is the
    depth of a sample that has more than 8. ``shrinkable``: the decoder can reduce it while it decodes, so that it never
    holds all of it. ``pixel_memory`` is how many bytes the decoder takes for each pixel that it holds, measured, and
    ``largest`` how many pixels the largest part of the file has, a tile or a second image. ``fault`` says why a file is
    refused whose header no program writes.
    """

    format: str
    width: int
    height: int
    complete: bool = True
    transparent: bool = False
    shrinkable: bool = False
    orientation: int = 1
    premultiplied: frozenset[int] = frozenset()
    bits: int = 16
    pixel_memory: int = 8
    largest: int = 0
    fault: str = ""

    @property
    def pixels(self) -> int:
        """Width times height, or those of a larger part of the file."""
        return max(self.width * self.height, self.largest)


FORMATS = frozenset({"JPEG", "PNG", "WebP", "BMP", "TIFF", "GIF", "AVIF", "HEIC", "JPEG 2000"})
"""Every ``format``."""

TWO_HEADERS = "it has two headers"
TOO_MANY_SCANS = "it has more scans than any program writes"
LARGER_PART = "a part of it is larger than the whole"
TOO_MANY_PARTS = "it has more parts than any program writes"
FAULTS = frozenset({TWO_HEADERS, TOO_MANY_SCANS, LARGER_PART, TOO_MANY_PARTS})
"""Every ``fault``."""
