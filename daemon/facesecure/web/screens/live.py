"""Live: what the cameras show now, in one WebSocket, and as pictures and streams for those who have a token."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from facesecure.web.cookies import token_of
from facesecure.web.daemon import Answer, DaemonAway, DaemonRefused
from facesecure.web.live_limits import Places, TooMany
from facesecure.web.live_socket import Viewer
from facesecure.web.live_stream import PictureStream
from facesecure.web.page import page_of
from facesecure.web.request import ask, render

SOCKETS = Places(20, 4)
STREAMS = Places(8, 3)
"""For all browsers and programs; each of several cameras in a dashboard is a stream of its own."""
_WIDTHS = {"320": 320, "640": 640, "1280": 1280}
_AGAIN = 10.0
A_MINUTE = 60.0
_LONGEST_TOKEN = 200


async def show(request: Request) -> Response:
    """Show all cameras."""
    answer = await ask(request, "cameras")
    return render(request, "live.html", answer.result)


async def picture(request: Request) -> Response:
    """Send the newest picture of a camera, with its age in a header."""
    answer = await _frame(request)
    headers = {"X-Age": str(answer.result.get("age", "")), **_for_others(request)}
    return Response(answer.body, media_type="image/jpeg", headers=headers)


async def stream(request: Request) -> Response:
    """Send pictures of a camera as they come."""
    first, whom = await _frame(request), _whom(request)
    if not STREAMS.has_one_for(whom):
        raise HTTPException(503, headers={"Retry-After": "30"})

    async def following(number: int) -> Answer:
        return await _frame(request, {"after": number, "seconds": _AGAIN})

    place, ending = STREAMS.taken_by(whom), page_of(request).ending
    return PictureStream(first, following, place, ending, _for_others(request))


async def socket(socket: WebSocket) -> None:
    """Show cameras for as long as the settings say, if the daemon lets this browser."""
    try:
        with SOCKETS.taken_by(_whom(socket)):
            answer = await ask(socket, "cameras")
            await socket.accept()
            cameras = frozenset(camera["camera"] for camera in answer.result["cameras"])
            code = await Viewer(socket, cameras, A_MINUTE * answer.result["live_minutes"]).run()
    except (DaemonAway, DaemonRefused, TooMany):
        code = 1000  # before it was accepted: the browser sees a refused handshake
    with suppress(RuntimeError, WebSocketDisconnect):  # the browser may have closed it first
        await socket.close(code)


async def _frame(request: Request, more: Mapping[str, Any] | None = None) -> Answer:
    """Ask for a picture: by the token in the address, or as whoever is signed in."""
    width = _WIDTHS.get(request.query_params.get("width", ""), 640)
    arguments = {"camera": request.path_params["camera"][:80], "width": width, **(more or {})}
    secret = request.query_params.get("token")
    if secret is None:
        return await ask(request, "frame", arguments)
    return await ask(request, "token-frame", {**arguments, "secret": secret[:_LONGEST_TOKEN]})


def _whom(request: HTTPConnection) -> str:
    """Return who takes a place: a session, a token in the address, or an address."""
    address = request.client.host if request.client else ""
    return request.query_params.get("token") or token_of(request) or address


def _for_others(request: Request) -> dict[str, str]:
    """Return headers with which a page elsewhere, such as a dashboard, may show a picture that its token opens."""
    return {"Cross-Origin-Resource-Policy": "cross-origin"} if "token" in request.query_params else {}


ROUTES = [
    Route("/live", show),
    WebSocketRoute("/live/socket", socket),
    Route("/live/{camera}.jpg", picture),
    Route("/live/{camera}.mjpeg", stream),
]
