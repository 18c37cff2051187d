"""The policy's state: the history of notified visitors and the state of each camera, kept across restarts by a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facesecure.alerts.policy.camera_state import CameraState
from facesecure.alerts.policy.cooldowns import NotificationHistory
from facesecure.alerts.policy.state_file import ONLY, PolicyStateFile
from facesecure.util.clock import Clock

Snapshot = tuple[NotificationHistory, Mapping[str, CameraState]]


class PolicyState:
    """The ``history`` and the ``cameras``' states by name that a policy works on. All are values, never changed.

    Not thread-safe: the policy holds the lock.

    Example::

        state = PolicyState(clock, PolicyStateFile(state_dir, store))
        state.history = state.history.adding(notified, clock.steady())
        if (snapshot := state.snapshot_to_save(at_once=True)) is not None:
            state.write(snapshot)
    """

    def __init__(self, clock: Clock, file: PolicyStateFile | None = None, cameras: Sequence[str] = ()) -> None:
        """Load what was notified before a restart, if there is a ``file``, about ``cameras`` by name, the first first.

        What an older version kept about its only camera is the first one's.
        """
        self._clock, self._file = clock, file
        self.history, states = file.load(clock) if file else (NotificationHistory(), {})
        found = {**({cameras[0]: states[ONLY]} if ONLY in states and cameras else {}), **states}
        self.cameras: Mapping[str, CameraState] = {name: found[name] for name in cameras if name in found}
        self._saved: Snapshot = (self.history, self.cameras)
        self._pending: Snapshot = self._saved

    def copy(self) -> PolicyState:
        """Return a copy that is never written, to try something on."""
        copied = PolicyState(self._clock)
        copied.history, copied.cameras = self.history, self.cameras
        return copied

    def camera(self, name: str) -> CameraState:
        """Return the state of the camera called ``name``."""
        return self.cameras.get(name, CameraState())

    def put_camera(self, name: str, state: CameraState) -> None:
        """Replace the state of the camera called ``name``."""
        self.cameras = {**self.cameras, name: state}

    def snapshot_to_save(self, *, at_once: bool) -> Snapshot | None:
        """Return what ``write`` is due for, None if nothing has changed or there is no file.

        That is the state at the previous call, or the present one with ``at_once``.
        """
        now = (self.history, self.cameras)
        due, self._pending = now if at_once else self._pending, now
        if self._file is None or due == self._saved:
            return None
        self._saved = due
        return due

    def write(self, snapshot: Snapshot) -> None:
        """Write ``snapshot`` to the file. May take long: to be called without the policy's lock."""
        if self._file is not None:
            self._file.save(*snapshot, self._clock)
