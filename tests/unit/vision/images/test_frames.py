"""Pixels as sources deliver them: right colours, no copies, converted once."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
import pytest

from facesecure.domain import Image
from facesecure.vision.images.frames import ColourConverter, RgbImage, VideoImage, colour_of
from support.camera.sources import ORANGE, pixel, plain, scene

# Kr and Kb of ITU-R BT.709 and BT.601, and FFmpeg's numbers for the two.
BT709, BT601 = (0.2126, 0.0722), (0.299, 0.114)
NUMBER = {BT709: 1, BT601: 6}


def coded(image: Image, matrix: tuple[float, float], full: bool) -> Any:
    """``image`` as a yuv444p frame, by the definition in ITU-R BT.601 and BT.709, untagged."""
    kr, kb = matrix
    rgb = image.astype(np.float64) / 255
    luma = rgb @ (kr, 1 - kr - kb, kb)
    blue, red = (rgb[..., 2] - luma) / (2 * (1 - kb)), (rgb[..., 0] - luma) / (2 * (1 - kr))
    scale_y, scale_c, offset = (255, 255, 0) if full else (219, 224, 16)
    planes = np.stack([luma * scale_y + offset, blue * scale_c + 128, red * scale_c + 128])
    return av.VideoFrame.from_ndarray(np.rint(planes).clip(0, 255).astype(np.uint8), format="yuv444p")


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize("full", [False, True])
def test_the_streams_matrix_and_range_are_honoured(matrix: tuple[float, float], full: bool) -> None:
    frame = coded(plain(ORANGE), matrix, full)
    frame.colorspace, frame.color_range = NUMBER[matrix], 2 if full else 1
    assert pixel(VideoImage(frame, ColourConverter()).rgb(), 0, 0) == pytest.approx(ORANGE, abs=3)


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), BT709), ((640, 480), BT601)])
def test_an_untagged_stream_is_taken_as_players_take_it(size: tuple[int, int], matrix: tuple[float, float]) -> None:
    frame = coded(plain(ORANGE, size), matrix, full=False)
    assert colour_of(frame) == (NUMBER[matrix], 1)
    assert pixel(VideoImage(frame, ColourConverter()).rgb(), 0, 0) == pytest.approx(ORANGE, abs=3)


def test_luma_is_a_view_of_the_decoders_plane_without_its_padding() -> None:
    frame = av.VideoFrame(150, 100, "yuv420p")
    plane = frame.planes[0]
    assert plane.line_size > 150  # else this test shows nothing
    buffer = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    buffer.flags.writeable = False
    luma = VideoImage(frame, ColourConverter()).luma()
    assert luma.shape == (100, 150)
    assert np.shares_memory(luma, buffer)


@pytest.mark.parametrize("packing", ["yuyv422", "uyvy422"])
def test_packed_usb_camera_formats_give_their_brightness_without_a_copy(packing: str) -> None:
    frame = av.VideoFrame.from_ndarray(scene(3), format="rgb24").reformat(format=packing)
    luma = VideoImage(frame, ColourConverter()).luma()
    grey = cv2.cvtColor(scene(3), cv2.COLOR_RGB2GRAY).astype(np.float64) * 219 / 255 + 16
    assert luma.shape == (120, 160)
    assert np.abs(luma - grey).mean() < 3
    assert luma.strides[1] == 2


def test_rgb_is_made_once_and_contiguous() -> None:
    frame = av.VideoFrame.from_ndarray(scene(3), format="rgb24")
    picture = VideoImage(frame, ColourConverter())
    assert picture.rgb() is picture.rgb()
    assert np.array_equal(picture.rgb(), scene(3))
    assert picture.luma().shape == (120, 160)


def test_a_rgb_picture_makes_its_luma_unless_the_camera_gave_one() -> None:
    given_luma = np.zeros((30, 40), np.uint8)
    assert RgbImage(plain(), given_luma).luma() is given_luma
    assert RgbImage(plain()).luma()[0, 0] == round(np.dot(ORANGE, (0.299, 0.587, 0.114)))


def test_shapes_and_types_are_checked() -> None:
    with pytest.raises(ValueError, match="RGB image is uint8"):
        RgbImage(np.zeros((10, 10), np.uint8))
    with pytest.raises(ValueError, match="luma plane is uint8"):
        RgbImage(plain(), np.zeros((10, 10, 1), np.uint8))


@pytest.mark.parametrize("matrix", range(20))
@pytest.mark.parametrize("others", [0, 1, 2, 3, 10, 19])
def test_colours_that_nobody_can_convert_are_taken_as_not_stated(matrix: int, others: int) -> None:
    """A damaged stream states reserved numbers for its matrix, transfer and primaries (ITU-T H.273)."""
    frame = coded(plain(), BT601, full=False)
    frame.colorspace, frame.color_trc, frame.color_primaries = matrix, others, others
    assert ColourConverter().rgb(frame).shape == plain().shape


def test_reserved_colours_are_shown_as_those_of_an_untagged_stream() -> None:
    image = np.tile(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (48, 1, 3))
    frame, untagged = coded(image, BT601, full=False), coded(image, BT601, full=False)
    frame.color_trc = frame.color_primaries = 3
    assert np.array_equal(ColourConverter().rgb(frame), ColourConverter().rgb(untagged))
