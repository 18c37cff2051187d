"""A simulated Cast device: Cast v2 over TLS on the loopback, found by mDNS, and able to misbehave.

It implements the protocol as devices speak it: connection, heartbeat, receiver (GET_STATUS, LAUNCH, SET_VOLUME, STOP)
and media (LOAD, GET_STATUS). A LOAD really fetches its URL over HTTP, with a range, and "plays" it for
``play_seconds``.
``Script`` says how it behaves, ``Diary`` what happened to it; ``standalone`` runs one as a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

from pychromecast.generated.cast_channel_pb2 import CastMessage

from support.cast.apps import App, fetched
from support.cast.certificates import self_signed
from support.cast.device_auth import NAMESPACE as DEVICE_AUTH
from support.cast.device_auth import answer, make_keys
from support.cast.script import Diary, Script

CONNECTION = "urn:x-cast:com.google.cast.tp.connection"
HEARTBEAT = "urn:x-cast:com.google.cast.tp.heartbeat"
RECEIVER = "urn:x-cast:com.google.cast.receiver"
MEDIA = "urn:x-cast:com.google.cast.media"


class Sender:
    """One connection to the device."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.channels: set[tuple[str, str]] = set()  # (its name, what it is connected to)

    def send(self, source: str, destination: str, namespace: str, data: dict[str, Any]) -> None:
        message = CastMessage(
            protocol_version=CastMessage.CASTV2_1_0,
            source_id=source,
            destination_id=destination,
            namespace=namespace,
            payload_type=CastMessage.STRING,
            payload_utf8=json.dumps(data),
        )
        self.write(message)

    def write(self, message: CastMessage) -> None:
        if not self.writer.is_closing():
            self.writer.write(struct.pack(">I", message.ByteSize()) + message.SerializeToString())


