"""Photographs as people have them: every kind, every orientation, and every way to be broken."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from facesecure.domain import Image
from facesecure.domain.errors import ImageError
from facesecure.vision.images import photos
from facesecure.vision.images.image_headers import read_header
from facesecure.vision.images.photos import may_be_photo, read_photo
from support.camera.sources import BLUE, ORANGE, pixel, plain, scene, write_picture


def quarters() -> Image:
    """Orange in the top left quarter, blue elsewhere; wider than high."""
    image = plain(BLUE, (160, 120))
    image[:60, :80] = ORANGE
    return image


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.tiff"])
def test_every_format_gives_rgb(tmp_path: Path, name: str) -> None:
    photo = read_photo(write_picture(tmp_path / name, quarters()))
    assert photo.shape == (120, 160, 3)
    assert photo.dtype == np.uint8
    assert pixel(photo, 20, 20) == pytest.approx(ORANGE, abs=6)
    assert pixel(photo, -20, -20) == pytest.approx(BLUE, abs=6)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.tiff"])
def test_every_header_tells_the_size(tmp_path: Path, name: str) -> None:
    header = read_header(write_picture(tmp_path / name, plain(BLUE, (161, 123))).read_bytes())
    assert header is not None
    assert (header.width, header.height, header.complete) == (161, 123, True)


def saved(path: Path, picture: Any, **how: Any) -> Path:
    picture.save(path, **how)
    return path


@pytest.mark.parametrize("mode", ["L", "1", "P", "I;16", "CMYK", "RGBA", "LA"])
def test_unusual_pixels_become_rgb(tmp_path: Path, mode: str) -> None:
    image = Pillow.fromarray(quarters())
    if mode == "I;16":
        image = Pillow.fromarray(cv2.cvtColor(quarters(), cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    path = saved(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"), image)
    photo = read_photo(path)
    assert photo.shape == (120, 160, 3)
    assert photo.dtype == np.uint8
    if mode in ("P", "CMYK", "RGBA"):
        assert pixel(photo, 20, 20) == pytest.approx(ORANGE, abs=30)
        assert pixel(photo, -20, -20) == pytest.approx(BLUE, abs=30)
    elif mode != "1":
        assert pixel(photo, 20, 20) == pytest.approx([np.dot(ORANGE, (0.299, 0.587, 0.114))] * 3, abs=3)


def test_sixteen_bit_colour_becomes_eight(tmp_path: Path) -> None:
    deep = quarters().astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / "deep.png"), deep[:, :, ::-1])
    assert pixel(read_photo(tmp_path / "deep.png"), 20, 20) == pytest.approx(ORANGE, abs=2)


@pytest.mark.parametrize(("opacity", "expected"), [(0, (255, 255, 255)), (255, ORANGE), (128, (242, 187, 147))])
def test_what_is_transparent_is_laid_on_white(tmp_path: Path, opacity: int, expected: tuple[int, ...]) -> None:
    rgba = np.dstack([plain(ORANGE), np.full((120, 160), opacity, np.uint8)])
    options = {"a.webp": {"lossless": True, "exact": True}, "a.avif": {"quality": 100}}
    for name in ("a.png", "a.webp", "a.tif", "a.avif", "a.jp2"):
        path = saved(tmp_path / name, Pillow.fromarray(rgba), **options.get(name, {}))
        assert pixel(read_photo(path), 5, 5) == pytest.approx(expected, abs=3), name


@pytest.mark.parametrize("opacity", [0, 128, 255])
def test_a_tiff_whose_colours_are_multiplied_by_their_opacity_is_laid_on_white(tmp_path: Path, opacity: int) -> None:
    rgba = np.dstack([plain(ORANGE), np.full((120, 160), opacity, np.uint8)])
    multiplied = np.dstack([(rgba[..., :3].astype(int) * opacity // 255).astype(np.uint8), rgba[..., 3]])
    path = saved(tmp_path / "a.tif", Pillow.fromarray(multiplied))
    straight = struct.pack("<HHIH", 338, 3, 1, 2)  # the tag ExtraSamples, as Pillow writes it
    assert straight in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(straight, struct.pack("<HHIH", 338, 3, 1, 1)))
    expected = [colour * opacity / 255 + 255 - opacity for colour in ORANGE]
    assert pixel(read_photo(path), 5, 5) == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_a_transparent_image_of_sixteen_bits_is_laid_on_white(tmp_path: Path, name: str) -> None:
    deep = np.dstack([plain(ORANGE)[..., ::-1], np.full((120, 160), 128, np.uint8)]).astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / name), deep)
    assert pixel(read_photo(tmp_path / name), 5, 5) == pytest.approx((242, 187, 147), abs=3)


@pytest.mark.parametrize("bits", [10, 12])
def test_a_transparent_avif_of_more_than_eight_bits_is_laid_on_white(tmp_path: Path, bits: int) -> None:
    whole = np.dstack([plain(ORANGE)[..., ::-1], np.full((120, 160), 128, np.uint8)]).astype(np.uint32)
    deep = (whole * ((1 << bits) - 1) // 255).astype(np.uint16)
    how = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    assert cv2.imwrite(str(tmp_path / "a.avif"), deep, how)
    assert pixel(read_photo(tmp_path / "a.avif"), 5, 5) == pytest.approx((242, 187, 147), abs=4)


def test_a_transparent_gif_is_laid_on_white(tmp_path: Path) -> None:
    indexed = Pillow.new("P", (160, 120), 1)
    indexed.putpalette([0, 0, 0, *BLUE])
    indexed.paste(0, (0, 0, 80, 60))
    photo = read_photo(saved(tmp_path / "sticker.gif", indexed, transparency=0))
    assert (pixel(photo, 20, 20), pixel(photo, -20, -20)) == ((255, 255, 255), BLUE)


def test_a_transparent_palette_colour_is_laid_on_white(tmp_path: Path) -> None:
    indexed = Pillow.new("P", (160, 120), 1)
    indexed.putpalette([0, 0, 0, *BLUE])
    indexed.paste(0, (0, 0, 80, 60))
    photo = read_photo(saved(tmp_path / "sticker.png", indexed, transparency=0))
    assert (pixel(photo, 20, 20), pixel(photo, -20, -20)) == ((255, 255, 255), BLUE)


@pytest.mark.parametrize(
    "kind",
    [
        "a.jpg RGB",
        "a.png RGBA",
        "a.png P",
        "a.webp RGBA",
        "a.webp RGB",
        "a.tiff RGB",
        "a.tiff RGBA",
        "a.avif RGB",
        "a.avif RGBA",
    ],
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, kind: str) -> None:
    """A camera held in any way: what is stored turned must come out with its orange corner top left."""
    name, mode = kind.split()
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Pillow's Transpose that stores it so
    stored = Pillow.fromarray(quarters())
    if undo is not None:
        stored = stored.transpose(Pillow.Transpose(undo))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    how = {"lossless": True} if name == "a.webp" else {"quality": 95}
    transparency = {"transparency": 200} if mode == "P" else {}
    photo = read_photo(saved(tmp_path / name, stored.convert(mode), exif=exif, **how, **transparency))
    assert photo.shape == (120, 160, 3)
    assert pixel(photo, 20, 20) == pytest.approx(ORANGE, abs=50 if mode == "P" else 8)
    assert pixel(photo, 20, -20) == pytest.approx(BLUE, abs=50 if mode == "P" else 8)
    assert pixel(photo, -20, 20) == pytest.approx(BLUE, abs=50 if mode == "P" else 8)


@pytest.mark.parametrize("name", ["a.gif", "a.avif", "a.jp2", "a.mpo", "a.jfif", "a.jpe", "a"])
def test_formats_of_phones_and_of_the_web_are_read_whatever_their_ending(tmp_path: Path, name: str) -> None:
    kind = {"a.jp2": "jpeg2000", "a.jfif": "jpeg", "a.jpe": "jpeg", "a": "png"}.get(name, name[2:])
    path = saved(tmp_path / name, Pillow.fromarray(quarters()), format=kind)
    assert may_be_photo(path)
    photo = read_photo(path)
    assert photo.shape == (120, 160, 3)
    assert pixel(photo, 20, 20) == pytest.approx(ORANGE, abs=30)


def test_a_bigtiff_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Pillow.fromarray(quarters()), big_tiff=True)
    header = read_header(path.read_bytes())
    assert header is not None
    assert (header.format, header.width, header.height) == ("TIFF", 160, 120)
    assert pixel(read_photo(path), 20, 20) == ORANGE


@pytest.mark.parametrize("size", [0, 54, 0xFFFFFFFF])
def test_a_bmp_with_a_wrong_file_size_is_read(tmp_path: Path, size: int) -> None:
    path = write_picture(tmp_path / "a.bmp", quarters())
    data = bytearray(path.read_bytes())
    data[2:6] = struct.pack("<I", size)
    path.write_bytes(data)
    assert pixel(read_photo(path), 20, 20) == ORANGE


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.tiff", "a.gif"])
def test_trailing_bytes_do_no_harm(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, Pillow.fromarray(quarters()))
    path.write_bytes(path.read_bytes() + b"appended" * 100)
    assert pixel(read_photo(path), 20, 20) == pytest.approx(ORANGE, abs=30)


@pytest.mark.parametrize("stray", [b"\0", b"\0\1\2", b"\xff\xff", b"\xff\0"])
def test_stray_bytes_between_the_segments_of_a_jpeg_are_skipped(tmp_path: Path, stray: bytes) -> None:
    path = write_picture(tmp_path / "a.jpg", quarters())
    data = path.read_bytes()
    at = data.index(b"\xff\xdb")
    path.write_bytes(data[:at] + stray + data[at:])
    assert pixel(read_photo(path), 20, 20) == pytest.approx(ORANGE, abs=8)


@pytest.mark.parametrize("name", ["png_trail100.png", "jpg_extraneous1.jpg", "webpalpha_o6.webp"])
def test_pictures_that_came_out_wrong_are_read(name: str) -> None:
    path = Path(__file__).parents[5] / "shared" / "data" / "inputs" / name
    if not path.exists():
        pytest.skip("the shared inputs are not here")
    assert read_photo(path).shape == (500, 500, 3)


def heic(path: Path, orientation: int = 1) -> Path:
    pillow_heif = pytest.importorskip("pillow_heif")
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    pillow_heif.from_pillow(Pillow.fromarray(quarters())).save(path, quality=95, exif=exif.tobytes())
    return path


def test_heic_is_read_where_pillow_heif_is_there(tmp_path: Path) -> None:
    photo = read_photo(heic(tmp_path / "IMG_0001.HEIC"))
    assert photo.shape == (120, 160, 3)
    assert pixel(photo, 20, 20) == pytest.approx(ORANGE, abs=12)
    assert pixel(photo, -20, -20) == pytest.approx(BLUE, abs=12)


def test_without_pillow_heif_the_hint_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = heic(tmp_path / "IMG_0001.HEIC")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match="is a HEIC image, which cannot be read here") as caught:
        read_photo(path)
    assert "Most Compatible" in str(caught.value.hint)


def test_a_cut_heic_is_called_damaged(tmp_path: Path) -> None:
    path = heic(tmp_path / "a.heic")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ImageError, match="damaged"):
        read_photo(path)


def test_a_name_that_looks_like_a_home_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "~$photo.jpg", quarters())
    assert read_photo("~$photo.jpg").shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.jpg", b"hello, I am no picture\n", "is not an image, whatever its name says"),
        ("empty.jpg", b"", "is empty"),
        ("live.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is a HEIC image"),
        ("new.png", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "is AVIF"),
        ("film.jpg", b"\0\0\0\x18ftypisom\0\0\0\0", "is a video"),
        ("cat.jpg", b"GIF89a\x01\x00", "is GIF"),
        ("letter.jpg", b"%PDF-1.7", "is PDF"),
        ("app.jpg", b"\0\0\1\0\1\0", "is an icon"),
        ("scan.ppm", b"P6\n160 120\n255\n", "is a portable pixmap"),
        ("poster.jpg", b"%!PS-Adobe-3.0", "is PostScript"),
        ("fuji.raf", b"FUJIFILMCCD-RAW 0201", "is a RAW photo"),
        ("lumix.rw2", b"IIU\0\x18\0\0\0", "is a RAW photo"),
        ("canon.cr2", b"II*\0\x10\0\0\0CR\2\0", "is a RAW photo"),
        ("canon.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "is a RAW photo"),
        ("stub.jpg", b"\xff\xd8\xff\xe0", "is not an image"),
        ("stub.png", b"\x89PNG\r\n\x1a\n\0\0", "is not an image"),
        ("stub.tif", b"II*\0\xff\xff\xff\xff", "is not an image"),
        ("stub.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "is not an image"),
    ],
)
def test_what_is_no_picture_is_told_apart(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=said) as caught:
        read_photo(tmp_path / name)
    assert name in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("tags", [{254: 1, 50706: b"\1\4\0\0"}, {254: 1, 330: 8}, {262: 32803}])
def test_a_raw_photo_is_named_instead_of_searching_its_thumbnail(tmp_path: Path, tags: dict[int, int | bytes]) -> None:
    stored = Pillow.fromarray(quarters()).convert("L") if 262 in tags else Pillow.fromarray(quarters())
    path = saved(
        tmp_path / "a.dng", stored, format="TIFF", tiffinfo={tag: value for tag, value in tags.items() if tag != 262}
    )
    if 262 in tags:  # Pillow writes its own
        path.write_bytes(
            path.read_bytes().replace(struct.pack("<HHIH", 262, 3, 1, 1), struct.pack("<HHIH", 262, 3, 1, 32803))
        )
    with pytest.raises(ImageError, match="is a RAW photo"):
        read_photo(path)
    assert may_be_photo(path)


def test_a_tiff_that_opencv_cannot_decode_is_not_called_damaged(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Pillow.fromarray(quarters()).convert("F"))
    with pytest.raises(ImageError, match="is TIFF that cannot be read here") as caught:
        read_photo(path)
    assert "JPEG" in caught.value.hint


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no image"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_photo(tmp_path)


@pytest.mark.parametrize("name", ["cut.jpg", "cut.png", "cut.webp", "cut.bmp"])
@pytest.mark.parametrize("keep", [0.4, 0.95])
def test_a_truncated_picture_is_called_cut_short(
    tmp_path: Path, name: str, keep: float, capfd: pytest.CaptureFixture[str]
) -> None:
    noisy = np.random.default_rng(1).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    path = write_picture(tmp_path / name, noisy)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(ImageError, match="is cut short"):
        read_photo(path)
    assert "".join(capfd.readouterr()) == ""


def test_a_truncated_jpeg_is_not_fooled_by_its_own_preview(tmp_path: Path) -> None:
    preview = io.BytesIO()
    Pillow.fromarray(scene(1)).save(preview, "jpeg")
    block = b"\xff\xe1" + struct.pack(">H", len(preview.getvalue()) + 2) + preview.getvalue()
    data = write_picture(tmp_path / "a.jpg", scene(2)).read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[:2] + block + data[2:-200])
    with pytest.raises(ImageError, match="is cut short"):
        read_photo(tmp_path / "a.jpg")


def test_a_picture_with_something_appended_is_still_read(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "motion.jpg", quarters())
    path.write_bytes(path.read_bytes() + b"ftypmp42" * 100)
    assert read_photo(path).shape == (120, 160, 3)


def test_a_png_damaged_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", np.random.default_rng(1).integers(0, 255, (120, 160, 3)).astype(np.uint8))
    data = bytearray(path.read_bytes())
    at = data.index(b"IDAT")
    data[at + 4 : at + 200] = bytes(196)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="damaged"):
        read_photo(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.tiff"])
def test_damage_in_the_middle_is_an_error_or_mended_and_makes_no_noise(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_picture(tmp_path / name, np.random.default_rng(1).integers(0, 255, (120, 160, 3)).astype(np.uint8))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(range(200)) * 3
    path.write_bytes(data)
    with contextlib.suppress(ImageError):  # a JPEG or WebP decoder may mend it, with smeared blocks
        assert read_photo(path).shape == (120, 160, 3)
    said = "".join(capfd.readouterr())
    assert said == "" or (name == "a.jpg" and said.startswith("Corrupt JPEG data"))  # libjpeg's own, unstoppable


def test_a_single_pixel_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="has only 1x1 pixels"):
        read_photo(write_picture(tmp_path / "dot.png", plain(BLUE, (1, 1))))


def png_claiming(path: Path, width: int, height: int) -> Path:
    """A tiny PNG whose header claims a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


