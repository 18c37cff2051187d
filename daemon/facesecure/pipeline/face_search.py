"""Decide which part of a frame is searched for faces: all of it, where something moves, or near the faces tracked.

A search of the whole frame costs several times as much as all that is usually worth looking at. So it comes once a
second only, and in between the regions that move and the surroundings of the tracks are searched in turn. A visitor who
comes in moves, and is found by the next search of the regions: at most one search later than by searching everything.
"""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.domain import Box, Face, Frame
from facesecure.domain.interfaces import Detector
from facesecure.pipeline.tracker import Track
from facesecure.vision.detection.motion import Region
from facesecure.vision.detection.search_areas import AreaDetector, SearchArea

_EVERYTHING_AFTER = 1.0
"""Seconds after which the whole frame is searched again."""
_REGIONS_AFTER = 0.3
"""Seconds after which the regions are searched again while faces are followed: two usual intervals between searches."""
_JITTER = 0.01
"""Seconds by which a frame may come before that: a camera's clock jitters."""
_MARGIN = 0.02
"""Widths of the frame by which a region is enlarged: of 886 faces at a drawn door this leaves out 4, no margin 46."""
_MOST = 0.5
"""Share of the frame above which the whole frame is searched instead of its regions."""


class FaceSearch:
    """Searches one camera's frames. Keep one for each camera; the detector may be shared.

    Example::

        search = FaceSearch()
        faces = search.find(detector, frame, tracker.tracks, sampler.regions)
    """

    def __init__(self) -> None:
        self._everything_at = float("-inf")
        self._regions_at = float("-inf")

    def find(
        self, detector: Detector, frame: Frame, tracks: Sequence[Track], regions: Sequence[Region]
    ) -> Sequence[Face]:
        """Return the faces in ``frame``, largest first.

        ``tracks`` are those at this moment; ``regions`` is where the frame moves. A detector that cannot search a part
        of an image (``AreaDetector``) searches all of it.
        """
        if not isinstance(detector, AreaDetector):
            return detector.detect(frame.image)
        areas = self._areas(frame, tracks, regions)
        return detector.detect(frame.image) if areas is None else detector.detect_in(frame.image, areas)

    def _areas(self, frame: Frame, tracks: Sequence[Track], regions: Sequence[Region]) -> list[SearchArea] | None:
        """Return where to search ``frame``, None for all of it."""
        if frame.taken_at - self._everything_at >= _EVERYTHING_AFTER - _JITTER:
            self._note_everything(frame.taken_at)
            return None
        near = [SearchArea.near(_expected(track, frame.taken_at)) for track in tracks]
        waited = frame.taken_at - self._regions_at >= _REGIONS_AFTER - _JITTER
        if near and not waited and all(track.hits > 1 for track in tracks):  # else it has no velocity yet
            return near
        moved = [_enlarged(region, frame.pixels.size) for region in regions]
        if sum(box.area for box in moved) > _MOST * frame.pixels.size[0] * frame.pixels.size[1]:
            self._note_everything(frame.taken_at)
            return None
        self._regions_at = frame.taken_at
        return [SearchArea(box) for box in moved] + near

    def _note_everything(self, at: float) -> None:
        self._everything_at = self._regions_at = at


def _expected(track: Track, at: float) -> Box:
    (x, y), box = track.expected_centre(at), track.face.box
    return Box(x - box.width / 2, y - box.height / 2, x + box.width / 2, y + box.height / 2)


def _enlarged(region: Region, size: tuple[int, int]) -> Box:
    left, top, right, bottom = (edge * size[index % 2] for index, edge in enumerate(region))
    margin = _MARGIN * size[0]
    return Box(max(left - margin, 0), max(top - margin, 0), min(right + margin, size[0]), min(bottom + margin, size[1]))
