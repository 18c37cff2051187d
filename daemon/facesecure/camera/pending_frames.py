"""The frames between a camera's capture and their reader: the newest, and a few that were kept for it."""

from __future__ import annotations

import threading
import time
from collections import deque

from facesecure.domain import Frame

KEPT = 3
"""Kept frames that may wait: at 1920x1080 each takes 3 MB, and those that follow are still packets."""
PATIENCE = 0.5
"""Seconds that a capture waits for its reader in all, while it hands over the frames of one movement."""


class PendingFrames:
    """Frames that were handed over and not yet taken. ``changed`` guards it; call everything with it held.

    Of live frames only the newest waits. Frames that were kept (``replaying``) all wait, in order: their capture waits
    for the reader, which is as bounded as their number. Example::

        with changed:
            pending.put(frame, replaying=False)
    """

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._kept: deque[Frame] = deque()
        self._newest: Frame | None = None
        self._patience = PATIENCE
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._kept) or self._newest is not None

    def put(self, frame: Frame, *, replaying: bool) -> None:
        """Add ``frame``; while ``replaying`` wait for room, for ``PATIENCE`` seconds in all."""
        if not replaying:
            self._patience = PATIENCE
            self.dropped += self._newest is not None
            self._newest = frame
            return
        if self._newest is not None:
            self._kept.append(self._newest)
            self._newest = None
        began = time.monotonic()
        if not self._changed.wait_for(lambda: len(self._kept) < KEPT, max(0.0, self._patience)):
            self._kept.popleft()
            self.dropped += 1
        self._patience -= time.monotonic() - began
        self._kept.append(frame)

    def take(self) -> Frame | None:
        """Return the next frame and make room, None if none waits."""
        if self._kept:
            self._changed.notify_all()
            return self._kept.popleft()
        frame, self._newest = self._newest, None
        return frame

    def clear(self) -> None:
        """Make room: no one will take what waits."""
        self._kept.clear()
        self._changed.notify_all()
