"""Cameras of a daemon as the page sees them, whose frames a test gives them itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from facesecure.app.control.drill_commands import DrillCommands
from facesecure.app.settings_access import SettingsAccess
from facesecure.app.watching import WatchedCamera
from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard, Sessions
from facesecure.app.web_api.server import WebServer
from facesecure.config import FacesecureConfig
from facesecure.pipeline.latest_view import LatestView
from facesecure.pipeline.movements import Movements
from facesecure.services.drill.drill import Drill
from facesecure.vision.detection.motion import Change
from support.page.served import Served, served_page
from support.page_socket import SignedIn, page_parts


def cameras(config: FacesecureConfig, drills: tuple[Drill, ...] = ()) -> tuple[WatchedCamera, ...]:
    """The cameras of ``config``, with neither capture nor pipeline. ``camera.view.look`` shows a frame."""
    bell, nothing, each = threading.Condition(), cast("Any", None), config.each_camera()
    given = drills or tuple(Drill(lambda _: None, camera=one.camera.name) for one in each)
    return tuple(
        WatchedCamera(one, nothing, nothing, drill, view=LatestView(bell), movements=ScriptedMovements())
        for one, drill in zip(each, given, strict=True)
    )


class ScriptedMovements(Movements):
    """Movements that a test names, ten seconds apart."""

    def __init__(self) -> None:
        self._now: tuple[Change, ...] = ()
        super().__init__(lambda: self._now)
        self._at = 0.0

    def happen(self, *changes: Change) -> None:
        """Note that ``changes`` happened."""
        self._now, self._at = changes, self._at + 10.0
        self.note(self._at)


@contextmanager
def served_cameras(
    state_dir: Path,
    *names: str,
    sessions: Sessions | None = None,
    settings: SettingsAccess | None = None,
    **config: Any,
) -> Iterator[Served]:
    """The page before a daemon with cameras called ``names``; each shows what ``camera.view.look`` is given."""
    with page_parts(state_dir, cameras=[{"name": name} for name in names], **config) as parts:
        watched = cameras(parts.config)
        drills = DrillCommands([camera.drill for camera in watched])
        commands = replace(parts.commands, drills=drills)
        parts = replace(parts, cameras=watched, commands=commands, settings=settings)
        socket = state_dir / "web.sock"
        with WebServer(Guard(all_verbs(), parts, sessions or SignedIn()), socket), served_page(socket) as served:
            served.parts = parts
            yield served
