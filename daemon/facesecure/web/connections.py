"""Connections of browsers: how long they may take, and how many one address may have.

uvicorn waits for ever for the first bytes of a request, and for a browser that does not read. A house has few browsers
and a small machine, so that a few slow connections could keep everybody else out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from facesecure.web.settings import plain_address

REQUEST_SECONDS = 10.0
"""How long the line and the headers of a request may take."""
READ_SECONDS = 30.0
"""How long a browser may leave an answer unread."""
FROM_ONE_ADDRESS = 40
"""A browser opens six; a household behind one router that translates addresses has several."""


class Connection(H11Protocol):
    """A connection that is closed when the browser is too slow, or has too many."""

    request_seconds = REQUEST_SECONDS
    read_seconds = READ_SECONDS
    from_one_address = FROM_ONE_ADDRESS
    admits: Callable[[str], bool] = staticmethod(lambda address: True)  # noqa: ARG005
    trusts: Callable[[str], bool] = staticmethod(lambda address: False)  # noqa: ARG005

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*arguments, **named)
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, unless the address has too many connections or may have none."""
        super().connection_made(transport)
        if self._is_unwelcome():
            transport.abort()
            return
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        _cancel(self._late)
        _cancel(self._unread)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take what has arrived; the request is there once its headers are."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            _cancel(self._late)
            self._late = None

    def on_response_complete(self) -> None:
        """Wait for the next request on this connection."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self._wait_for_request()

    def pause_writing(self) -> None:
        """Note that the browser does not read."""
        super().pause_writing()
        _cancel(self._unread)
        self._unread = self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the browser reads again."""
        _cancel(self._unread)
        self._unread = None
        super().resume_writing()

    def _wait_for_request(self) -> None:
        _cancel(self._late)
        self._late = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _is_unwelcome(self) -> bool:
        address = self.client[0] if self.client else ""
        if not self.admits(address):
            return True
        if self.trusts(address) or _is_own(address):
            return False
        others = (getattr(connection, "client", None) for connection in self.connections)
        return sum(1 for client in others if client and client[0] == address) > self.from_one_address


def only_this_machine(address: str) -> bool:
    """Return whether ``address`` is this machine's own: without TLS nobody else is served."""
    return _is_own(address)


def _is_own(address: str) -> bool:
    try:
        return ip_address(plain_address(address)).is_loopback
    except ValueError:
        return False


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
