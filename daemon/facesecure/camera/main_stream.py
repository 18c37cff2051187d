"""Keep the newest frames of a camera's main stream, while faces are searched in its sub-stream."""

from __future__ import annotations

import logging
import threading
from collections import deque
from types import TracebackType
from typing import Self

from facesecure.camera.capture import LatestFrame
from facesecure.domain import Frame
from facesecure.domain.errors import SourceError
from facesecure.domain.interfaces import Source

_log = logging.getLogger(__name__)

_KEPT = 4
"""Frames that are kept: the two streams arrive a few frames apart."""
_NEAREST = 0.5
"""Seconds that a frame of the main stream may be away from one of the sub-stream."""


class MainStream:
    """Reads ``source`` in a thread within a ``with`` block; ``near`` returns its frame of a given moment. Thread-safe.

    A main stream that is lost costs detail, not the watch: the faces of the sub-stream are used instead. Example::

        with MainStream(source) as main:
            detailed = main.near(frame)
    """

    def __init__(self, source: Source) -> None:
        self._frames = LatestFrame(source)
        self._newest: deque[Frame] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=self._read, name="main stream", daemon=True)

    def __enter__(self) -> Self:
        """Start reading."""
        self._frames.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the source within a few seconds."""
        self._frames.__exit__(kind, error, trace)

    @property
    def trouble(self) -> SourceError | None:
        """The error that keeps frames from coming now; None while they come."""
        return self._frames.trouble

    def near(self, frame: Frame) -> Frame | None:
        """Return the frame that was taken nearest to ``frame`` of the sub-stream, None if there is none near."""
        kept = list(self._newest)
        away = [abs((one.wall_time - frame.wall_time).total_seconds()) for one in kept]
        return kept[away.index(min(away))] if away and min(away) <= _NEAREST else None

    def _read(self) -> None:
        try:
            for frame in self._frames:
                self._newest.append(frame)
        except SourceError as error:
            _log.error("the main stream cannot be read, so faces are recognised in the other: %s", error.message)
