"""What the running daemon does when people come and leave, or when a face at the door disarms."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass

from facesecure.alerts.policy.arming import Armed
from facesecure.alerts.policy.policy import Policy
from facesecure.app.changes import Topic
from facesecure.app.context import DaemonContext
from facesecure.app.control.commands import Commands
from facesecure.domain.actors import Actor, acting
from facesecure.domain.interfaces import AlertSink
from facesecure.domain.mode import Mode
from facesecure.domain.names import name_key
from facesecure.services.presence import Presence
from facesecure.services.presence_file import PresenceFile
from facesecure.util.clock import SystemClock

PRESENCE = Actor("facesecure", "presence")
FACE = Actor("facesecure", "face at the door")


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ArmedHouse:
    """The household's mode, as presence and faces may change it. Whoever lowers it is told of by ``alerts``.

    Example::

        house = ArmedHouse(commands, alerts.policy, alerts.dispatcher)
        house.came_home("Anna")
    """

    commands: Commands
    policy: Policy
    alerts: AlertSink

    @property
    def mode(self) -> Mode:
        """The mode that applies, by the hours of the week too."""
        return self.policy.mode

    @property
    def armed(self) -> Armed:
        """The mode that was set last."""
        return self.commands.arming.armed

    def everybody_left(self) -> None:
        """Arm away, at once: they have left."""
        with acting(PRESENCE):
            self.commands.set_mode(Mode.AWAY, at_once=True)

    def came_home(self, name: str) -> None:
        """Change away to home, since the person called ``name`` has come, and notify of it."""
        self._disarm(name, PRESENCE, "disarmed-by-presence", by_face=False)

    def recognised(self, name: str) -> None:
        """Change away to home, since the face of the person called ``name`` was seen at the door, and notify of it."""
        self._disarm(name, FACE, "disarmed-by-face", by_face=True)

    def _disarm(self, name: str, actor: Actor, action: str, *, by_face: bool) -> None:
        with acting(actor):
            self.commands.set_mode(Mode.HOME)
            self.commands.record(action, name)
        self.alerts.send(self.policy.tell_disarmed(name, by_face=by_face))


def build_presence(context: DaemonContext, house: ArmedHouse, stack: ExitStack) -> list[Presence]:
    """Build and start presence until ``stack`` ends: one, or none if nobody's is followed."""
    config, clock = context.config.presence, SystemClock()
    if not config.people:
        return []
    file, changed = PresenceFile(context.state_dir, clock), context.changes.bumper(Topic.MODE)
    return [stack.enter_context(Presence(config, house, file, clock, changed))]


def warn_of_faces_that_cannot_disarm(context: DaemonContext) -> None:
    """Log why a face that is meant to disarm never will, if that is so."""
    config = context.config
    if not config.policy.known_disarms:
        return
    if context.models.antispoof is None:
        _log.warning("known_disarms: no face disarms without the networks; facesecure models pull antispoof")
    if config.liveness.mode != "on":
        _log.warning("known_disarms: no face disarms while [liveness] mode is %s", config.liveness.mode)
    enrolled = {name_key(name) for name in context.names()}
    for name in config.policy.known_disarms:
        if name_key(name) not in enrolled:
            _log.warning("known_disarms: %s is not enrolled", name)
