"""Errors as pages that say what to do."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from facesecure.web.again import carried
from facesecure.web.daemon import DaemonAway, DaemonRefused
from facesecure.web.passkeys import passkeys_here
from facesecure.web.request import confirm_redirect, is_partial, learn_who, render, sign_in_redirect, way_back

_RELOAD_SECONDS = 5
_STATUS = {
    "forbidden": 403,
    "limited": 429,
    "invalid": 400,
    "missing": 404,
    "busy": 503,
    "failed": 500,
}
_log = logging.getLogger(__name__)


def error_page(
    request: Request, status: int, message: str = "", hint: str | None = "", seconds: float | None = None
) -> Response:
    """Return the page of an error. ``seconds``: when to try again; the page does so by itself if it was only read."""
    headers = {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}
    if seconds is not None and status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET":
        headers["Refresh"] = str(math.ceil(seconds))
    values = {"status": status, "message": message, "hint": hint, "seconds": seconds}
    template = "error_part.html" if is_partial(request) else "error.html"
    return render(request, template, values, status=status, headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DaemonRefused)
    if error.kind == "signed-out":
        return sign_in_redirect(request)
    if error.kind == "confirm":
        return await _confirm(request)
    status = _STATUS.get(error.kind, 500)
    seconds = _RELOAD_SECONDS if error.kind == "busy" else error.seconds
    return error_page(request, status, error.message, error.hint, seconds)


async def _confirm(request: Request) -> Response:
    """Ask for the password, and then go on with the form that was sent, or else back to the page."""
    again = await carried(request)
    if again is None:
        return confirm_redirect(request)
    await learn_who(request)
    passkeys = (await passkeys_here(request))["any"]
    values = {"next": way_back(request), "again": again, "passkeys": passkeys, "refused": None}
    return render(request, "confirm.html", values, status=HTTPStatus.FORBIDDEN)


async def _daemon_away(request: Request, error: Exception) -> Response:
    assert isinstance(error, DaemonAway)
    return error_page(request, 503, error.message, error.hint, _RELOAD_SECONDS)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    with suppress(DaemonAway):  # the page's menu is shown to those who may use it
        await learn_who(request)
    response = error_page(request, error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("the page %s failed: %s", request.url.path, type(error).__name__)
    return error_page(request, 500)


HANDLERS: dict[int | type[Exception], ExceptionHandler] = {
    DaemonRefused: _refused,
    DaemonAway: _daemon_away,
    HTTPException: _http,
    Exception: _unexpected,
}
