"""The checks before every screen, as pure ASGI: whose page is asked for, by which page, and what answers may do."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers as HeaderValues
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facesecure.web.settings import CurrentSettings, is_address, plain_address

_SAFE = frozenset({"GET", "HEAD"})
_METHODS = _SAFE | {"POST"}
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers then send "Origin: null" with our own forms, and over plain HTTP nothing else tells
    # them from those of other sites.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_OVER_TLS = {"Cross-Origin-Opener-Policy": "same-origin"}  # browsers ignore it elsewhere, and complain
_NOT_HERE = "This is not the address of this page. If it should be, add the name to [web] hosts."
_HSTS = "max-age=31536000"


class Headers:
    """Give every answer the headers that limit what it may do in a browser; an answer may have its own."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _headers_of(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class TrustedProxies:
    """Take a browser's address and protocol from X-Forwarded-For and -Proto, if a configured proxy says them."""

    def __init__(self, app: ASGIApp, settings: CurrentSettings) -> None:
        """Wrap ``app``."""
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            self._correct(scope)
        await self._app(scope, receive, send)

    def _correct(self, scope: Scope) -> None:
        scope["client"] = (plain_address(scope["client"][0]), scope["client"][1])
        if not self._settings.trusts(scope["client"][0]):
            return
        headers = HeaderValues(scope=scope)
        forwarded = ",".join(headers.getlist("x-forwarded-for")).split(",")
        if address := self._first_untrusted(forwarded):
            scope["client"] = (address, 0)
        if headers.get("x-forwarded-proto", "").strip().lower() == "https":
            scope["scheme"] = "https" if scope["type"] == "http" else "wss"

    def _first_untrusted(self, forwarded: Iterable[str]) -> str | None:
        """Return the address nearest to us that is no proxy of ours: what stands before it anybody may have written."""
        for text in reversed([part.strip() for part in forwarded]):
            try:
                address = plain_address(str(ip_address(text)))
            except ValueError:
                return None
            if not self._settings.trusts(address):
                return address
        return None


class KnownHosts:
    """Refuse requests for a host that is not this page: a name that somebody pointed here (DNS rebinding)."""

    def __init__(self, app: ASGIApp, settings: CurrentSettings) -> None:
        """Wrap ``app``."""
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        hosts = HeaderValues(scope=scope).getlist("host") if scope["type"] in ("http", "websocket") else []
        if scope["type"] in ("http", "websocket") and not (len(hosts) == 1 and self._settings.knows(host_of(scope))):
            await _refuse(scope, receive, send, 421, _NOT_HERE)
            return
        await self._app(scope, receive, send)


class OwnOrigin:
    """Refuse what another site's page makes a browser send: forms, scripts and WebSockets."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] not in _METHODS:
            await _refuse(scope, receive, send, 405, "This page answers GET, HEAD and POST.")
            return
        acts = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _SAFE)
        if acts and not _comes_from_here(scope):
            await _refuse(scope, receive, send, 403, "This came from another site. Open the page itself.")
            return
        await self._app(scope, receive, send)


def _headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of an answer. Only names are bound to TLS: an address may become another machine's."""
    if scope["scheme"] != "https":
        return _HEADERS
    named = {} if is_address(host_of(scope)) else {"Strict-Transport-Security": _HSTS}
    return {**_HEADERS, **_OVER_TLS, **named}


def host_of(scope: Scope) -> str:
    """Return the host that is asked for, without its port; "" if it cannot be read."""
    try:
        return urlsplit(f"//{HeaderValues(scope=scope).get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _comes_from_here(scope: Scope) -> bool:
    """Return whether the browser says that a page of ours sent this. A request that says nothing is refused."""
    headers = HeaderValues(scope=scope)
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        return False
    if origin is None:
        return site == "same-origin"
    scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
    return origin.lower() == f"{scheme}://{headers.get('host', '').lower()}"


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    await PlainTextResponse(text, status)(scope, receive, send)
