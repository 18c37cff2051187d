"""The policy's state: the history of notified visitors and the state of the camera, kept across restarts by a file."""

from __future__ import annotations

from facesecure.alerts.policy.camera_state import CameraState
from facesecure.alerts.policy.cooldowns import NotificationHistory
from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.util.clock import Clock

Snapshot = tuple[NotificationHistory, CameraState]


class PolicyState:
    """The ``history`` and the ``camera`` state that a policy works on. Not thread-safe: the policy holds the lock.

    Example::

        state = PolicyState(clock, PolicyStateFile(state_dir, store))
        state.history = state.history.adding(notified, clock.steady())
        if (snapshot := state.snapshot_to_save(at_once=True)) is not None:
            state.write(snapshot)
    """

    def __init__(self, clock: Clock, file: PolicyStateFile | None = None) -> None:
        """Load what was notified before a restart, if there is a ``file``."""
        self._clock, self._file = clock, file
        self.history, self.camera = file.load(clock) if file else (NotificationHistory(), CameraState())
        self._saved = self._pending = (self.history, self.camera)

    def snapshot_to_save(self, *, at_once: bool) -> Snapshot | None:
        """Return what ``write`` is due for, None if nothing has changed or there is no file.

        That is the state at the previous call, or the present one with ``at_once``.
        """
        now = (self.history, self.camera)
        due, self._pending = now if at_once else self._pending, now
        if self._file is None or due == self._saved:
            return None
        self._saved = due
        return due

    def write(self, snapshot: Snapshot) -> None:
        """Write ``snapshot`` to the file. May take long: to be called without the policy's lock."""
        if self._file is not None:
            self._file.save(*snapshot, self._clock)
