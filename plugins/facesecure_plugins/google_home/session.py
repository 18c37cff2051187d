"""A session with one device: its state, which can be waited for, and the requests to it.

Every wait has a time limit and ends early if the connection is lost. Failures raise PluginError with the device's name.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pychromecast.config import APP_MEDIA_RECEIVER
from pychromecast.controllers import BaseController
from pychromecast.controllers.receiver import VOLUME_CONTROL_TYPE_FIXED, CastStatus, CastStatusListener
from pychromecast.error import PyChromecastError
from pychromecast.generated.cast_channel_pb2 import CastMessage
from pychromecast.socket_client import (
    CONNECTION_STATUS_DISCONNECTED,
    CONNECTION_STATUS_LOST,
    ConnectionStatus,
    ConnectionStatusListener,
)

from facesecure.domain.errors import PluginError
from facesecure.util.plain_text import one_line
from facesecure_plugins.google_home.connection import Connection, open_connection
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.device import Device, Loudness, format_address
from facesecure_plugins.google_home.known_devices import KnownDevices
from facesecure_plugins.google_home.media_state import NAMESPACE, MediaState

REQUEST_SECONDS = 2.0
"""Seconds that a device may take to answer a simple request."""

IS_IT_ON = "is it on, and on the same network as this machine? facesecure alerts devices lists what answers"
ONLINE = "the device loads its player from the internet: is it online?"


@dataclass(frozen=True, slots=True)
class App:
    """A running Default Media Receiver. ``ours``: this plugin started it, and may end it."""

    session: str
    transport: str
    ours: bool


class _MediaListener(BaseController):
    """Pass on every message of the player; pychromecast's own controller drops some."""

    def __init__(self, on_message: Callable[[str, dict[str, Any]], None]) -> None:
        """``on_message`` is called with the transport and the data."""
        super().__init__(NAMESPACE)
        self._on_message = on_message

    def receive_message(self, message: CastMessage, data: dict[str, Any]) -> bool:
        """Handle a message, called by pychromecast."""
        self._on_message(message.source_id, data)
        return True


