"""A real mosquitto on a free port of this machine, and a listener that remembers what it heard."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from support.ports import free_port

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
_PASSWD = shutil.which("mosquitto_passwd")


def needs_mosquitto() -> None:
    """Skip the test where there is no mosquitto; fail it where there has to be one."""
    if MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is not installed: apt install mosquitto")
        pytest.skip("mosquitto is not installed: apt install mosquitto")


@dataclass
class Broker:
    """One mosquitto, which can be stopped and started again; it keeps what it has saved over that."""

    folder: Path
    lines: tuple[str, ...] = ()
    users: tuple[tuple[str, str], ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = [f"listener {self.port} 127.0.0.1", *self.lines]
        if self.users:
            passwords = self.folder / "passwords"
            passwords.unlink(missing_ok=True)
            passwords.touch(0o600)
            for name, password in self.users:
                subprocess.run([str(_PASSWD), "-b", passwords, name, password], check=True, capture_output=True)
            settings += ["allow_anonymous false", f"password_file {passwords}"]
        else:
            settings += ["allow_anonymous true"]
        settings += ["persistence true", f"persistence_location {self.folder}/", "autosave_interval 1"]
        settings += ["max_queued_messages 100000"]  # or it drops what comes while a listener is held up
        settings += ["user root"] if os.geteuid() == 0 else []
        file = self.folder / "mosquitto.conf"
        file.write_text("\n".join(settings) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([str(MOSQUITTO), "-c", str(file)], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "mosquitto.log").read_text())

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            if kill:
                self.process.kill()
            else:
                self.process.terminate()
                self.process.send_signal(signal.SIGCONT)  # a test may have stopped it
            self.process.wait(20)
            self.process = None

    def save(self) -> None:
        """Have it write to disk what it keeps, as it does by itself every second."""
        assert self.process is not None
        file, deadline = self.folder / "mosquitto.db", time.monotonic() + 20
        before = file.stat().st_mtime_ns if file.exists() else 0
        self.process.send_signal(signal.SIGUSR1)
        while not file.exists() or file.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline, "mosquitto has saved nothing"
            time.sleep(0.01)


@contextmanager
def running_broker(folder: Path, *lines: str, users: tuple[tuple[str, str], ...] = ()) -> Iterator[Broker]:
    """Yield a mosquitto whose files are in ``folder``; ``lines`` are added to its listener."""
    needs_mosquitto()
    folder.mkdir(parents=True, exist_ok=True)
    broker = Broker(folder, lines, users)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@dataclass(frozen=True)
class Heard:
    topic: str
    payload: bytes
    retained: bool
    qos: int = 0


class Listener:
    """A client that subscribes to everything."""

    def __init__(
        self, port: int, user: str | None = None, password: str | None = None, *, lasting: bool = False
    ) -> None:
        """``lasting``: the broker keeps what comes while this client is away."""
        self.heard: list[Heard] = []
        self._changed = threading.Condition()
        name = f"listener-{id(self)}" if lasting else ""
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=not lasting)
        if user:
            self.client.username_pw_set(user, password)
        self.client.reconnect_delay_set(1, 1)
        self.subscribed = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(60), "who has not subscribed hears nothing, and the broker keeps nothing for them"

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.heard.append(Heard(message.topic, bytes(message.payload), message.retain, message.qos))
            self._changed.notify_all()

    def on(self, ending: str) -> list[Heard]:
        """Return what was heard on topics with that ending."""
        with self._changed:
            return [one for one in self.heard if one.topic.endswith(ending)]

    def wait(self, ending: str, wanted: Callable[[list[Heard]], bool] = bool, seconds: float = 30.0) -> list[Heard]:
        """Return what was heard on topics with that ending, once ``wanted`` is true of it."""
        deadline = time.monotonic() + seconds
        while not ((found := self.on(ending)) and wanted(found)):
            left = deadline - time.monotonic()
            assert left > 0, (ending, found, sorted({one.topic for one in self.heard}))
            with self._changed:
                self._changed.wait(min(left, 0.2))
        return found

    def say(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        self.client.publish(topic, payload, 1, retain).wait_for_publish(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def listening(
    port: int, user: str | None = None, password: str | None = None, *, lasting: bool = False
) -> Iterator[Listener]:
    """Yield a listener."""
    listener = Listener(port, user, password, lasting=lasting)
    try:
        yield listener
    finally:
        listener.close()
