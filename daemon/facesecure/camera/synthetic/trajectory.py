"""Compute a visitor's walk: out from behind the hedge, up the path, a moment at the door, away to the left."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from facesecure.camera.synthetic.figure import Pose
from facesecure.camera.synthetic.scene import HORIZON


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One visit: from ``start`` for ``duration`` seconds; the face's width grows from ``far`` to ``near`` pixels.

    ``end_x`` is the position at the door (fraction of the frame's width), ``swing`` the phase of the gait (radians),
    and ``leave`` the seconds that leaving takes. Example::

        pose = Trajectory(start=1.6, duration=6.0, far=40, near=205).pose(4.0, (1280, 720))
    """

    start: float
    duration: float
    far: float
    near: float
    end_x: float = 0.47
    swing: float = 0.0
    leave: float = 1.2

    @property
    def end(self) -> float:
        """Seconds into the clip when the visit is over."""
        return self.start + self.duration

    def behind_hedge(self, time: float) -> bool:
        """Return whether the hedge still hides part of the figure at ``time``."""
        return time < self.start + 0.22 * (self.duration - self.leave)

    def pose(self, time: float, size: tuple[int, int]) -> Pose | None:
        """Return the pose at ``time`` in a frame of ``size`` (width, height), or None before and after the visit."""
        if not self.start <= time < self.end:
            return None
        since = time - self.start
        arriving = min(since / (self.duration - self.leave), 1.0)
        leaving = max(0.0, (since - (self.duration - self.leave)) / self.leave)
        face = self.far * (self.near / self.far) ** _ease(min(arriving / 0.85, 1.0))
        x = self._across(arriving) - 0.62 * leaving**1.6
        bob = 0.05 * face * abs(sin(pi * 1.8 * since + self.swing))
        turn = 0.32 * sin(1.9 * since + self.swing) * (1 - leaving) - 0.95 * min(1.0, 3 * leaving)
        centre = (x * size[0], (HORIZON + 0.012) * size[1] + 0.2 * face - bob)
        return Pose(centre, face, yaw=turn, roll=0.05 * sin(1.3 * since + 2 * self.swing))

    def _across(self, arriving: float) -> float:
        """Return the horizontal position as a fraction of the width: quickly out of the hedge, then along the path."""
        emerge = min(arriving / 0.2, 1.0)
        along = _ease(min(max(arriving - 0.12, 0.0) / 0.73, 1.0))
        return 0.775 - 0.085 * _ease(emerge) + (self.end_x - 0.69) * along


def _ease(fraction: float) -> float:
    return 0.5 - 0.5 * cos(pi * fraction)