class CastSession(CastStatusListener, ConnectionStatusListener):
    """One connected device. ``connect`` opens a session.

    Example::

        with connect(device, seconds=2.5) as session:
            app = session.launch(seconds=5.0)
            session.load(url, "A stranger is at the front door")
            session.wait_for_playing(5.0)
            session.wait_for_the_end(10.0)
            session.stop(app)
    """

    def __init__(self, name: str, connection: Connection) -> None:
        """Listen to ``connection``, whose thread has not been started yet."""
        self.name, self.identity = name, connection.identity
        self.host, self.local_address = str(connection.host), connection.local_address
        self._connection = connection
        self._changed = threading.Condition()
        self._status: CastStatus | None = None
        self._launch_refused = ""
        self._app: App | None = None
        self._media = MediaState("")
        self.lost = False
        connection.register_handler(_MediaListener(self._media_message))
        connection.register_connection_listener(self)
        connection.receiver_controller.register_status_listener(self)

    # Called by pychromecast's thread ------------------------------------------------------------------------------

    def new_cast_status(self, status: CastStatus) -> None:
        """Store the device's new status."""
        with self._changed:
            self._status = status
            self._changed.notify_all()

    def new_connection_status(self, status: ConnectionStatus) -> None:
        """Note whether the connection is lost."""
        with self._changed:
            self.lost |= status.status in (CONNECTION_STATUS_LOST, CONNECTION_STATUS_DISCONNECTED)
            self._changed.notify_all()

    def _media_message(self, transport: str, data: dict[str, Any]) -> None:
        with self._changed:
            if self._app is not None and transport == self._app.transport:
                self._media.update(data)
                self._changed.notify_all()

    def _launch_answered(self, done: bool, response: dict[str, Any] | None) -> None:
        with self._changed:
            if response is not None and not done:
                self._launch_refused = one_line(str(response.get("reason") or "no reason given"))
            self._changed.notify_all()

    # pychromecast reports LOAD_FAILED to listeners only if it comes with two numbers, so the response itself is read
    def _load_answered(self, sent: bool, response: dict[str, Any] | None) -> None:
        with self._changed:
            if sent and response is not None:
                self._media.update(response)
            self._changed.notify_all()

    # Requests -----------------------------------------------------------------------------------------------------

    def wait_ready(self, seconds: float) -> None:
        """Wait for the device's first status. Raises PluginError."""
        if not self._wait(lambda: self._status is not None, seconds):
            raise PluginError(f"{self.name} accepts the connection but does not answer", "switch it off and on again")

    @property
    def status(self) -> CastStatus:
        """The device's last status."""
        assert self._status is not None, "wait_ready comes first"
        return self._status

    @property
    def loudness(self) -> Loudness | None:
        """The volume; None if the device has a fixed one."""
        fixed = self.status.volume_control_type == VOLUME_CONTROL_TYPE_FIXED
        return None if fixed else Loudness(self.status.volume_level, self.status.volume_muted)

    def set_loudness(self, to: Loudness) -> None:
        """Set volume and muting: muting comes first, unmuting last. Raises PluginError."""
        receiver = self._connection.receiver_controller
        steps: list[Callable[[], Any]] = [
            lambda: receiver.set_volume(to.level, timeout=REQUEST_SECONDS),
            lambda: receiver.set_volume_muted(to.muted, timeout=REQUEST_SECONDS),
        ]
        with self._failing("its volume could not be set"):
            for step in reversed(steps) if to.muted else steps:
                step()

    def launch(self, seconds: float) -> App:
        """Start Google's Default Media Receiver, or use the one that runs already. Raises PluginError."""
        found = self._player()
        if found is None:
            with self._failing("its player could not be started"):
                self._connection.receiver_controller.launch_app(
                    APP_MEDIA_RECEIVER, callback_function=self._launch_answered
                )
            self._wait(lambda: self._player() is not None or bool(self._launch_refused), seconds)
        if (app := self._player()) is None:
            why = self._launch_refused or f"it is not running after {seconds:.1f} s"
            raise PluginError(f"{self.name} could not start its player: {why}", ONLINE)
        self._app = App(*app, ours=found is None)
        return self._app

    def _player(self) -> tuple[str, str] | None:
        """Return (session, transport) of the Default Media Receiver if it is ready."""
        now = self.status
        ready = now.app_id == APP_MEDIA_RECEIVER and NAMESPACE in now.namespaces
        return (now.session_id, now.transport_id) if ready and now.session_id and now.transport_id else None

    def load(self, url: str, title: str) -> None:
        """Have the player, and no other app, load ``url``. Raises PluginError."""
        assert self._app is not None, "launch comes first"
        self._media = MediaState(url)
        request = self._media.request(title) | {"sessionId": self._app.session}
        with self._failing("it could not be asked to play"):
            self._connection.send_message(
                self._app.transport, NAMESPACE, request, callback_function=self._load_answered
            )

    def wait_for_playing(self, seconds: float) -> None:
        """Wait until it plays. Raises PluginError."""
        if not self._wait(lambda: self._media.played or self._over(), seconds) or not self._media.played:
            raise PluginError(f"{self.name} did not begin to play: {self._why(seconds)}", ONLINE)

    def wait_for_the_end(self, seconds: float) -> None:
        """Wait until it was played to its end. Raises PluginError."""
        if not self._wait(self._over, seconds) or not self._media.finished:
            raise PluginError(f"{self.name} began to play and did not finish: {self._why(seconds)}")

    def _over(self) -> bool:
        return self._media.over or self._taken_over()

    def _taken_over(self) -> bool:
        return self._app is not None and self.status.session_id != self._app.session

    def _why(self, seconds: float) -> str:
        if self._taken_over():
            return f"{one_line(self.status.display_name or '') or 'another app'} took its place"
        return self._media.trouble or f"it is {self._media.state} after {seconds:.1f} s"

    def stop(self, app: App) -> None:
        """End ``app`` if it is still running; an app that has replaced it is left alone. Raises PluginError."""
        if self.status.session_id == app.session:
            with self._failing("its player could not be ended"):
                self._connection.receiver_controller.send_message({"type": "STOP", "sessionId": app.session})
            if not self._wait(lambda: self.status.session_id != app.session, REQUEST_SECONDS):
                raise PluginError(f"{self.name}: its player did not end")

    def _wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Return whether ``done`` became true within ``seconds``. Raises PluginError if the connection was lost."""
        with self._changed:
            self._changed.wait_for(lambda: done() or self.lost, seconds)
            if not done() and self.lost:
                raise PluginError(f"{self.name} closed the connection", IS_IT_ON)
            return done()

    @contextlib.contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (PyChromecastError, OSError) as error:
            raise PluginError(f"{self.name}: {what}: {error}", IS_IT_ON) from error


@contextlib.contextmanager
def connect(device: Device, seconds: float, known: KnownDevices | None = None) -> Iterator[CastSession]:
    """Connect to the first address of ``device`` that answers within ``seconds``. Raises PluginError.

    With ``known`` the device has to show its certificate, and it has to be the known one.
    """
    deadline, errors = Deadline(seconds), []
    challenge = known is not None and known.challenges(device)
    with contextlib.ExitStack() as stack:
        for tried, (host, port) in enumerate(device.addresses):
            share = deadline.left() / (len(device.addresses) - tried)
            try:
                connection = stack.enter_context(open_connection(host, port, share, challenge=challenge))
            except OSError as error:
                errors.append(f"{format_address(host, port)}: {error}")
                continue
            if known is not None and challenge:
                known.require(device, connection.identity)
            session = CastSession(device.name, connection)
            connection.start()
            session.wait_ready(max(deadline.left(), share / 2))
            yield session
            return
        raise PluginError(f"{device.name} cannot be reached ({'; '.join(errors)})", IS_IT_ON)
