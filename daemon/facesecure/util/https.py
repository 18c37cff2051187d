"""Requests over HTTPS to servers that may be hostile: encrypted all the way, few redirects, and an end in time.

``urllib.request.urlopen`` follows a redirect to plain http, reads the whole body of a redirect, sends its headers on to
other hosts, and waits for ever for a server that sends one byte before each time-out. Its proxies and its errors are
kept here. Bodies are not decompressed and not read: the caller bounds what it takes.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit

from facesecure.util.public_addresses import connect_publicly

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait and how far to follow: ``silence`` and ``total`` in seconds, and a number of ``redirects``.

    ``silence`` is the longest wait for the next bytes, ``total`` the longest time from the connection to the last byte.
    """

    silence: float
    total: float
    redirects: int = 5


class InsecureAddressError(URLError):
    """An address that is not https, or names a user, or a redirect to one; its text shows no address."""


class TooSlowError(TimeoutError):
    """The server was not silent, but took longer than ``Limits.total``."""


def open_https(
    url: str,
    limits: Limits,
    headers: Mapping[str, str],
    *,
    body: bytes | None = None,
    trust: str | None = None,
    only_public: bool = False,
) -> http.client.HTTPResponse:
    """Send a request, POST if it has a ``body``, and return the response, whose body is still to be read.

    ``headers`` go to the host of ``url`` and, except for Authorization and Cookie, to those it redirects to. ``trust``
    is a file of certificates instead of the system's. ``only_public``: for an address that others chose, which must not
    lead into a private network; no proxy is used then.

    Raises HTTPError for any status but 2xx, InsecureAddressError for an address that is not https, another URLError if
    the server cannot be reached, OSError or HTTPException for a broken response. Reading the response raises
    TimeoutError after too long a silence, TooSlowError after ``limits.total``.

    Example::

        with open_https("https://example.org/model", Limits(silence=20, total=600), {}) as response:
            head = response.read(1024)
    """
    opener = urllib.request.OpenerDirector()
    context = ssl.create_default_context(cafile=trust)
    context.sslsocket_class = _TimedSocket
    for handler in (
        urllib.request.ProxyHandler({} if only_public else None),
        _TimedHandler(context, time.monotonic() + limits.total, only_public=only_public),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    request = _Request(_encrypted(url), body, dict(headers), redirects_left=limits.redirects)
    response = opener.open(request, timeout=limits.silence)
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _encrypted(url: str) -> str:
    """Return ``url``. Raises InsecureAddressError unless it is an https address without a user name."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable:
        raise InsecureAddressError("only https addresses without a user name are used")
    return url


class _Request(urllib.request.Request):
    """A request that knows how many redirects may still be followed."""

    def __init__(self, url: str, body: bytes | None, headers: dict[str, str], *, redirects_left: int) -> None:
        super().__init__(url, body, headers)
        self.redirects_left = redirects_left


class _Redirects(urllib.request.BaseHandler):
    """Follows redirects to https addresses, a limited number of times; their bodies are not read."""

    def http_error_302(
        self, request: _Request, response: IO[bytes], status: int, _reason: str, headers: http.client.HTTPMessage
    ) -> Any:
        """Return the response at the address that ``response`` leads to, None if it is no redirect."""
        location = headers.get("location")
        if location is None or not request.redirects_left:
            return None
        response.close()
        if request.data is not None:
            raise HTTPError(request.full_url, status, "redirects a message", headers, None)
        try:
            target = _encrypted(urljoin(request.full_url, location))
        except (URLError, ValueError):
            raise InsecureAddressError("the server redirects to an address that is not https") from None
        follow = _Request(target, None, _harmless(request.headers), redirects_left=request.redirects_left - 1)
        return self.parent.open(follow, timeout=request.timeout)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")}


class _TimedHandler(urllib.request.HTTPSHandler):
    """Opens connections that end at ``deadline``, on the clock ``time.monotonic``."""

    def __init__(self, context: ssl.SSLContext, deadline: float, *, only_public: bool) -> None:
        super().__init__(context=context)
        self._trusted, self._deadline, self._only_public = context, deadline, only_public

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Return the response to ``request``."""
        connection = partial(_TimedConnection, deadline=self._deadline, only_public=self._only_public)
        return self.do_open(connection, request, context=self._trusted)


class _TimedConnection(http.client.HTTPSConnection):
    """A connection whose socket has a deadline."""

    def __init__(self, host: str, *, deadline: float, only_public: bool, **options: Any) -> None:
        super().__init__(host, **options)
        self._deadline = deadline
        if only_public:
            self._create_connection = connect_publicly

    def connect(self) -> None:
        """Connect and encrypt, or raise TooSlowError if it is too late for that."""
        self.timeout = min(self.timeout or 0.0, _left(self._deadline))
        super().connect()
        assert isinstance(self.sock, _TimedSocket)
        self.sock.deadline = self._deadline


class _TimedSocket(ssl.SSLSocket):
    """A socket on which no read ends after ``deadline``, however many bytes trickle in."""

    deadline: float

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        """Read into ``buffer`` and return how many bytes came. Raises TooSlowError after the deadline."""
        self.settimeout(min(self.gettimeout() or 0.0, _left(self.deadline)))
        try:
            return super().recv_into(buffer, nbytes, flags)
        except TimeoutError:
            _left(self.deadline)
            raise


def _left(deadline: float) -> float:
    """Return the seconds until ``deadline``. Raises TooSlowError if there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TooSlowError("the server takes longer than allowed")
    return left