def test_a_decompression_bomb_is_refused_unopened(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="claims 60000x60000 pixels, too many for a PNG"):
        read_photo(png_claiming(tmp_path / "bomb.png", 60_000, 60_000))


def test_a_progressive_jpeg_of_that_size_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.jpg", Pillow.fromarray(scene(1)), progressive=True)
    assert read_photo(path).shape == (120, 160, 3)
    monkeypatch.setattr(photos, "MAX_DECODED", 10_000)
    with pytest.raises(ImageError, match="too many for a JPEG"):
        read_photo(path)


def test_too_large_pictures_are_brought_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_PIXELS", 5000)
    for name in ("a.png", "a.jpg"):
        photo = read_photo(write_picture(tmp_path / name, quarters()))
        assert 1000 < photo.shape[0] * photo.shape[1] <= 5000
        assert photo.shape[1] / photo.shape[0] == pytest.approx(160 / 120, rel=0.03)
        assert pixel(photo, 2, 2) == pytest.approx(ORANGE, abs=12)


def test_a_file_of_absurd_length_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "big.jpg").open("wb") as sparse:
        sparse.truncate(photos.MAX_BYTES + 1)
    with pytest.raises(ImageError, match="too many for an image"):
        read_photo(tmp_path / "big.jpg")


READ_AND_REPORT = """
import resource, sys
from facesecure.vision.images.photos import read_photo
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
photo = read_photo(sys.argv[1])
print(photo.shape[0], photo.shape[1], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_photo_of_a_hundred_megapixels_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "huge.jpg", np.broadcast_to(np.array(ORANGE, np.uint8), (8700, 11600, 3)))
    answer = subprocess.run(
        [sys.executable, "-c", READ_AND_REPORT, str(path)], capture_output=True, check=True, text=True
    )
    height, width, megabytes = map(int, answer.stdout.split())
    assert (height, width) == (2175, 2900)
    assert megabytes < 100  # whole, it would take 300


@pytest.mark.parametrize(("typed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_photo_is_found_however_the_accents_of_its_name_are_encoded(tmp_path: Path, typed: str, stored: str) -> None:
    write_picture(tmp_path / "a.png", quarters()).rename(tmp_path / unicodedata.normalize(stored, "Zoë.png"))
    assert read_photo(tmp_path / unicodedata.normalize(typed, "Zoë.png")).shape == (120, 160, 3)
