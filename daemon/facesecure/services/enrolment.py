"""Where the pictures of an enrolment come from: photos, a film, or the camera with the person before it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from facesecure.domain.errors import ImageError, SourceError, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress

    from facesecure.camera.sources.factory import OpenedSource
    from facesecure.config import CameraConfig
    from facesecure.domain import Frame
    from facesecure.recognition.enrolment import Enrolment

PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
_ENOUGH = 12
"""Good faces after which a film or a camera has given enough."""
_STEP = 0.25
"""Seconds between the frames that are looked at; nearer ones are nearly the same."""
_PATIENCE = 60.0
"""Seconds before the camera that the person has to give enough good faces."""


class ImageProvider(Protocol):
    """A supply of pictures. ``many``: too many to tell of each; ``advice``: what the person is to do meanwhile."""

    @property
    def many(self) -> bool: ...

    @property
    def advice(self) -> str: ...

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        """Show ``enrolment`` the pictures."""


def image_provider(camera: CameraConfig, images: Sequence[Path], video: Path | None, uri: str | None) -> ImageProvider:
    """The one supply that was asked for. Raises UsageError where it was none or several, or holds no picture."""
    asked = [bool(images), video is not None, uri is not None]
    if sum(asked) != 1:
        said = (
            "nothing says where the pictures come from" if not any(asked) else "only one of them can be used at a time"
        )
        raise UsageError(
            f"{said}: --images, --video or --camera", "for example: facesecure enroll Anna --images photos/anna/"
        )
    if images:
        return PhotoProvider(list(expand(images)))
    from facesecure.camera.sources import open_source

    fast = camera.model_copy(update={"file_speed": "fast"})
    if video is not None:
        return VideoProvider(open_source(f"file:{video}", fast), str(video))
    return CameraProvider(open_source(uri or camera.source, fast))


def expand(paths: Iterable[Path]) -> Iterable[Path]:
    """``paths`` with each folder replaced by the pictures in it, by name. Raises UsageError for one without any."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in PICTURE_ENDINGS and entry.is_file())
        if not found:
            endings = ", ".join(sorted(PICTURE_ENDINGS))
            raise UsageError(
                f"there is no picture in {path}", f"pictures end in {endings}; folders in it are not searched"
            )
        yield from found


@dataclass(frozen=True, slots=True)
class PhotoProvider:
    """Photo files, each told of."""

    paths: Sequence[Path]
    many: bool = False
    advice: str = ""

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        from facesecure.vision.images.photos import read_photo

        for path in progress.track(self.paths, description="looking at pictures"):
            try:
                enrolment.add_image(read_photo(path), str(path))
            except ImageError as error:
                enrolment.reject(str(path), error.message)


@dataclass(frozen=True, slots=True)
class VideoProvider:
    """A video file, four frames of each second, until there are enough good faces."""

    source: OpenedSource
    name: str
    many: bool = True
    advice: str = ""

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        _collect(self.source.frames(), self.name, enrolment, progress)


@dataclass(frozen=True, slots=True)
class CameraProvider:
    """The camera, with the person before it, until there are enough good faces or a minute has passed."""

    source: OpenedSource
    many: bool = True
    advice: str = "{name}: look at the camera, then turn the head slowly: left, right, a little up and down"

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        from facesecure.camera.capture import LatestFrame

        self.source.probe()  # a network camera would be waited for, but nobody stands and waits with it
        with LatestFrame(self.source) as frames:
            _collect(frames, "camera", enrolment, progress, until=time.monotonic() + _PATIENCE)


def _collect(
    frames: Iterable[Frame], name: str, enrolment: Enrolment, progress: Progress, until: float | None = None
) -> None:
    task = progress.add_task("good faces", total=_ENOUGH)
    due, seen = 0.0, False
    for frame in frames:
        if until is not None and time.monotonic() > until:
            return
        if seen and frame.taken_at < due:
            continue
        due, seen = frame.taken_at + _STEP, True
        enrolment.add_image(frame.image, f"{name} at {frame.taken_at:.1f} s")
        progress.update(task, completed=len(enrolment.accepted))
        if len(enrolment.accepted) >= _ENOUGH:
            return
    if not seen:
        raise SourceError(f"{name} gave no picture", "check it with a video player, or with: facesecure doctor")
