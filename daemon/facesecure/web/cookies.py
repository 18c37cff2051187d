"""The session's cookie: an opaque token that only the daemon understands."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection
from starlette.responses import Response

DONE_COOKIE = "done"
_PLAIN, _SECURE = "facesecure", "__Host-facesecure"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


def token_of(request: HTTPConnection) -> str | None:
    """Return the token in the cookie, or None if there is none, or something that no token looks like."""
    token = request.cookies.get(_name(request), "")
    return token if _TOKEN.fullmatch(token) else None


def keep_token(request: HTTPConnection, response: Response, token: str, seconds: int) -> None:
    """Sign this browser in for ``seconds``: scripts cannot read the cookie, other sites cannot post with it.

    Over TLS its name has the prefix that browsers only accept from the page itself, not from a neighbouring host.
    """
    secure = request.url.scheme in ("https", "wss")
    response.set_cookie(_name(request), token, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def forget_token(request: HTTPConnection, response: Response) -> None:
    """Sign this browser out."""
    secure = request.url.scheme in ("https", "wss")
    response.delete_cookie(_name(request), path="/", secure=secure, httponly=True, samesite="lax")


def _name(request: HTTPConnection) -> str:
    return _SECURE if request.url.scheme in ("https", "wss") else _PLAIN
