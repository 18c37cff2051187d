"""Images that facesecure encodes and decodes again, and what else is handed to it as such."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from facesecure.vision.images.codec import png_bytes, png_image, stored_size
from support.bombs.pictures import chunk, encoded, picture, png


def test_an_encoded_image_comes_back_as_it_was() -> None:
    crop = np.random.default_rng(1).integers(0, 255, (112, 112, 3)).astype(np.uint8)
    assert stored_size(png_bytes(crop)) == (112, 112)
    assert np.array_equal(png_image(png_bytes(crop)), crop)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        encoded("jpeg", (112, 112)),
        png_bytes(picture())[:-1],
        png_bytes(picture()) + b"\0",
        png(112, 112, depth=16),
        png(112, 112, colour=6),
        png(4000, 20),
        png(112, 112, before=chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1000)))),
        png(112, 112, before=chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))),
        png(112, 112).replace(b"IEND", b"IDAT"),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 112, 112, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
    ],
)
def test_what_facesecure_does_not_write_is_refused_before_it_is_decoded(data: bytes) -> None:
    assert stored_size(data) is None
    with pytest.raises(ValueError, match="not a PNG as facesecure writes it"):
        png_image(data)


def test_damaged_pixels_are_an_error() -> None:
    data = bytearray(png_bytes(picture()))
    at = data.index(b"IDAT")
    data[at + 4 : at + 40] = bytes(36)
    with pytest.raises(ValueError, match="cannot be decoded"):
        png_image(bytes(data))
