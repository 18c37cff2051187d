"""A stream of JPEGs, as ``multipart/x-mixed-replace``, for programs that show nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from facesecure.web.daemon import Answer, DaemonAway, DaemonRefused

_BOUNDARY = "facesecure-picture"
_SEND_SECONDS = 20.0
"""Seconds that a picture may take to be sent."""
_SAME_AGAIN = 10.0
_PAUSE = 0.2
"""Seconds between two pictures, at least."""


class PictureStream(Response):
    """Sends ``first``, then what ``next_picture`` returns for the number of the last picture, until nobody reads.

    ``place`` is held meanwhile. It ends when the daemon refuses, as after the token was revoked, and with ``ending``.
    """

    media_type = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"

    def __init__(
        self,
        first: Answer,
        next_picture: Callable[[int], Awaitable[Answer]],
        place: AbstractContextManager[None],
        ending: asyncio.Event,
        headers: dict[str, str],
    ) -> None:
        """Prepare the answer; nothing is sent, and no place taken, before it is called."""
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._first, self._next, self._place, self._ending = first, next_picture, place, ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the pictures."""
        with self._place:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            works = (self._pictures(send), _gone(receive), self._ending.wait())
            tasks = [asyncio.ensure_future(work) for work in works]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), _SEND_SECONDS)

    async def _pictures(self, send: Send) -> None:
        answer = self._first
        while True:
            message: Message = {"type": "http.response.body", "body": _part(answer.body), "more_body": True}
            await asyncio.wait_for(send(message), _SEND_SECONDS)
            await asyncio.sleep(_PAUSE)
            try:
                answer = await self._next(answer.result["number"])
            except (DaemonAway, DaemonRefused):
                return


def _part(jpeg: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
