"""What a screen does with a request: ask the daemon, render a page, or send the browser on.

Example::

    async def show(request: Request) -> Response:
        answer = await ask(request, "visit", {"identifier": request.path_params["identifier"]})
        return render(request, "visit.html", answer.result)


    async def name(request: Request) -> Response:
        form = await request.form()
        await ask(request, "visit-name", {"name": str(form.get("name", ""))})
        return redirect(request, "/visit/7", done="named")  # DONE = {"named": "The name was kept."} in the module
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from facesecure.web.cookies import DONE_COOKIE, token_of
from facesecure.web.daemon import Answer, Client, DaemonRefused, Streamed
from facesecure.web.daemon import Request as DaemonRequest
from facesecure.web.language import Language
from facesecure.web.navigation import Who
from facesecure.web.page import page_of
from facesecure.web.templating import shown_in

_DONE_SECONDS = 60
_MOST_AGENT = 300
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}")
"""A path of this page: one slash, then printable ASCII without spaces and backslashes."""


async def ask(
    request: HTTPConnection, verb: str, arguments: Mapping[str, Any] | None = None, *, body: bytes = b""
) -> Answer:
    """Return the daemon's answer to ``verb``, asked for the person who is signed in in this browser.

    Raises DaemonRefused, which becomes the page that helps (sign in, give the password, wait, what went wrong) unless
    the screen catches it, and DaemonAway.
    """
    if _shows_a_page(request):
        await learn_who(request)
    return await _call(request, verb, arguments or {}, body)


@asynccontextmanager
async def ask_for_stream(
    request: HTTPConnection, verb: str, arguments: Mapping[str, Any] | None = None
) -> AsyncIterator[Streamed]:
    """Ask as ``ask`` does, and yield the answer whose bytes are still to be read."""
    asked = DaemonRequest(verb, arguments or {}, token_of(request), _client(request))
    async with page_of(request).daemon.stream(asked) as streamed:
        yield streamed


async def learn_who(request: HTTPConnection) -> Who:
    """Return who is signed in, for a page that asks the daemon nothing else.

    Also notes how often what a page shows has changed, before the page asks for it: ``live.js`` follows from there.
    """
    if (known := _known(request)) is not None:
        return known
    found, changes = await asyncio.gather(_who(request), _changes(request)) if token_of(request) else (Who(), {})
    request.state.who, request.state.changes = found, changes
    return found


def render(
    request: Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of ``template``. It sees ``values``, ``who``, ``path``, ``places``, ``done`` and ``partial``.

    ``done``: what the redirect before it reported, once; a page that is shown until facesecure is back leaves it to the
    page that follows. ``partial``: htmx asked for a part of the page.
    """
    page = page_of(request)
    key = request.cookies.get(DONE_COOKIE, "") if status != HTTPStatus.SERVICE_UNAVAILABLE else ""
    context = {
        "who": _known(request) or Who(),
        "path": request.url.path,
        "changes": getattr(request.state, "changes", {}),
        "places": page.places,
        "done": page.done.get(key),
        "partial": is_partial(request),
        **(values or {}),
    }
    with shown_in(language_of(request)):
        text = page.templates.get_template(template).render(context)
    response = HTMLResponse(text, status, headers=dict(headers or {}))
    if key:
        response.delete_cookie(DONE_COOKIE, path="/")
    return response


def redirect(request: Request, path: str, *, done: str | None = None) -> Response:
    """Return a redirect to ``path`` of this page (``local_path`` makes it safe), where ``done`` is reported once.

    ``done`` is a key of the ``DONE`` of a screen. htmx follows the redirect too.
    """
    response = RedirectResponse(local_path(path), status_code=303)
    if done is not None:
        if done not in page_of(request).done:
            raise KeyError(f"no screen has {done} in its DONE")
        secure = request.url.scheme == "https"
        response.set_cookie(DONE_COOKIE, done, max_age=_DONE_SECONDS, httponly=True, samesite="strict", secure=secure)
    return response


def sign_in_redirect(request: Request) -> Response:
    """Return the way to the sign-in page, and back to this page after it."""
    return away(request, f"/sign-in?next={quote(way_back(request), safe='/')}")


def confirm_redirect(request: Request) -> Response:
    """Return the way to where the password is given again, and back to the page that it is needed on."""
    return away(request, f"/confirm?next={quote(way_back(request), safe='/')}")


def away(request: Request, path: str) -> Response:
    """Return a redirect that leaves the page, also when htmx asked for a part of it."""
    if is_partial(request):
        return Response(status_code=200, headers={"HX-Redirect": local_path(path)})
    return redirect(request, path)


def local_path(path: str | None, otherwise: str = "/") -> str:
    """Return ``path`` if it is one of this page, else ``otherwise``: a link may not send a person elsewhere."""
    return path if path and _LOCAL.fullmatch(path) else otherwise


def is_partial(request: HTTPConnection) -> bool:
    """Return whether htmx asked, for a part of a page (not for a whole one, which ``hx-boost`` does)."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def language_of(request: HTTPConnection) -> Language:
    """Return the language of the person, or the one that the browser asks for."""
    page, who = page_of(request), _known(request)
    accepted = request.headers.get("accept-language", "")
    return page.catalogues.choose(who.language if who else None, accepted, page.settings.language)


def way_back(request: Request) -> str:
    """Return the page to come back to: this one, or the one whose form or part this request is."""
    if request.method == "GET" and not is_partial(request):
        query = f"?{request.url.query}" if request.url.query else ""
        return local_path(request.scope["raw_path"].decode("ascii", "replace") + query)
    try:
        came_from = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if came_from.netloc.lower() != request.headers.get("host", "").lower():
        return "/"
    query = f"?{came_from.query}" if came_from.query else ""
    return local_path(came_from.path + query)


def _shows_a_page(request: HTTPConnection) -> bool:
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


def _known(request: HTTPConnection) -> Who | None:
    return getattr(request.state, "who", None)


async def _who(request: HTTPConnection) -> Who:
    """Ask for the session; nobody is signed in if the daemon knows none."""
    try:
        answer = await _call(request, "session", {}, b"")
    except DaemonRefused:
        return Who()
    found = answer.result
    return Who(found.get("account") or "", found.get("role") or "", found.get("language"))


async def _changes(request: HTTPConnection) -> dict[str, int]:
    try:
        found: dict[str, int] = (await _call(request, "changes", {"since": {}, "seconds": 0}, b"")).result["changes"]
    except DaemonRefused:
        return {}
    return found


async def _call(request: HTTPConnection, verb: str, arguments: Mapping[str, Any], body: bytes) -> Answer:
    daemon, client = page_of(request).daemon, _client(request)
    return await daemon.call(verb, arguments, token=token_of(request), client=client, body=body)


def _client(request: HTTPConnection) -> Client:
    address = request.client.host if request.client else ""
    return Client(address, request.headers.get("user-agent", "")[:_MOST_AGENT])
