"""Know since when no browser has asked for anything, so that an unused page can end."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Receive, Scope, Send


class Activity:
    """Counts the requests and streams that are open. Example: ``Activity(app).idle_seconds``."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app, self._open, self._since = app, 0, time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Return how long nothing has been open; 0 while something is."""
        return 0.0 if self._open else time.monotonic() - self._since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            self._since = time.monotonic()
