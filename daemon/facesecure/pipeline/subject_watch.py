"""Look at what moves while no face tells who it is: a person, an animal, a vehicle, or nothing that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from facesecure.domain import Box, Frame, Image, Subject
from facesecure.pipeline.presence import RANK
from facesecure.pipeline.snapshots import scene
from facesecure.pipeline.tracker import Track
from facesecure.vision.detection.motion import Region
from facesecure.vision.detection.subjects import Detection, SubjectDetector, subject_of

_INTERVAL = 1.0
"""Seconds between two looks."""
_SETTLED_INTERVAL = 2.0
"""The same once _WINDOW looks have said the same: leaves may move all day."""
_PERSON_INTERVAL = 3.0
"""The same while a person is seen: then it only matters when they leave."""
_WINDOW = 5
"""Latest looks that are taken together."""
_NEEDED = 2
"""Of these, the looks that must show the same kind: one alone is often wrong."""
_LEFT = 2
"""Latest looks that show nothing known, after which whatever was there has left."""
_FORGOTTEN = 16.0
"""Seconds after which a look says nothing about what moves now."""
_JITTER = 1e-3
_NOTHING = Subject.NOTHING
_USABLE_FACE = 1.0
"""Seconds for which a face that could be identified explains the movement."""
_MARGIN = 1.3
"""Side of the square that is looked at, by the longer side of what moves."""
_MIN_SIDE = 0.2
"""The same by the height of the image: a smaller square shows nothing but pixels."""
_MOVING_SHARE = 0.2
"""Share of a subject's box that must move: a person on a poster behind a cat does not."""


class Movement(Protocol):
    """Where something moves in the latest frame (``pipeline.frame_sampler.FrameSampler``)."""

    @property
    def moving(self) -> bool:
        """Return whether the latest frame showed movement."""

    @property
    def regions(self) -> tuple[Region, ...]:
        """Return the boxes around what moves, largest first, as fractions of the image."""


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    subject: Subject


@dataclass(frozen=True, slots=True, eq=False)
class SubjectView:
    """The scene at ``at`` (seconds on the source's clock), uint8 RGB, at most 1280 wide, and the ``box`` in it."""

    at: float
    subject: Subject
    score: float
    image: Image
    box: Box


class SubjectWatch:
    """Looks at the moving region about once a second, and joins the latest looks into what is there.

    Example::

        watch = SubjectWatch()
        watch.follow(frame, sampler, tracks, models.subjects)
        watch.subject(frame.taken_at)  # Subject.PERSON
    """

    def __init__(self) -> None:
        self._looks: tuple[_Look, ...] = ()
        self._looked_at = float("-inf")
        self._turn = 0
        self._view: SubjectView | None = None
        self._used: SubjectDetector | None = None

    def follow(
        self, frame: Frame, movement: Movement, tracks: Sequence[Track], detector: SubjectDetector | None
    ) -> None:
        """Look at ``frame`` if it is time to: something moves, and no usable face among ``tracks`` explains it.

        Call it for each frame that is searched for faces, with its tracks; without a ``detector`` it does nothing.
        """
        if detector is None or not movement.moving or not self._is_time(frame.taken_at):
            return
        if any(track.verdict.faces_used and track.now - track.last_seen <= _USABLE_FACE for track in tracks):
            return
        self._looked_at = frame.taken_at
        if regions := movement.regions:
            self._used = detector
            self._look(frame, regions, detector)

    def rest(self, at: float) -> None:
        """Free the memory of looking if there was no look lately. Call it for every frame, at ``at`` seconds."""
        if self._used is not None and at - self._looked_at > _FORGOTTEN:
            self._used.release()
            self._used = self._view = None

    def _look(self, frame: Frame, regions: Sequence[Region], detector: SubjectDetector) -> None:
        """Search what moves in ``frame``: the two largest of ``regions`` in turn."""
        region = _in_pixels(regions[self._turn % min(2, len(regions))], frame.pixels.size)
        self._turn += 1
        found = subject_of(detector.detect(frame.image, square_around(region, frame.pixels.size)))
        if found is not None and not _moves(found.box, region):
            found = None
        self._looks = (*self._looks, _Look(frame.taken_at, found.subject if found else Subject.NOTHING))[-_WINDOW:]
        if found is not None:
            self._remember(frame, found)

    def subject(self, at: float) -> Subject | None:
        """Return what the latest looks before ``at`` show: the kind that enough of them have; a person goes first.

        None if there was no look lately.
        """
        looks = [look.subject for look in self._looks if at - look.at <= _FORGOTTEN]
        if not looks:
            return None
        if looks[-_LEFT:] == [_NOTHING] * _LEFT:
            return _NOTHING
        return max((kind for kind in Subject if looks.count(kind) >= _NEEDED), key=RANK.__getitem__, default=_NOTHING)

    def view(self, subject: Subject | None, since: float) -> SubjectView | None:
        """Return the surest view of ``subject`` that was taken since ``since``, seconds on the source's clock."""
        view = self._view
        return view if view is not None and view.subject is subject and view.at >= since else None

    def _is_time(self, at: float) -> bool:
        return at - self._looked_at >= self._interval(at) - _JITTER

    def _interval(self, at: float) -> float:
        latest = [look.subject for look in self._looks]
        if latest[-1:] == [Subject.PERSON] and self.subject(at) is Subject.PERSON:
            return _PERSON_INTERVAL
        return _SETTLED_INTERVAL if len(latest) == _WINDOW and len(set(latest)) == 1 else _INTERVAL

    def _remember(self, frame: Frame, found: Detection) -> None:
        old = self._view
        recent = old is not None and frame.taken_at - old.at <= _FORGOTTEN
        if old and recent and (RANK[found.subject], found.score) <= (RANK[old.subject], old.score):
            return
        image, scale = scene(frame.image)
        box = found.box
        scaled = Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale)
        self._view = SubjectView(frame.taken_at, found.subject, found.score, image, scaled)


def square_around(region: Box, size: tuple[int, int]) -> Box:
    """Return the square to look at around ``region``, moved into an image of ``size`` (width, height), in pixels.

    It is narrower or lower than a square where the image is.
    """
    width, height = size
    side = max(_MARGIN * max(region.width, region.height), _MIN_SIDE * height)
    across, down = min(side, width), min(side, height)
    left = min(max(region.centre[0] - across / 2, 0.0), width - across)
    top = min(max(region.centre[1] - down / 2, 0.0), height - down)
    return Box(left, top, left + across, top + down)


def _in_pixels(region: Region, size: tuple[int, int]) -> Box:
    (left, top, right, bottom), (width, height) = region, size
    return Box(left * width, top * height, right * width, bottom * height)


def _moves(box: Box, region: Box) -> bool:
    """Return whether enough of ``box`` lies in the moving ``region``."""
    across = min(box.right, region.right) - max(box.left, region.left)
    down = min(box.bottom, region.bottom) - max(box.top, region.top)
    return max(0.0, across) * max(0.0, down) >= _MOVING_SHARE * box.area
