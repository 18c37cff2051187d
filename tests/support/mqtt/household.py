"""A household that sends numbered visits through the real outbox to a broker. As a program it does so until killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.config import FacesecureConfig
from facesecure.domain import Alert
from facesecure.domain.deliveries import MQTT
from facesecure.mqtt import connection as connections
from facesecure.mqtt.connection import Connection
from facesecure.mqtt.events import MqttPlugin
from facesecure.storage.store import Store
from support.store import sighting

BASE = "facesecure/pi1"


def config_on(port: int, **mqtt: object) -> FacesecureConfig:
    """Return a configuration with a broker on that port of this machine."""
    section = {"enabled": True, "host": "127.0.0.1", "port": port, "topic": BASE, **mqtt}
    return FacesecureConfig.model_validate({"mqtt": section})


@contextmanager
def sending(state_dir: Path, port: int, *, settle: float = 0.1, **mqtt: object) -> Iterator[tuple[Dispatcher, Store]]:
    """Yield the dispatcher of a household whose only plugin is the broker, and its store."""
    connections.SETTLE = settle
    config = config_on(port, **mqtt)
    connection = Connection(config.mqtt)
    plugin = MqttPlugin(config, connection)
    with Store.open(state_dir) as store:
        dispatcher = Dispatcher({MQTT: plugin}, outbox=store.outbox, close_seconds=5.0)
        connection.on_online = lambda: dispatcher.retry_now(MQTT)
        connection.start()
        with dispatcher:
            yield dispatcher, store
            connection.leave()


def visit(number: object, at: datetime | None = None) -> Alert:
    """Return the event of a visit; its identifier has ``number``."""
    return Alert.about(
        sighting(f"sighting-{number}"),
        f"a stranger {number}",
        channels=(MQTT,),
        identifier=f"visit-{number}",
        created_at=at or datetime.now(UTC),
    )


def main(state_dir: str, port: str, life: str, accepted: str) -> None:
    """Send visits until killed, and note each that ``send`` has returned for."""
    with sending(Path(state_dir), int(port)) as (dispatcher, _), Path(accepted).open("a") as notes:
        number = 0
        while True:
            one = visit(f"{life}-{number}")
            dispatcher.send(one)
            notes.write(f"{one.identifier}\n")
            notes.flush()
            number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
