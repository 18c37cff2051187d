"""Doors that see strangers and notify: what lies between a pipeline and a plugin, with a real outbox."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from facesecure.alerts.delivery.dispatcher import Dispatcher, ProgressFanOut
from facesecure.alerts.delivery.held_alerts import HeldAlerts
from facesecure.alerts.delivery.notify_once import NotifyOnce
from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.strangers_noted import StrangersNoted
from facesecure.domain import Alert, Sighting
from facesecure.domain.deliveries import HOUSEHOLD, DeliveryStatus
from facesecure.domain.interfaces import NoticeBoard
from facesecure.pipeline.observer import NullObserver
from facesecure.storage.store import Store
from support.store import sighting
from support.visitors import faces


class FailingPlugin(RecordingPlugin):
    """A phone that cannot be reached while ``broken``."""

    broken = False

    def send(self, alert: Alert) -> None:
        """Record ``alert``, or fail."""
        if self.broken:
            raise OSError("no network")
        super().send(alert)


class NotifyingDoor:
    """A door whose alerts go to ``phone``, and to ``log``.

    Example::

        with NotifyingDoor(tmp_path, board) as door:
            door.sees(person=3)
            door.phone.wait_for(1)
    """

    def __init__(self, state_dir: Path, board: NoticeBoard | None) -> None:
        self.phone, self.log = FailingPlugin(), RecordingPlugin()
        self._state_dir, self._board = state_dir, board
        self._stack = ExitStack()

    def __enter__(self) -> NotifyingDoor:
        self.store = self._stack.enter_context(Store.open(self._state_dir))
        steps = ProgressFanOut()
        plugins = {"phone": self.phone, "log": self.log}
        dispatcher = Dispatcher(plugins, outbox=self.store.outbox, on_step=steps)
        self.once = NotifyOnce(HeldAlerts(self.store.outbox, dispatcher, HOUSEHOLD), dispatcher, in_use=True)
        steps.follow(self.once.step)
        self._stack.enter_context(dispatcher)
        self.once.ask(self._board)
        self._stack.enter_context(self.once)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sees(self, person: int, visit: int = 0, **changes: object) -> Sighting:
        """See a stranger about whom an alert is due now."""
        now = datetime.now(UTC)
        seen = replace(sighting(uuid.uuid4().hex, when=now), faces=faces(person, visit), **changes)  # type: ignore[arg-type]
        StrangersNoted(NullObserver(), self.once.note).on_sighting(seen)
        self.once.send(Alert.about(seen, f"stranger {person}"))
        return seen

    def held(self) -> list[DeliveryStatus]:
        """Return what became of the alerts that waited for the other doors, newest first."""
        found = self.store.outbox.history(channel=HOUSEHOLD)
        return [one.status for alert in found for one in alert.deliveries]

    def waited(self, true: Callable[[], object]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + 60
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.02)
