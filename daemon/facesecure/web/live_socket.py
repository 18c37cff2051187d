"""Show cameras in a browser over one WebSocket: the next picture of a camera goes out once it has shown the last.

The browser begins with ``{"watch": [CAMERA, ...], "width": PIXELS}``, and may say that again. It acknowledges each
picture with ``{"camera": CAMERA, "number": NUMBER}``. A picture is one binary message: four bytes with the length of
what follows as JSON (camera, number, boxes, size, age), that JSON, and the JPEG. So a slow browser gets fewer pictures,
and nothing is queued for it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from facesecure.web.daemon import DaemonAway, DaemonRefused
from facesecure.web.page import page_of
from facesecure.web.request import ask

SIGNED_OUT, FORBIDDEN, TOO_SLOW, OVER, LATER, NONSENSE = 4401, 4403, 4408, 4410, 1013, 1003
"""Codes with which the socket is closed; OVER: it was open for as long as it may be."""
PATIENCE = 30.0
"""Seconds for which a browser may not acknowledge anything."""
_SEND_SECONDS = 15.0
_WAIT, _SHORT_WAIT = 10.0, 0.5
"""Seconds to wait for the next picture, when all cameras are waited for, and else."""
_ACKNOWLEDGING = 0.15
"""Seconds that a quick browser takes to acknowledge."""
_MOST_CAMERAS = 64
_MESSAGE = 8192
_WIDTHS = (320, 640, 1280)


class Closing(Exception):
    """Close the socket with ``code``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Viewer:
    """One browser that looks. ``run`` returns the code to close its socket with."""

    def __init__(self, socket: WebSocket, cameras: frozenset[str], seconds: float) -> None:
        """``cameras``: the slugs of those that it may watch. ``seconds``: for which it may look."""
        self._socket, self._known, self._until = socket, cameras, time.monotonic() + seconds
        self._ready: dict[str, int | None] = {}
        """The cameras whose next picture may be sent, with the number of the last; longest waiting first."""
        self._watched: list[str] = []
        self._sent: dict[str, int] = {}
        """The pictures that were not acknowledged yet."""
        self._width = _WIDTHS[1]
        self._heard = asyncio.Event()

    async def run(self) -> int:
        """Show pictures until the time is over, the browser goes or is too slow, or the server stops."""
        tasks = [asyncio.create_task(work) for work in (self._listen(), self._show(), self._ending())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return _code_of(done.pop())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ending(self) -> None:
        await page_of(self._socket).ending.wait()
        raise Closing(LATER)

    async def _listen(self) -> None:
        while True:
            text = await self._socket.receive_text()
            if len(text) > _MESSAGE:
                raise Closing(NONSENSE)
            self._take(_parsed(text))
            self._heard.set()

    def _take(self, message: Mapping[str, Any]) -> None:
        camera, number = message.get("camera"), message.get("number")
        if "watch" in message:
            self._watch(message)
        elif isinstance(camera, str) and type(number) is int and self._sent.get(camera) == number:
            del self._sent[camera]
            if camera in self._watched:
                self._ready[camera] = number

    def _watch(self, message: Mapping[str, Any]) -> None:
        wanted, width = message["watch"], message.get("width")
        if not isinstance(wanted, list) or len(wanted) > _MOST_CAMERAS:
            raise Closing(NONSENSE)
        self._watched = [camera for camera in wanted if isinstance(camera, str) and camera in self._known]
        self._ready = {camera: self._ready.get(camera) for camera in self._watched if camera not in self._sent}
        self._width = width if width in _WIDTHS else _WIDTHS[1]

    async def _show(self) -> None:
        while time.monotonic() < self._until:
            if not self._ready:
                await self._hear(min(PATIENCE, self._until - time.monotonic()))
                if not self._ready and time.monotonic() < self._until:
                    raise Closing(TOO_SLOW)
                continue
            await self._show_next(dict(self._ready), self._width)
            if self._sent:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), _ACKNOWLEDGING)
        raise Closing(OVER)

    async def _hear(self, seconds: float) -> None:
        """Wait up to ``seconds`` for something to be ready."""
        end = time.monotonic() + seconds
        while not self._ready and (left := end - time.monotonic()) > 0:
            self._heard.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), left)

    async def _show_next(self, ready: dict[str, int | None], width: int) -> None:
        seconds = _SHORT_WAIT if self._sent else max(0.0, min(_WAIT, self._until - time.monotonic()))
        answer = await ask(self._socket, "next-frame", {"seen": ready, "width": width, "seconds": seconds})
        camera, number = answer.result.get("camera"), answer.result.get("number")
        if camera not in self._ready or type(number) is not int:
            return
        self._heard.clear()
        del self._ready[camera]
        self._sent[camera] = number
        head = json.dumps(answer.result).encode()
        message = len(head).to_bytes(4, "big") + head + answer.body
        try:
            await asyncio.wait_for(self._socket.send_bytes(message), _SEND_SECONDS)
        except TimeoutError:
            raise Closing(TOO_SLOW) from None


def close_code(error: BaseException | None) -> int:
    """Return the code with which a socket is closed because of ``error``."""
    if isinstance(error, Closing):
        return error.code
    if isinstance(error, DaemonRefused):
        return {"signed-out": SIGNED_OUT, "forbidden": FORBIDDEN}.get(error.kind, LATER)
    if isinstance(error, DaemonAway):
        return LATER
    if error is None or isinstance(error, WebSocketDisconnect | KeyError | RuntimeError):
        return NONSENSE
    raise error


def _code_of(task: asyncio.Task[None]) -> int:
    return close_code(task.exception())


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Closing(NONSENSE) from None
    if not isinstance(message, dict):
        raise Closing(NONSENSE)
    return message
