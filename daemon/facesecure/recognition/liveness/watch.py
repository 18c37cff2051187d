"""Follow the visits of one camera, and doubt those that may be a picture held up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from facesecure.config.liveness import LivenessConfig
from facesecure.domain import Box, Face, Frame, Image
from facesecure.recognition.liveness.antispoof import Antispoof, SpoofScores, brightness
from facesecure.recognition.liveness.doorstep import Doorstep
from facesecure.recognition.liveness.surroundings import FacePatch, PairMotion, compare
from facesecure.recognition.liveness.visit import Limits, VisitCues

_DARK = 30.0
"""Mean brightness of a face below which nothing is judged: what is left of it is noise."""
_GREY = 4.0
"""Mean difference of red, green and blue below which the camera is taken for one that sees infrared light."""
_SCORED_AT_ONCE = 8
"""Faces of a visit that are scored as they come; later ones every ``_SCORED_AGAIN`` seconds."""
_SCORED_AGAIN = 1.0
_PAIRS_AT_ONCE, _REST, _CLEAR_REST = 20, 0.5, 2.0
"""Pairs of frames that are compared as they come, and seconds between two later pairs, or where it is clear already
that the surroundings stay."""
_PATIENCE = 1.5
"""Seconds that a name waits at most while its visit is suspicious."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Visit:
    began: float
    cues: VisitCues = field(default_factory=VisitCues)
    patch: FacePatch | None = None
    pairs: int = 0
    rests_until: float = float("-inf")
    scored_at: float = float("-inf")

    def motion(self, face: Face, frame: Frame) -> PairMotion:
        """Compare with the last frame, and keep this one: the first pairs as they come, later ones now and then."""
        at, found = frame.taken_at, PairMotion.STILL
        if self.cues.doubt or at < self.rests_until:
            return found
        if self.patch is not None:
            found = compare(self.patch, frame.luma, at)
            self.pairs += 1
            if self.cues.clear or self.pairs >= _PAIRS_AT_ONCE:
                self.patch, self.rests_until = None, at + (_CLEAR_REST if self.cues.clear else _REST)
                return found
        self.patch = FacePatch.of(frame.luma, _in_luma(face.box, frame), at)
        return found


Closeup = Callable[[Face], tuple[Image, Face]]
"""Returns an image in which a face is larger, uint8 RGB, and the face in it: from the camera's main stream."""


class FollowedFace(Protocol):
    """A face that is followed from frame to frame (``pipeline.tracker.Track``)."""

    @property
    def number(self) -> int:
        """The number of the visit."""

    @property
    def face(self) -> Face:
        """The face, where it was found last."""

    @property
    def fresh(self) -> bool:
        """Whether that was on the latest frame."""


class VisitDoubts(Protocol):
    """What makes a sighting of a visit has to know of its liveness (``LivenessWatch``)."""

    def doubt(self, number: int) -> str:
        """Return why the visit ``number`` may be a picture; empty if nothing says so."""

    def undecided(self, number: int, now: float) -> bool:
        """Return whether a name should wait a moment at ``now``."""

    def end(self, number: int, *, known: bool) -> str:
        """Forget the visit ``number``, of a ``known`` person or not, and return its doubt."""


