"""Whether somebody is in front of a camera, without a flicker at each face that is lost for a moment."""

from __future__ import annotations

import time

from facesecure.app.watching import WatchedCamera

HOLDS = 10.0
"""Seconds for which somebody who is not seen any more counts as there."""


class SomebodyThere:
    """The answer for one camera; ``look`` is to be called about once a second.

    Example::

        there = SomebodyThere(camera)
        there.look()  # True
    """

    def __init__(self, camera: WatchedCamera) -> None:
        self._camera = camera
        self._until = float("-inf")

    @property
    def somebody(self) -> bool:
        """The answer of the last look."""
        return time.monotonic() < self._until

    def look(self) -> bool:
        """Look again, and return whether somebody is there."""
        if self._camera.view.followed:
            self.note()
        return self.somebody

    def note(self) -> None:
        """Note that somebody was seen just now, perhaps without a face."""
        self._until = time.monotonic() + HOLDS
