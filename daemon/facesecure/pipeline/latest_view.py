"""The newest picture of a camera for people who look: made when it is asked for, once however many ask.

The frame loop only leaves its latest frame and tracks here; nothing is converted, scaled or encoded while nobody looks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from facesecure.config.areas import Rectangle
from facesecure.domain import Frame, Image, VerdictKind
from facesecure.pipeline.tracker import Track
from facesecure.vision.images.codec import preview_jpeg

WIDTHS = (320, 640, 1280)
"""The widths of pictures that may be asked for, pixels; a frame that is narrower is not enlarged."""
PAUSE = 0.2
"""Seconds between two pictures of one camera and width."""
_LOOKING = 3.0
"""Seconds after the latest request in which somebody counts as looking."""
_KEPT = 5.0
"""Seconds after which a picture that nobody asked for again is dropped."""
_FOLLOWED = 1.0
"""Seconds after which the box of a face that is not found any more is left out."""


@dataclass(frozen=True, slots=True)
class SeenBox:
    """A face in a picture, as it is judged so far; ``name`` is set where it is known.

    ``edges``: left, top, right and bottom, as fractions of the picture.
    """

    edges: Rectangle
    verdict: VerdictKind
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of a camera's frame; ``size`` is that of the camera's frame, (width, height), ``came_at`` monotonic."""

    number: int
    taken_at: datetime
    came_at: float
    size: tuple[int, int]
    boxes: tuple[SeenBox, ...]
    jpeg: bytes

    @property
    def age(self) -> float:
        """Seconds since the frame came."""
        return max(0.0, time.monotonic() - self.came_at)


@dataclass(frozen=True, slots=True)
class _Shown:
    number: int
    frame: Frame
    tracks: Sequence[Track]
    came_at: float


class LatestView:
    """What a camera shows now. ``look`` is called by its frame loop, everything else by the threads of those who ask.

    ``bell`` is shared by the views that one request waits for. Example::

        view = LatestView()
        pipeline.run(frames, view.look)
        picture = newest([(view, None)], width=640, seconds=0)
    """

    def __init__(self, bell: threading.Condition | None = None) -> None:
        self.bell = bell or threading.Condition()
        self._shown: _Shown | None = None
        self._number = 0
        self._encoding = threading.Lock()
        self._pictures: dict[int, tuple[Picture, float]] = {}
        """For each width the latest picture, and when the next may be made."""
        self._due = 0.0
        """When the next picture of any width may be made: nobody is woken before."""
        self._waiting = 0
        self._looked_at = float("-inf")

    def look(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Keep ``frame``, with its tracks, as the newest, and wake those who wait for it. Takes microseconds."""
        self._number, now = self._number + 1, time.monotonic()
        self._shown = _Shown(self._number, frame, tracks, now)
        if self._waiting and now >= self._due:
            with self.bell:
                self.bell.notify_all()

    @property
    def watched(self) -> bool:
        """Whether somebody has been looking in the last seconds, so that every frame is worth decoding."""
        return time.monotonic() - self._looked_at < _LOOKING

    @property
    def shown(self) -> tuple[int, tuple[int, int], float] | None:
        """Number and size (width, height) of the newest frame, and the seconds since it came; None before the first."""
        if (now := self._shown) is None:
            return None
        return now.number, now.frame.pixels.size, max(0.0, time.monotonic() - now.came_at)

    @property
    def followed(self) -> bool:
        """Whether a face is followed in the newest frame, other than one that never moves."""
        shown = self._shown
        return shown is not None and any(track.live and not track.is_fixed for track in shown.tracks)

    def watch(self) -> None:
        """Note that somebody looks at moving pictures."""
        self._looked_at = time.monotonic()

    def picture(self, width: int) -> Picture | None:
        """Return the newest picture, at most ``width`` pixels wide (one of WIDTHS); None before the first frame.

        It may be as old as PAUSE. Raises ValueError if the frame cannot be encoded.
        """
        with self._encoding:
            made, due = self._pictures.get(width, (None, 0.0))
            shown, now = self._shown, time.monotonic()
            if shown is None or (made and (now < due or made.number == shown.number)):
                return made
            picture = _picture(shown, width)
            self._pictures = {**self._wanted(now), width: (picture, now + PAUSE)}
            self._due = min(due for _, due in self._pictures.values())
            return picture

    def image(self, oldest: float) -> Image | None:
        """Return the newest frame as a whole, uint8 RGB; None if it came more than ``oldest`` seconds ago."""
        shown = self._shown
        if shown is None or time.monotonic() - shown.came_at > oldest:
            return None
        return shown.frame.image

    def _wanted(self, now: float) -> dict[int, tuple[Picture, float]]:
        return {width: (picture, due) for width, (picture, due) in self._pictures.items() if now - due < _KEPT}

    def offers(self, width: int, seen: int | None) -> tuple[bool, float]:
        """Return whether there is a picture other than number ``seen``, and else when to look again (monotonic)."""
        made, due = self._pictures.get(width, (None, 0.0))
        shown, now = self._shown, time.monotonic()
        if shown is None or seen == shown.number:
            return False, due if due > now else float("inf")
        if made is not None and made.number != seen:
            return True, 0.0
        return now >= due, due

    def expect(self, difference: int) -> None:
        """Count those who wait for the next frame; call it with ``bell`` held."""
        self._waiting += difference


def newest(
    views: Sequence[tuple[LatestView, int | None]], width: int, seconds: float
) -> tuple[LatestView, Picture] | None:
    """Return the first view with a picture that was not seen, and that picture; wait up to ``seconds`` for one.

    ``views``, which share a bell, come with the number of the picture that was seen last; earlier ones are preferred.
    None if there was none in time.
    """
    end, bell = time.monotonic() + seconds, views[0][0].bell
    while True:
        found = _waited_for(views, width, end, bell)
        if found is None:
            return None
        picture = found.picture(width)
        if picture is not None:
            return found, picture


def _waited_for(
    views: Sequence[tuple[LatestView, int | None]], width: int, end: float, bell: threading.Condition
) -> LatestView | None:
    with bell:
        for view, _ in views:
            view.expect(1)
        try:
            while True:
                offers = [(view, *view.offers(width, seen)) for view, seen in views]
                if ready := next((view for view, offered, _ in offers if offered), None):
                    return ready
                until = min([end, *(again for _, _, again in offers)])
                if end <= (now := time.monotonic()):
                    return None
                bell.wait(max(0.001, until - now))
        finally:
            for view, _ in views:
                view.expect(-1)


def _picture(shown: _Shown, width: int) -> Picture:
    frame = shown.frame
    boxes = tuple(_box(track, frame.pixels.size) for track in shown.tracks if _is_there(track))
    jpeg = preview_jpeg(frame.image, width)
    return Picture(shown.number, frame.wall_time, shown.came_at, frame.pixels.size, boxes, jpeg)


def _is_there(track: Track) -> bool:
    return not track.ended and track.now - track.last_seen <= _FOLLOWED


def _box(track: Track, size: tuple[int, int]) -> SeenBox:
    (width, height), box = size, track.face.box
    edges = (
        _within(box.left / width),
        _within(box.top / height),
        _within(box.right / width),
        _within(box.bottom / height),
    )
    return SeenBox(edges, track.verdict.kind, track.verdict.name)


def _within(edge: float) -> float:
    return round(min(max(edge, 0.0), 1.0), 4)
