"""The sections [camera] or [[cameras]], [health] and [motion]: what is watched, and where in the image."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from facesecure.config.areas import Fraction, MaskArea, Zone
from facesecure.config.base import Section, SettingError
from facesecure.domain.names import camera_key
from facesecure.util.plain_text import is_plain


def _camera_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or not is_plain(name):
        raise ValueError("must be text that can be read")
    return name


CameraName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_camera_name)]


class HealthConfig(Section):
    """Camera faults raise an alert of their own. Recordings (file: and dir:) are not checked."""

    offline: float = Field(20.0, ge=0, description="seconds without a frame before an alert; 0: never")
    frozen: float = Field(120.0, ge=0, description="seconds with identical frames before an alert; 0: never")
    covered: float = Field(
        20.0, ge=0, description="seconds after the view suddenly disappeared before an alert; 0: never"
    )
    moved: float = Field(120.0, ge=0, description="seconds with a different view before an alert; 0: never")


class MotionConfig(Section):
    """Faces are searched for only while something moves."""

    enabled: bool = Field(True, description="search for faces only while something moves")
    threshold: Fraction = Field(0.004, description="share of the image that must change")
    contrast: float = Field(12.0, gt=0, le=255, description="brightness step (of 255) that counts as a change")
    linger: float = Field(2.0, ge=0, le=60, description="seconds to keep searching after the last movement")
    mask: list[MaskArea] = Field(
        default_factory=list,
        description="areas to ignore, as [left, top, right, bottom] in fractions of the image, or as the corners "
        "[[x, y], [x, y], [x, y]] of a polygon: a road, a tree, a television; a face mostly in them is ignored "
        "too",
    )


class CameraConfig(Section):
    """Where the images come from. For several cameras, a table [[cameras]] for each instead, with the same settings."""

    source: str = Field(
        "picamera2:0",
        description="picamera2:0 | v4l2:/dev/video0 | rtsp://user:password@host/path | file:clip.mp4 | dir:images/",
    )
    name: CameraName = Field("front door", description="the name of this camera in sightings and alerts")
    width: int = Field(1280, ge=64, le=7680, description="image width requested from a local camera, in pixels")
    height: int = Field(720, ge=64, le=4320, description="image height requested from a local camera, in pixels")
    fps: float = Field(10.0, gt=0, le=120, description="frames per second requested from a local camera")
    transport: Literal["tcp", "udp"] = Field(
        "tcp", description="how a network camera sends: tcp, or udp for a camera that cannot do otherwise"
    )
    timeout: float = Field(5.0, gt=0, le=120, description="seconds without a frame before a stream counts as lost")
    reconnect_max: float = Field(
        30.0, gt=0, le=3600, description="longest pause between attempts to reconnect, in seconds"
    )
    file_speed: Literal["fast", "real"] = Field(
        "fast", description="play file: and dir: as fast as possible, or at real speed"
    )
    idle_decoding: Literal["auto", "off"] = Field(
        "auto",
        description="auto: decode only what is needed while nothing moves, such as key frames; off: decode everything; "
        "a file that is played fast is always decoded as a whole",
    )
    where: str | None = Field(
        None,
        min_length=1,
        description="the location as it is spoken: at the front door, au garage; by default from the name",
        examples=["at the front door"],
    )
    detect: str | None = Field(
        None,
        min_length=1,
        description="a second, smaller stream of the same camera: faces are searched in it, and recognised in the main "
        "stream where they are too small in it",
        examples=["rtsp://user:password@host/substream"],
    )
    mask: list[MaskArea] | None = Field(
        None,
        description="areas of this camera's image to ignore; by default those of [motion]",
        examples=[[[0.0, 0.0, 0.3, 1.0]]],
    )
    zones: list[Zone] = Field(
        default_factory=list,
        description="areas of this camera's image to watch, given like those of mask; everything else is ignored; "
        "none: the whole image",
    )
    min_face: int | None = Field(
        None,
        ge=12,
        le=2000,
        description="width of the smallest face to detect with this camera, in pixels; by default that of [detector]",
        examples=[40],
    )
    health: HealthConfig | None = Field(
        None,
        description="what counts as a fault of this camera, such as { moved = 0 }; by default [health]",
        examples=[{"moved": 0}],
    )
    clips: bool | None = Field(
        None, description="keep films of this camera's visits; by default as [clips] enabled", examples=[True]
    )


def _tables(cameras: Any) -> Any:
    if not isinstance(cameras, list | tuple):
        raise ValueError("must be tables, each of which begins with [[cameras]]")
    return cameras


def _with_names_of_their_own(cameras: list[CameraConfig]) -> list[CameraConfig]:
    keys = [camera_key(camera.name) for camera in cameras]
    for number, key in enumerate(keys):
        if (first := keys.index(key)) < number:
            name = cameras[number].name
            raise SettingError(
                f"{name!r} is the name of cameras[{first + 1}], too; give each its own", (number, "name")
            )
    return cameras


Cameras = Annotated[list[CameraConfig], BeforeValidator(_tables), AfterValidator(_with_names_of_their_own)]
"""The tables [[cameras]]."""
