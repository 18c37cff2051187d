"""Limits of a request: of its head, and of its body, which may take only so long. Screens that take files allow more.

Example::

    async def upload(request: Request) -> Response:
        await ask(request, "enrolment-begin")  # who is not signed in sends nothing
        allow_body(request, 40 * MEGABYTE)
        form = await request.form()
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTE = 1024 * 1024
BODY = 64 * 1024
"""Bytes of a form."""
ADDRESS = 4 * 1024
"""Bytes of a path and its query."""
HEADERS = 16 * 1024
_KEY = "facesecure.body"
_PIECE_SECONDS = 15.0
_SECONDS = 30.0
_SLOWEST = 32 * 1024
"""Bytes a second that an upload has to reach, beside ``_SECONDS``: a phone at the edge of the Wi-Fi does."""


@dataclass(slots=True)
class Budget:
    """What a body may still be. ``most`` is in bytes."""

    most: int = BODY
    taken: int = 0
    complete: bool = False


def allow_body(request: HTTPConnection, most: int) -> None:
    """Let the body of ``request`` be of up to ``most`` bytes. To be called before it is read."""
    budget: Budget = request.scope[_KEY]
    budget.most = most


class HeadLimits:
    """Refuse addresses (414) and headers (431) that are too long.

    The server has a limit of its own, but only while it waits for the rest: what arrives at once it takes.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in ("http", "websocket") or (status := _too_long(scope)) is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse(HTTPStatus(status).phrase, status)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})


def _too_long(scope: Scope) -> int | None:
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > ADDRESS:
        return 414
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    return 431 if size > HEADERS else None


class BodyLimits:
    """Refuse bodies that are too large (413) or come too slowly (408), while they are read."""

    def __init__(self, app: ASGIApp, piece_seconds: float = _PIECE_SECONDS, seconds: float = _SECONDS) -> None:
        """``piece_seconds``: how long to wait for more; ``seconds``: for the whole of a small body."""
        self._app, self._piece_seconds, self._seconds = app, piece_seconds, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        budget = scope[_KEY] = Budget()
        length = Headers(scope=scope).get("content-length", "0")
        expected = int(length) if length.isascii() and length.isdigit() else 0
        begun: float | None = None

        async def limited() -> Message:
            nonlocal begun
            if budget.complete:  # waits for the browser to leave
                return await receive()
            begun = begun or asyncio.get_running_loop().time()
            if expected > budget.most:
                raise HTTPException(413)
            message = await self._next(receive, budget, begun)
            budget.taken += len(message.get("body", b""))
            budget.complete = not message.get("more_body", False)
            if budget.taken > budget.most:
                raise HTTPException(413)
            return message

        await self._app(scope, limited, send)

    async def _next(self, receive: Receive, budget: Budget, begun: float) -> Message:
        """Return the next piece of the body. Raises HTTPException if it does not come in time."""
        loop = asyncio.get_running_loop()
        end = begun + self._seconds + budget.most / _SLOWEST
        try:
            async with asyncio.timeout_at(min(loop.time() + self._piece_seconds, end)):
                return await receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
