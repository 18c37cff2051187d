"""What may be asked of us over MQTT, and nothing else: to arm, to disarm with the code, and to begin a drill.

A broker is no place to trust: whoever may publish there can ask. So what lowers the guard needs the code, wrong codes
make everybody wait, longer each time and over restarts, retained messages are ignored, and what is not exactly as
described is dropped.
"""

from __future__ import annotations

import hmac
import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from facesecure.app.assembly import Daemon
from facesecure.config.mqtt import MqttConfig
from facesecure.domain.actors import Actor, acting
from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.domain.mode import Mode
from facesecure.mqtt import topics as t
from facesecure.mqtt.topics import Topics
from facesecure.services.sign_in_limits import NOTED, Limit, SignInLimits

LARGEST = 256
"""Bytes of a command."""
ACTOR = Actor("mqtt", "MQTT broker")
DRILL_PAUSE = 60.0
"""Seconds between the beginnings of two drills."""
CODE_LIMIT = Limit("mqtt code", 3, 900.0)
"""Wrong codes: three are free, each one more doubles the wait."""
_NOTED = Limit("mqtt entries in the audit log", NOTED.free, NOTED.longest)
_WAITING = 20
_JOIN = 3.0
_ACTIONS = {"ARM_HOME": Mode.HOME, "ARM_AWAY": Mode.AWAY, "DISARM": Mode.OFF}

_log = logging.getLogger(__name__)


class RemoteCommands:
    """Commands on their way from the broker to ``daemon``; a thread carries them out, one after the other.

    Example::

        with RemoteCommands(config.mqtt, daemon) as commands:
            commands.receive("facesecure/pi1/arm/set", b'{"action": "ARM_AWAY", "code": "None"}', retained=False)
    """

    def __init__(
        self,
        config: MqttConfig,
        daemon: Daemon,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``clock`` and ``now`` are for tests."""
        topics = Topics(config)
        self._code, self._daemon, self._clock = config.disarm_code, daemon, clock
        self._limits = SignInLimits(daemon.store.page.attempts, now)
        self._handlers = {topics.of(t.ARM_SET): self._arm, topics.of(t.DRILL_SET): self._drill}
        self._drill_due = float("-inf")
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="mqtt-commands", daemon=True)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of commands."""
        return tuple(self._handlers)

    def receive(self, topic: str, payload: bytes | bytearray, *, retained: bool) -> None:
        """Take a command, unless it is retained, too large, or too many wait. Returns at once."""
        if topic not in self._handlers:
            return
        if retained:
            _log.warning("a retained command on %s is ignored; remove it from the broker", topic)
        elif len(payload) > LARGEST:
            _log.warning("a command of %d bytes on %s is ignored", len(payload), topic)
        else:
            try:
                self._waiting.put_nowait((topic, bytes(payload)))
            except queue.Full:
                _log.warning("too many commands at once: one on %s is ignored", topic)

    def __enter__(self) -> RemoteCommands:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; commands that wait are dropped."""
        while not self._waiting.empty():
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                break
        self._waiting.put(None)
        self._thread.join(_JOIN)

    def _work(self) -> None:
        while (command := self._waiting.get()) is not None:
            self.carry_out(*command)

    def carry_out(self, topic: str, payload: bytes) -> None:
        """Do what is asked, if it may be; log why not. Raises nothing."""
        try:
            with acting(ACTOR):
                self._handlers[topic](payload)
        except FacesecureError as error:
            _log.warning("a command on %s was refused: %s", topic, error.message)
        except Exception:  # noqa: BLE001 - one command must not end those that follow
            _log.exception("an error in a command over MQTT; please report it")

    def _arm(self, payload: bytes) -> None:
        mode, code = _wanted(payload)
        if mode.strictness < self._daemon.commands.strictest.strictness:
            self._check(code)
        self._daemon.commands.arm({"mode": mode.value})

    def _check(self, code: str) -> None:
        """Raise UsageError unless ``code`` is the right one, and not too many wrong ones were given."""
        if self._code is None:
            raise UsageError("nothing disarms over MQTT without disarm_code in [mqtt]")
        if (seconds := self._limits.take([CODE_LIMIT])) > 0:
            raise UsageError(f"too many wrong codes: the next one is looked at in {seconds:.0f} s")
        if not hmac.compare_digest(code.encode(), self._code.encode()):
            self._note_refusal()
            raise UsageError("the code is wrong")
        self._limits.give_back([CODE_LIMIT])

    def _note_refusal(self) -> None:
        """Record a wrong code; not each of very many."""
        if self._limits.take([_NOTED]) == 0:
            self._daemon.commands.record("code-refused")

    def _drill(self, payload: bytes) -> None:
        if payload != b"DRILL":
            raise UsageError("a drill is begun with DRILL")
        if self._clock() < self._drill_due:
            raise UsageError("a drill was begun a moment ago")
        self._drill_due = self._clock() + DRILL_PAUSE
        self._daemon.commands.handlers()["drill"]({})


def _wanted(payload: bytes) -> tuple[Mode, str]:
    """Return the mode and the code of a command. Raises UsageError unless it is exactly as described."""
    try:
        found: Any = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        raise UsageError("it is no JSON") from None
    if not isinstance(found, dict) or not set(found) <= {"action", "code"}:
        raise UsageError("it is no object of action and code")
    action, code = found.get("action"), found.get("code", "")
    if not isinstance(action, str) or action not in _ACTIONS:
        raise UsageError("it has no action that there is")
    if not isinstance(code, str):
        raise UsageError("its code is no text")
    return _ACTIONS[action], code  # a code that nobody typed is the text "None", which has no digits
