from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from facesecure.vision.images.frames import ColourConverter, colour_of
from facesecure.vision.images.rgb_graph import RgbGraph, kind_of

LIMITED, FULL = 1, 2
BT709, BT601 = 1, 6


def coloured(name: str, matrix: int = BT601, coded_range: int = LIMITED, size: tuple[int, int] = (322, 240)) -> Any:
    """A frame of random colours in FFmpeg's format ``name``."""
    rgb = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=name)
    frame.colorspace, frame.color_range = matrix, coded_range
    return frame


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize("coded_range", [LIMITED, FULL])
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p", "yuvj420p"])
def test_a_graph_gives_the_same_bytes_as_the_scaler(name: str, matrix: int, coded_range: int) -> None:
    frame = coloured(name, matrix, coded_range)
    graph = RgbGraph.build(kind_of(frame, *colour_of(frame)))
    assert graph is not None
    scaled = ColourConverter()._scaled(frame, *colour_of(frame))
    np.testing.assert_array_equal(graph.rgb(frame).to_ndarray(), scaled.to_ndarray())


@pytest.mark.parametrize("name", ["nv12", "yuyv422", "gray", "rgb24"])
def test_other_formats_have_no_graph_and_are_converted_all_the_same(name: str) -> None:
    frame = coloured(name)
    assert RgbGraph.build(kind_of(frame, *colour_of(frame))) is None
    assert ColourConverter().rgb(frame).shape == (240, 322, 3)


def test_memory_is_used_again_once_nobody_holds_the_image() -> None:
    converter, frame = ColourConverter(), coloured("yuv420p", size=(640, 480))
    places = {converter.rgb(frame).ctypes.data for _ in range(5)}
    assert len(places) == 1


def test_an_image_that_is_held_or_a_part_of_it_is_not_overwritten() -> None:
    converter, frame = ColourConverter(), coloured("yuv420p", size=(640, 480))
    part = converter.rgb(frame)[100:200, 50:60]
    before = part.copy()
    grey = av.VideoFrame.from_ndarray(np.full((480, 640, 3), 90, np.uint8), "rgb24").reformat(format="yuv420p")
    later = [converter.rgb(grey) for _ in range(5)]
    np.testing.assert_array_equal(part, before)
    assert len({image.ctypes.data for image in later}) == 5


def test_a_stream_that_changes_its_size_is_followed() -> None:
    converter = ColourConverter()
    for size in ((640, 480), (322, 240), (640, 480), (64, 48)):
        assert converter.rgb(coloured("yuv420p", size=size)).shape == (size[1], size[0], 3)
