"""Limits on the frames that a file or camera may send, before and while they are decoded.

The size in a container's header and the one in the codec's own data may differ, and a stream may change its size while
it runs. So FFmpeg itself is told to decode no larger frame, and what is shown of a frame is checked once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from facesecure.domain.errors import SourceError, SourceLost
from facesecure.vision.images.display import Display
from facesecure.vision.images.frames import ColourConverter, VideoImage

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.codeccontext import VideoCodecContext

MAX_FRAME_PIXELS = 8192 * 4352
"""Pixels of the largest frame: 8K video, as phones record it. FFmpeg takes 1.5 bytes for each, for up to 17 frames."""
CODEC_OPTIONS = {"max_pixels": str(MAX_FRAME_PIXELS)}
"""FFmpeg's own limit, for every decoder that it opens, also for those with which it looks what a file holds."""

_HINT = "set the camera to 4K or less, or convert the file"


def check_codec(codec: VideoCodecContext, name: str) -> None:
    """Set FFmpeg's limit for ``codec``. Raises SourceError if the header of ``name`` states larger frames already."""
    if is_too_large(codec.width, codec.height):
        raise SourceError(*too_large(name, codec.width, codec.height))
    codec.options = {**codec.options, **CODEC_OPTIONS}


def checked_image(frame: VideoFrame, converter: ColourConverter, display: Display, name: str) -> VideoImage:
    """Return the image of ``frame``. Raises SourceLost if it, or what is shown of it, is larger than the limit."""
    image = VideoImage(frame, converter, display)
    if is_too_large(frame.width, frame.height) or is_too_large(*image.size):
        raise SourceLost(*too_large(name, *image.size))
    return image


def is_too_large(width: int, height: int) -> bool:
    """Return whether a frame has more pixels than are decoded."""
    return width * height > MAX_FRAME_PIXELS


def too_large(name: str, width: int, height: int) -> tuple[str, str]:
    """Return (message, hint) for ``name``, which sends frames larger than the limit."""
    return f"{name} holds frames of {width}x{height} pixels, and more than 8K video has are not decoded", _HINT


def check_failed(codec: VideoCodecContext, error: Exception, name: str) -> None:
    """Raise SourceLost if ``error`` in decoding ``name`` comes of frames larger than the limit.

    Some decoders refuse such a size without keeping it: they do not open, or call the packet an invalid argument, and
    have no size. A few damaged streams look the same.
    """
    import av

    if is_too_large(codec.width, codec.height):
        raise SourceLost(*too_large(name, codec.width, codec.height)) from None
    if not codec.width and (isinstance(error, av.ArgumentError) or not codec.is_open):
        raise SourceLost(f"{name} holds frames that are damaged, or larger than 8K video", _HINT) from None
