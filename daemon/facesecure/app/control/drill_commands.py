"""The commands of drills on the control socket: ``drill`` begins one, ``drill-report`` returns its report so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facesecure.app.control.server import Handler
from facesecure.domain.errors import UsageError
from facesecure.domain.names import known_camera
from facesecure.services.audit import Record, ignore_action
from facesecure.services.drill.drill import Drill


class DrillCommands:
    """The handlers of ``drills``, one for each camera; only one runs at a time.

    Example::

        handlers = DrillCommands([drill]).handlers()
    """

    def __init__(self, drills: Sequence[Drill], record: Record = ignore_action) -> None:
        """``drills``: at least one; a request that names no camera is for the first. ``record`` audits each drill."""
        self._drills, self._record = list(drills), record
        self._latest = self._drills[0]

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each command, by its name."""
        return {"drill": self._begin, "drill-report": self._report}

    def of(self, camera: str | None) -> Drill:
        """Return the drill of the camera with that name, the first one's without a name. Raises UsageError."""
        if camera is None:
            return self._drills[0]
        name = known_camera(camera, [drill.camera for drill in self._drills])
        return next(drill for drill in self._drills if drill.camera == name)

    def _begin(self, request: Mapping[str, Any]) -> dict[str, Any]:
        named = request.get("camera")
        drill, running = self.of(None if named is None else str(named)), self._latest.report()
        if running is not None and not running.done and drill is not self._latest:
            raise UsageError(f"a drill is running at the {self._latest.camera}", "wait for its end")
        drill.begin()
        self._record("drill-begun", drill.camera)
        self._latest = drill
        return {"camera": drill.camera}

    def _report(self, _: Mapping[str, Any]) -> dict[str, Any]:
        current = self._latest.report()
        return current.as_json() if current else {}
