"""The stream that tells a page what has changed: names of topics, never the facts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from facesecure.web.daemon import DaemonAway, DaemonRefused
from facesecure.web.page import page_of
from facesecure.web.request import ask

_PAUSE = 2.0
_SINCE = re.compile(r"([a-z]{1,20}):(\d{1,16})")
_MOST_TOPICS = 20
_OVER = ("signed-out", "forbidden")
"""Refusals after which the page is loaded anew; after others it waits."""


async def stream(request: Request) -> Response:
    """Send an event when a topic changes, until the browser leaves, the session ends or the server stops."""
    since = numbers_of(request.query_params.get("since", ""))
    if not since:
        since = (await ask(request, "changes", {"since": {}, "seconds": 0})).result["changes"]
    return StreamingResponse(
        _events(request, since), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def numbers_of(text: str) -> dict[str, int]:
    """Return the numbers in "visits:5,mode:2", as a page has them; what does not look like that is left out."""
    found = (_SINCE.fullmatch(part) for part in text.split(",")[:_MOST_TOPICS])
    return {match[1]: int(match[2]) for match in found if match}


def text_of(numbers: Mapping[str, int]) -> str:
    """Return ``numbers`` as ``numbers_of`` reads them."""
    return ",".join(f"{topic}:{number}" for topic, number in numbers.items())


async def _events(request: Request, since: Mapping[str, int]) -> AsyncIterator[bytes]:
    ending = asyncio.ensure_future(page_of(request).ending.wait())
    try:
        yield b"retry: 3000\n: here\n\n"
        while not ending.done():
            waited = asyncio.ensure_future(_next(request, since))
            try:
                await asyncio.wait((waited, ending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not waited.done():
                    waited.cancel()
            if not waited.done():
                break
            changes = waited.result()
            if changes is None:
                yield b"event: ended\ndata:\n\n"
                break
            yield _event(since, changes)
            since = changes or since
    finally:
        ending.cancel()


async def _next(request: Request, since: Mapping[str, int]) -> Mapping[str, int] | None:
    """Return the numbers after the next change, or after a while; none while the daemon is away, None at the end."""
    begun = asyncio.get_running_loop().time()
    try:
        changes: Mapping[str, int] = (await ask(request, "changes", {"since": dict(since)})).result["changes"]
    except DaemonRefused as error:
        if error.kind in _OVER:
            return None
        changes = {}
    except DaemonAway:
        changes = {}
    if changes in ({}, since) and asyncio.get_running_loop().time() - begun < _PAUSE:
        await asyncio.sleep(_PAUSE)
    return changes


def _event(since: Mapping[str, int], changes: Mapping[str, int]) -> bytes:
    """Return the event that names what is new; a comment, which keeps the connection open, if nothing is."""
    changed = [topic for topic, number in changes.items() if since.get(topic) != number]
    if not changed:
        return b": still here\n\n"
    return f"event: changed\nid: {text_of(changes)}\ndata: {' '.join(changed)}\n\n".encode()


ROUTES = [Route("/events", stream)]
