"""Where the images of an enrolment come from: photo files, a video file, or a camera with the person in front of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from facesecure.domain.errors import ImageError, SourceError, UsageError
from facesecure.domain.names import known_camera
from facesecure.util.paths import expanded

if TYPE_CHECKING:
    from facesecure.camera.sources.factory import OpenedSource
    from facesecure.config import CameraConfig, FacesecureConfig
    from facesecure.domain import Frame
    from facesecure.recognition.enrolment import Enrolment
    from facesecure.services.progress import Progress

_ENOUGH_FACES = 12
"""Good faces after which a video or a camera has provided enough."""
_FRAME_INTERVAL = 0.25
"""Seconds between the frames that are examined; frames closer together are nearly the same."""
_CAMERA_SECONDS = 60.0
"""Seconds that a person has in front of the camera to show enough good faces."""


class ImageProvider(Protocol):
    """A supply of images for an enrolment.

    ``many`` is true where there are too many images to list each; ``advice`` says what the person should do meanwhile,
    with ``{name}`` in place of their name.
    """

    @property
    def many(self) -> bool:
        """Return whether there are too many images to list each."""

    @property
    def advice(self) -> str:
        """Return what the person should do meanwhile, or an empty text."""

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        """Add the images to ``enrolment``. Raises SourceError if none can be read."""


def image_provider(
    camera: CameraConfig, images: Sequence[Path], video: Path | None, uri: str | None, face: int | None = None
) -> ImageProvider:
    """Return the one provider that is asked for; an empty ``uri`` means the source of ``camera``.

    ``face`` is the number of the face that is meant in photos with several, from 1 at the left.

    Raises UsageError if none or several of them are given, or a folder holds no photo.

    Example::

        provider = image_provider(config.camera, [Path("photos/anna")], video=None, uri=None)
    """
    given = [bool(images), video is not None, uri is not None]
    if sum(given) != 1:
        problem = "no source of images is given" if not any(given) else "only one source of images can be used"
        raise UsageError(
            f"{problem}: --images, --video or --camera", "for example: facesecure enroll Anna --images photos/anna/"
        )
    if images:
        return PhotoProvider(list(photo_files(images)), face)
    if face is not None:
        raise UsageError("--face is for photos", "a video or the camera should show one person only")
    from facesecure.camera.sources import open_source

    fast = camera.model_copy(update={"file_speed": "fast"})
    if video is not None:
        return VideoProvider(open_source(f"file:{video}", fast), str(video))
    return CameraProvider(open_source(uri or camera.source, fast))


def chosen_camera(config: FacesecureConfig, named: str) -> tuple[CameraConfig, str]:
    """Return the settings of the camera ``named``, and the address of its images if that is not the camera's own.

    ``named`` is the name of a configured camera, an address, or empty for the first camera. Raises UsageError if no
    camera is called so.
    """
    found = {one.camera.name: one.camera for one in config.each_camera()}
    if not named:
        return config.camera, ""
    try:
        return found[known_camera(named, found)], ""
    except UsageError as error:
        if ":" in named or "/" in named:
            return config.camera, named
        hint = f"{error.hint or ''} Otherwise give an address, such as v4l2:/dev/video0".strip()
        raise UsageError(error.message, hint) from None


def photo_files(paths: Iterable[Path]) -> Iterable[Path]:
    """Yield ``paths`` with each folder replaced by the files in it, sorted by name; hidden ones are left out.

    Files that are no photos are yielded too, so that the report says so of each. Raises UsageError if a folder holds no
    photo at all.
    """
    from facesecure.vision.images.photos import may_be_photo

    for path in map(expanded, paths):
        if not path.is_dir():
            yield path
            continue
        found = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
        if not any(map(may_be_photo, found)):
            others = f"; its {len(found)} files are of other kinds" if found else ""
            raise UsageError(
                f"there is no photo in {path}{others}",
                "put JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF or HEIC files into it; subfolders are not searched",
            )
        yield from found


@dataclass(frozen=True, slots=True)
class PhotoProvider:
    """Photo files, each of which is listed in the result; of several faces in one, number ``face`` is meant."""

    paths: Sequence[Path]
    face: int | None = None
    many: bool = False
    advice: str = ""

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        """Add each photo; reject those that cannot be read."""
        from facesecure.vision.images.photos import read_photo

        for number, path in enumerate(self.paths):
            progress("reading photos", number, len(self.paths))
            try:
                enrolment.add_photo(read_photo(path), str(path), self.face)
            except ImageError as error:
                enrolment.reject(str(path), error.message, error.hint)
        progress("reading photos", len(self.paths), len(self.paths))


@dataclass(frozen=True, slots=True)
class VideoProvider:
    """A video file: four frames of each second, until there are enough good faces."""

    source: OpenedSource
    name: str
    many: bool = True
    advice: str = ""

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        """Add frames of the video. Raises SourceError if it has none."""
        _add_frames(self.source.frames(), self.name, enrolment, progress)


@dataclass(frozen=True, slots=True)
class CameraProvider:
    """A camera with the person in front of it, until there are enough good faces or a minute has passed."""

    source: OpenedSource
    many: bool = True
    advice: str = "{name}: look at the camera, then turn your head slowly: left, right, a little up and down"

    def feed(self, enrolment: Enrolment, progress: Progress) -> None:
        """Add frames of the camera. Raises SourceError if it cannot be opened now, or gives none."""
        from facesecure.camera.capture import LatestFrame

        self.source.probe()  # LatestFrame would wait for a network camera to come back; a person would wait with it
        with LatestFrame(self.source) as frames:
            _add_frames(frames, "camera", enrolment, progress, until=time.monotonic() + _CAMERA_SECONDS)


def _add_frames(
    frames: Iterable[Frame], name: str, enrolment: Enrolment, progress: Progress, until: float | None = None
) -> None:
    due, seen = 0.0, False
    progress("good faces", 0, _ENOUGH_FACES)
    for frame in frames:
        if until is not None and time.monotonic() > until:
            return
        if seen and frame.taken_at < due:
            continue
        due, seen = frame.taken_at + _FRAME_INTERVAL, True
        enrolment.add_image(frame.image, f"{name} at {frame.taken_at:.1f} s")
        progress("good faces", len(enrolment.accepted), _ENOUGH_FACES)
        if len(enrolment.accepted) >= _ENOUGH_FACES:
            return
    if not seen:
        raise SourceError(f"{name} gave no image", "check it with a video player, or with: facesecure doctor")
