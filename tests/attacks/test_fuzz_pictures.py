"""Random damage to pictures of every format: an image or an ImageError, and no other end, of either process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facesecure.domain.errors import ImageError
from facesecure.vision.images.codec import png_bytes, png_image, stored_size
from facesecure.vision.images.decoding.process import decoder
from facesecure.vision.images.image_headers import foreign_format, read_header
from facesecure.vision.images.photos import MAX_PIXELS, photo_of
from support.bombs.pictures import HARMLESS, REFUSED, damaged, encoded, heic, picture, progressive_of
from support.faults.table import attack

SEEDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded("jpeg"),
    "progressive JPEG": lambda: progressive_of(2),
    "PNG": lambda: encoded("png"),
    "WebP": lambda: encoded("webp"),
    "BMP": lambda: encoded("bmp"),
    "TIFF": lambda: encoded("tiff", compression="tiff_lzw"),
    "BigTIFF": lambda: encoded("tiff", big_tiff=True),
    "GIF": lambda: encoded("gif"),
    "AVIF": lambda: encoded("avif"),
    "JPEG 2000": lambda: encoded("jpeg2000"),
    "HEIC": lambda: heic((160, 120)),
}
BOMBS = [make for name, make in (REFUSED | HARMLESS).items() if "300 MB" not in name and "16-bit RGBA" not in name]


def fuzz(data: bytes, seconds: float, seed: int) -> tuple[int, int, int]:
    """Damage ``data`` for that long, at least 50 times; return how often it was tried, read, and how often it crashed.

    Any error but an ImageError fails the test.
    """
    print(f"seed {seed}")  # shown of a test that fails, so that it can be repeated
    chance, end, tried, read, crashed = random.Random(seed), time.monotonic() + seconds, 0, 0, 0
    while tried < 50 or time.monotonic() < end:
        tried += 1
        try:
            image = photo_of(damaged(data, chance), "picture")
            assert image.ndim == 3
            assert image.shape[0] * image.shape[1] <= MAX_PIXELS
            read += 1
        except ImageError as error:
            crashed += "crash" in error.message
    return tried, read, crashed


@pytest.mark.parametrize("name", SEEDS)
def test_a_damaged_picture_is_an_image_or_an_image_error(name: str) -> None:
    tried, read, crashed = fuzz(SEEDS[name](), 0.0, seed=len(name))
    assert (tried, read + crashed <= tried) == (50, True)


def test_a_heic_whose_properties_belong_to_no_image_is_damaged() -> None:
    """pillow-heif then has an empty list of images, and finds that out only when asked for the size of the first."""
    data = bytearray(SEEDS["HEIC"]())
    data[data.index(b"ipma") + 13] = 127
    with pytest.raises(ImageError, match="damaged"):
        photo_of(bytes(data), "picture")


@pytest.mark.slow
@attack("random damage to pictures", how="bytes changed, moved, repeated and cut, a minute for each of 11 formats")
def test_damage_to_each_format(damaging: float, saw: Callable[[str], None]) -> None:
    figures = {name: fuzz(make(), damaging, seed=time.time_ns()) for name, make in SEEDS.items()}
    tried, read, crashed = (sum(column) for column in zip(*figures.values(), strict=True))
    assert 0 < read < tried, "damage has to be tried that is noticed, and some that is not"
    assert photo_of(encoded("png"), "picture").shape == (120, 160, 3)
    decoder("opencv").close()
    decoder("heif").close()
    saw(
        f"{tried} tried, {read} read, {tried - read} refused with a sentence, {crashed} of them because the decoder "
        "crashed; no other end"
    )


@given(st.binary(max_size=400))
@settings(suppress_health_check=list(HealthCheck))
def test_no_bytes_make_a_header_reader_fail(data: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8X", b"BM", b"II*\0", b"MM\0+",
                  b"GIF89a", b"\0\0\0\x0cjP  ", b"\0\0\0\x18ftypavif", b"\0\0\0\x18ftypheic"):  # fmt: skip
        read_header(start + data)
        assert (foreign_format(start + data) or "none").isprintable(), "it is shown"
        assert max(stored_size(start + data) or (0, 0)) <= 2048


@given(st.sampled_from(range(len(BOMBS))), st.integers(0, 2**32))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_damaged_bomb_makes_a_header_reader_fail(number: int, seed: int) -> None:
    read_header(damaged(_bomb(number), random.Random(seed)))


@given(st.integers(0, 2**32))
@settings(suppress_health_check=list(HealthCheck))
def test_a_damaged_crop_is_an_image_or_a_value_error(seed: int) -> None:
    data = damaged(png_bytes(picture((112, 112))), random.Random(seed))
    with suppress(ValueError):
        assert png_image(data).ndim == 3


_made: dict[int, bytes] = {}


def _bomb(number: int) -> bytes:
    if number not in _made:
        _made[number] = BOMBS[number]()
    return _made[number]
