"""The front for MQTT as the daemon uses it: its plugin, and what runs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facesecure.app.assembly import Daemon
from facesecure.config import FacesecureConfig
from facesecure.domain.deliveries import MQTT
from facesecure.domain.interfaces import AlertPlugin
from facesecure.mqtt import topics as t
from facesecure.mqtt.commands import RemoteCommands
from facesecure.mqtt.connection import Connection
from facesecure.mqtt.events import MqttPlugin
from facesecure.mqtt.left_behind import LeftBehind
from facesecure.mqtt.people import PresenceTopics
from facesecure.mqtt.pictures import Pictures
from facesecure.mqtt.states import States, by_word
from facesecure.mqtt.topics import Topics

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage


class MqttFront:
    """The front of one daemon. The connection begins with ``opened`` and ends when the plugin is closed.

    Example::

        run(config, state_dir, fronts=[MqttFront])
    """

    def __init__(self, config: FacesecureConfig) -> None:
        """``config`` has [mqtt] enabled."""
        self._config, self._connection = config.mqtt, Connection(config.mqtt)
        self._plugin = MqttPlugin(config, self._connection)

    def plugins(self) -> Mapping[str, AlertPlugin]:
        """Return the plugin for the broker."""
        return {MQTT: self._plugin}

    @contextmanager
    def opened(self, daemon: Daemon) -> Iterator[None]:
        """Connect, and serve ``daemon`` during the block; the plugin says good-bye, after the last event."""
        context, topics = daemon.context, Topics(self._config)
        left = LeftBehind(context.state_dir)
        views = {word: camera.view for word, camera in by_word(daemon).items()}
        pictures = Pictures(self._config, self._connection, daemon.store, views, left)
        self._plugin.store, self._plugin.pictures = daemon.store, pictures
        states = States(self._config, self._connection, daemon, pictures, left)
        commands = RemoteCommands(self._config, daemon)
        people = PresenceTopics(context.config, next(iter(daemon.commands.presence), None))

        def receive(message: MQTTMessage) -> None:
            if message.topic == topics.birth:
                if not message.retain and message.payload == t.ONLINE.encode():
                    states.publish_again()  # Home Assistant has started
            elif not people.receive(message.topic, message.payload, retained=message.retain):
                commands.receive(message.topic, message.payload, retained=message.retain)

        self._connection.on_online, self._connection.on_message = states.publish_all, receive
        self._connection.subscribed = tuple(filter(None, (*commands.topics, topics.birth, *people.topics)))
        for presence in daemon.commands.presence:
            presence.broker_gone = lambda: not self._connection.online
        with commands, states:
            daemon.commands.troubles[MQTT] = self._trouble
            self._connection.start()
            try:
                yield
            finally:
                self._connection.leave()

    def _trouble(self) -> str:
        trouble = self._connection.trouble
        return f"{trouble.message}; {trouble.hint}".rstrip("; ") if trouble else ""
