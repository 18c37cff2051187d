"""The connection to the broker: paho's thread keeps it, and connects again 1 to 60 seconds after it was lost."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from facesecure.config.mqtt import MqttConfig
from facesecure.domain.errors import FacesecureError, PluginError
from facesecure.mqtt import topics as t
from facesecure.mqtt.topics import Topics
from facesecure.services.broker import BrokerTrouble, connect, cut_off, new_client, refused, unreachable

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage, MQTTMessageInfo

SETTLE = 5.0
"""Seconds after discovery in which Home Assistant subscribes: an event before that is lost."""
_PUBACK = 10.0
_QUEUED = 200
_LEAVE = 6.0
_PATIENCE = 0.2

_log = logging.getLogger(__name__)


class Sent(Protocol):
    """A message that was handed over to the connection."""

    def wait_for_publish(self, timeout: float | None = None) -> None:
        """Wait until the broker has confirmed it."""

    def is_published(self) -> bool:
        """Return whether it has."""


class Connection:
    """The broker, as the other parts use it. Thread-safe.

    ``on_online`` is called on paho's thread after each connection, ``on_message`` with each message of a topic in
    ``subscribed``; neither may wait. Example::

        connection = Connection(config.mqtt, on_online=states.publish_all)
        connection.start()
        connection.publish("facesecure/pi1/state", b"{}", retain=True)
    """

    def __init__(self, config: MqttConfig, *, lasting: bool = True) -> None:
        """Prepare the client. A certificate that cannot be read is a trouble, as an unreachable broker is.

        ``lasting``: as the daemon's, whose end is told to those who listen; else it has another name beside that.
        """
        self._config, self._topics = config, Topics(config)
        self.on_online: Callable[[], object] = lambda: None
        self.on_message: Callable[[MQTTMessage], object] = lambda _: None
        self.subscribed: tuple[str, ...] = ()
        self._trouble: BrokerTrouble | None = BrokerTrouble("not connected to the MQTT broker yet", "")
        self._ready_at = float("inf")
        self._online, self._leaving = threading.Event(), threading.Event()
        self._answered = False
        self._refusals: dict[int, str] = {}
        try:
            self._client = new_client(config, config.client if lasting else f"{config.client[:56]}-once")
        except FacesecureError as error:
            self._set_trouble(BrokerTrouble(error.message, error.hint or ""))
            return
        self._client.max_queued_messages_set(_QUEUED)
        self._lasting = lasting
        if lasting:
            self._client.will_set(self._topics.of(t.AVAILABILITY), t.OFFLINE, 1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_connect_fail = self._failed
        self._client.on_message = self._received
        self._client.on_publish = self._published

    @property
    def trouble(self) -> BrokerTrouble | None:
        """What is wrong with the connection; None if it stands."""
        return self._trouble

    @property
    def online(self) -> bool:
        """Whether the broker has taken us."""
        return self._online.is_set()

    def start(self) -> None:
        """Begin to connect, and go on until ``close``."""
        if hasattr(self, "_client"):
            connect(self._client, self._config)
            self._client.loop_start()

    def revive(self) -> None:
        """Start the connection's thread again if it has ended by an error, as by a packet that is none."""
        if hasattr(self, "_client") and not self._leaving.is_set() and self._client.loop_start() == 0:
            _log.error("the connection to the MQTT broker has ended by an error, and is begun again")
            self._online.clear()

    def leave(self) -> None:
        """Wait for nothing any more: what cannot be sent at once is for the next start."""
        self._leaving.set()

    def settle(self) -> None:
        """Note that Home Assistant was told of devices just now: events have to wait a little."""
        self._ready_at = time.monotonic() + SETTLE

    def wait_until_settled(self, seconds: float) -> None:
        """Wait until events may be sent. Raises PluginError if that is not so within ``seconds``."""
        seconds = 0.0 if self._leaving.is_set() else seconds
        deadline = time.monotonic() + seconds
        if not self._wait_online(deadline):
            trouble = self._trouble or BrokerTrouble("the MQTT broker is not connected", "")
            raise PluginError(trouble.message, trouble.hint)
        while (left := self._ready_at - time.monotonic()) > 0:
            if time.monotonic() >= deadline or not self.online or self._leaving.is_set():
                raise PluginError("Home Assistant has just been told of the cameras", "events follow in a few seconds")
            time.sleep(min(left, 0.2))

    def _wait_online(self, deadline: float) -> bool:
        while not self._online.wait(_PATIENCE):
            if self._leaving.is_set() or time.monotonic() >= deadline:
                return False
        return True

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False, qos: int = 1) -> Sent:
        """Hand a message over. Raises PluginError if the broker is not connected, or takes too little to keep up."""
        if not self.online:
            raise PluginError("the MQTT broker is not connected")
        from paho.mqtt.client import error_string

        info: MQTTMessageInfo = self._client.publish(topic, payload, qos, retain)
        if info.rc != 0:
            raise PluginError(f"the MQTT broker does not take messages now: {error_string(info.rc)}")
        return info

    def confirm(self, sent: Sent, seconds: float = _PUBACK) -> None:
        """Return when the broker has confirmed ``sent``. Raises PluginError if it refuses, or does not in time."""
        try:
            sent.wait_for_publish(seconds)
        except (ValueError, RuntimeError) as error:
            raise PluginError(f"the MQTT broker did not take a message: {error}") from error
        if not sent.is_published():
            raise PluginError("the MQTT broker has not confirmed the message")
        if why := self._refusals.pop(getattr(sent, "mid", -1), ""):
            raise PluginError(f"the MQTT broker refuses the message: {why}", "let our user publish below our topic")

    def close(self) -> None:
        """Say that we are offline, and leave. Returns after some seconds at the latest."""
        if not hasattr(self, "_client"):
            return
        if self.online and self._lasting:
            with suppress(ValueError, RuntimeError):  # then the broker says it for us
                self._client.publish(self._topics.of(t.AVAILABILITY), t.OFFLINE, 1, True).wait_for_publish(1.0)
        self._leaving.set()
        self._online.clear()
        self._client.disconnect()
        leaving = threading.Thread(target=self._client.loop_stop, name="mqtt-leaving", daemon=True)
        leaving.start()
        leaving.join(_LEAVE)

    # On paho's thread -------------------------------------------------------------------------------------------

    def _connected(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any = None) -> None:
        self._answered = True
        if code.is_failure:
            self._set_trouble(refused(self._config, code))
            return
        _log.info("connected to the MQTT broker %s", self._config.host)
        self._trouble, self._ready_at = None, time.monotonic() + SETTLE
        for topic in self.subscribed:
            self._client.subscribe(topic, 1)
        self._online.set()
        self.on_online()

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any = None) -> None:
        answered, self._answered = self._answered, False
        was_online = self.online
        self._online.clear()
        if self._leaving.is_set():
            return
        if was_online:
            message = f"the MQTT broker {self._config.host} has closed the connection"
            self._set_trouble(BrokerTrouble(message, str(code)))
        elif not answered:
            self._set_trouble(cut_off(self._config))

    def _failed(self, *_: Any) -> None:
        self._set_trouble(unreachable(self._config, sys.exc_info()[1]))

    def _received(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        self.on_message(message)

    def _published(self, _client: Any, _data: Any, mid: int, code: Any, _properties: Any = None) -> None:
        if code.is_failure:
            self._refusals = {**dict(list(self._refusals.items())[-_QUEUED:]), mid: str(code)}

    def _set_trouble(self, trouble: BrokerTrouble) -> None:
        before, self._trouble = self._trouble, trouble
        if before != trouble:  # it tries again and again: the log needs it once
            _log.warning("%s; %s", trouble.message, trouble.hint)