class CastReceiver:
    """A device at ``host``, ``port``; use with ``with``. All but ``script`` and ``diary`` is its own thread's."""

    def __init__(self, script: Script | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.script, self.diary = script or Script(), Diary()
        self.host, self.port = host, port
        self._senders: set[Sender] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cast-receiver")
        self._started = threading.Event()
        self._end = asyncio.Event()

    def __enter__(self) -> CastReceiver:
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    @property
    def script(self) -> Script:
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        make_keys(script)
        self._script = script

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loudness(self) -> tuple[float, bool]:
        return self.script.volume, self.script.muted

    def wait_for(self, step: str, timeout: float = 30.0) -> float:
        """Seconds after its start at which ``step`` happened. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if (found := dict(self.diary.events).get(step)) is not None:
                return found
            time.sleep(0.005)
        raise TimeoutError(f"no {step!r} within {timeout:g} s, only {self.diary.steps}")

    def drop(self) -> None:
        """Cut every connection, as a device does that loses its network."""
        self._loop.call_soon_threadsafe(self._drop)

    # on the device's own thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        context = None if self.script.no_handshake else _tls()
        server = await asyncio.start_server(self._connected, self.host, self.port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._end.wait()
        self._loop.remove_reader(server.sockets[0].fileno())
        await asyncio.sleep(0.01)  # let pending connections be accepted
        server.close()
        self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}  # handshakes that are under way included
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close later

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._senders.add(sender := Sender(writer))
        self.diary.connections += 1
        self._keep(self._loop.create_task(self._listen(reader, sender)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, reader: asyncio.StreamReader, sender: Sender) -> None:
        try:
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                message = CastMessage.FromString(await reader.readexactly(size))
                if not self.script.silent and not self.script.no_handshake:
                    await asyncio.sleep(self.script.answers_after)
                    self._take(sender, message)
        except (asyncio.IncompleteReadError, OSError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            self._senders.discard(sender)
            sender.writer.transport.abort()

    def _drop(self) -> None:
        self.script.silent |= self.script.silent_after_drop
        for sender in list(self._senders):
            sender.writer.transport.abort()

    def _take(self, sender: Sender, message: CastMessage) -> None:
        if message.namespace == DEVICE_AUTH:
            if self.script.key:
                sender.write(answer(self.script, message, self_signed()[0]))
            return
        data = json.loads(message.payload_utf8)
        channel = (message.source_id, message.destination_id)
        if message.namespace == CONNECTION:
            (sender.channels.add if data["type"] == "CONNECT" else sender.channels.discard)(channel)
        elif channel not in sender.channels and message.namespace != HEARTBEAT:
            self.diary.note(f"unconnected {data['type']}")
        elif message.namespace == HEARTBEAT and data["type"] == "PING":
            sender.send("receiver-0", message.source_id, HEARTBEAT, {"type": "PONG"})
        elif message.namespace == RECEIVER:
            self._receive(sender, message.source_id, data)
        elif message.namespace == MEDIA and self.script.app and message.destination_id == self.script.app.transport:
            self._media(sender, message.source_id, data)

    def _receive(self, sender: Sender, source: str, data: dict[str, Any]) -> None:
        kind, number = data["type"], data.get("requestId", 0)
        if kind == "LAUNCH":
            if self.script.drops_at == "LAUNCH":
                return self._drop()
            self.diary.launched.append(data["appId"])
            if self.script.launch_error:
                error = {"type": "LAUNCH_ERROR", "requestId": number, "reason": "CANCELLED"}
                return sender.send("receiver-0", source, RECEIVER, error)
            self._start(App(data["appId"]))
        elif kind == "SET_VOLUME":
            if self.script.ignores_volume:
                return None
            self.script.volume = data["volume"].get("level", self.script.volume)
            self.script.muted = data["volume"].get("muted", self.script.muted)
            self.diary.volumes.append(self.loudness)
            self.diary.note(f"volume {self.script.volume:.0%}{', muted' if self.script.muted else ''}")
        elif kind == "STOP":
            self.diary.stopped.append(data.get("sessionId"))
            if self.script.app is None or data.get("sessionId") != self.script.app.session:
                wrong = {"type": "INVALID_REQUEST", "requestId": number, "reason": "INVALID_SESSION_ID"}
                return sender.send("receiver-0", source, RECEIVER, wrong)
            self._start(None)
        sender.send("receiver-0", source, RECEIVER, self._status(number))
        return self._broadcast("receiver-0", RECEIVER, self._status(0), but=sender)

    def _start(self, app: App | None) -> None:
        """Start ``app`` in place of what ran, and notify the senders of that."""
        if self.script.app is not None:
            self._broadcast(self.script.app.transport, CONNECTION, {"type": "CLOSE"})
        self.script.app = app
        self.diary.note(f"app {app.identifier if app else None}")

    def _status(self, number: int) -> dict[str, Any]:
        volume = {"level": self.script.volume, "muted": self.script.muted, "controlType": self.script.volume_control}
        applications = [self.script.app.as_json()] if self.script.app else []
        return {
            "type": "RECEIVER_STATUS",
            "requestId": number,
            "status": {"volume": volume, "applications": applications},
        }

    def _broadcast(self, source: str, namespace: str, data: dict[str, Any], but: Sender | None = None) -> None:
        for sender in self._senders:
            for name in {name for name, to in sender.channels if to == source and sender is not but}:
                sender.send(source, name, namespace, data)

    def _media(self, sender: Sender, source: str, data: dict[str, Any]) -> None:
        app = self.script.app
        assert app is not None
        if data["type"] == "GET_STATUS":
            status = {"type": "MEDIA_STATUS", "requestId": data["requestId"], "status": app.media_status()}
            sender.send(app.transport, source, MEDIA, status)
        elif data["type"] == "LOAD":
            self.diary.loads.append(data)
            self._keep(self._loop.create_task(self._play(app, sender, source, data)))

    async def _play(self, app: App, sender: Sender, source: str, load: dict[str, Any]) -> None:
        number = load["requestId"]
        app.begin(load["media"])
        self._report(app, "BUFFERING", number)
        if self.script.stuck_at == "BUFFERING" or self.script.drops_at == "BUFFERING":
            return self._drop() if self.script.drops_at else None
        status, body = 0, b""
        if self.script.fetches:
            status, body = await asyncio.to_thread(fetched, load["media"]["contentId"])
            self.diary.fetched.append((load["media"]["contentId"], status, body))
            self.diary.note("fetched")
        if self.script.load_failed or status not in (200, 206):
            failed = {"type": "LOAD_FAILED", "requestId": number}
            failed |= {"itemId": 1, "detailedErrorCode": 104} if self.script.load_failed == "full" else {}
            self.diary.note("LOAD_FAILED")
            return sender.send(app.transport, source, MEDIA, failed)
        self._report(app, "PLAYING", 0)
        if self.script.stuck_at == "PLAYING":
            return None
        if self.script.together is not None:
            await asyncio.to_thread(self.script.together.wait, 60)
        await asyncio.sleep(self.script.play_seconds)
        if self.script.drops_at == "PLAYING":
            return self._drop()
        if self.script.taken_over:
            self._start(App("233637DE"))
            return self._broadcast("receiver-0", RECEIVER, self._status(0))
        self.diary.played += 1
        return self._report(app, "IDLE", 0, "FINISHED")

    def _report(self, app: App, state: str, number: int, reason: str | None = None) -> None:
        app.state, app.idle_reason = state, reason
        self.diary.note(reason or state)
        self._broadcast(
            app.transport, MEDIA, {"type": "MEDIA_STATUS", "requestId": number, "status": app.media_status()}
        )


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed())
    return context


@contextlib.contextmanager
def cast_device(host: str = "127.0.0.1", port: int = 0, **script: Any) -> Iterator[CastReceiver]:
    """A running device that mDNS does not know."""
    with CastReceiver(Script(**script), host=host, port=port) as receiver:
        yield receiver