class LivenessWatch:
    """The liveness of the faces of one camera, each visit by its number.

    Example::

        watch = LivenessWatch(config.liveness, Doorstep("front door", Limits()))
        watch.follow(frame, tracks, models.antispoof)
        watch.doubt(track.number)  # "" or the reason
    """

    def __init__(self, config: LivenessConfig | None = None, doorstep: Doorstep | None = None) -> None:
        """Judge by the limits of ``doorstep``, by default those of ``config``; without ``config``, judge nothing."""
        self._config = config or LivenessConfig(mode="off")
        self._doorstep = doorstep or Doorstep("", limits_of(self._config))
        self._visits: dict[int, _Visit] = {}

    @property
    def active(self) -> bool:
        """Whether faces are judged at all."""
        return self._config.mode != "off"

    def follow(
        self,
        frame: Frame,
        tracks: Iterable[FollowedFace],
        antispoof: Antispoof | None = None,
        closeup: Closeup | None = None,
    ) -> None:
        """Add the faces that were found on ``frame`` to their visits; ``antispoof`` are the networks, if pulled."""
        for track in tracks:
            if track.fresh:
                self.observe(track.number, track.face, frame, antispoof, closeup)

    def observe(
        self,
        number: int,
        face: Face,
        frame: Frame,
        antispoof: Antispoof | None = None,
        closeup: Closeup | None = None,
    ) -> None:
        """Add ``face``, found on ``frame``, to the visit ``number``; ``antispoof`` are the networks, if pulled.

        One that is too small here is judged by the networks where ``closeup`` finds it larger.
        """
        if not self.active or not daylight(frame, face.box):
            return
        large = face.box.width >= self._config.min_face
        if not large and (antispoof is None or closeup is None):
            return
        visit = self._visits.setdefault(number, _Visit(frame.taken_at))
        motion = visit.motion(face, frame) if large else PairMotion.STILL
        scores, before = self._scores(visit, face, frame, antispoof, None if large else closeup), visit.cues
        if not large and scores is None:
            return
        visit.cues = before.seen(motion, scores).judged(self._doorstep.limits)
        if visit.cues.doubt and not before.doubt:
            _log.warning("a face may be a picture that is held up: %s", visit.cues.doubt)

    def doubt(self, number: int) -> str:
        """Return why the visit ``number`` may be a picture; empty if nothing says so, or doubts are only logged."""
        visit = self._visits.get(number)
        return visit.cues.doubt if visit is not None and self._config.mode == "on" else ""

    def undecided(self, number: int, now: float) -> bool:
        """Return whether a name should wait a moment, since the visit is suspicious at ``now`` (the source's clock)."""
        visit = self._visits.get(number)
        if visit is None or self._config.mode != "on":
            return False
        return visit.cues.suspicious and now - visit.began < _PATIENCE

    def end(self, number: int, *, known: bool) -> str:
        """Forget the visit ``number``, and return its doubt.

        If it was a ``known`` person's without doubt, learn how such visits look at this door.
        """
        doubt, visit = self.doubt(number), self._visits.pop(number, None)
        if visit is not None and known and not visit.cues.doubt:
            self._doorstep.add(visit.cues.summary)
        return doubt

    def cues(self, number: int) -> VisitCues:
        """Return the cues of the visit ``number`` so far."""
        visit = self._visits.get(number)
        return VisitCues() if visit is None else visit.cues

    def _scores(
        self, visit: _Visit, face: Face, frame: Frame, antispoof: Antispoof | None, closeup: Closeup | None
    ) -> SpoofScores | None:
        due = visit.cues.scored < _SCORED_AT_ONCE or frame.taken_at - visit.scored_at >= _SCORED_AGAIN
        if antispoof is None or visit.cues.doubt or not due:
            return None
        visit.scored_at = frame.taken_at
        image, found = closeup(face) if closeup else (frame.image, face)
        return antispoof.score(image, found.box) if found.box.width >= self._config.min_face else None


def limits_of(config: LivenessConfig) -> Limits:
    """Return the limits of the configuration."""
    return Limits(config.together, config.score)


def daylight(frame: Frame, box: Box) -> bool:
    """Return whether the face in ``box`` is not too dark, and in colour: by infrared light nothing can be told."""
    if brightness(frame.image, box) < _DARK:
        return False
    left, top, right, bottom = (max(0, int(edge)) for edge in (box.left, box.top, box.right, box.bottom))
    red, green, blue = np.moveaxis(frame.image[top:bottom:2, left:right:2].astype(np.int16), -1, 0)
    return float(np.abs(red - green).mean() + np.abs(green - blue).mean()) / 2 >= _GREY


def _in_luma(box: Box, frame: Frame) -> Box:
    """Return ``box`` of the image in the pixels of the frame's brightness, which may be smaller."""
    height, width = frame.luma.shape
    across, down = width / frame.pixels.size[0], height / frame.pixels.size[1]
    return Box(box.left * across, box.top * down, box.right * across, box.bottom * down)
