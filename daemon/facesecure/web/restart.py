"""Wait while facesecure restarts with changed settings, so that nobody lands on a page that cannot be shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from facesecure.web.daemon import DaemonAway, DaemonRefused
from facesecure.web.request import ask

_LONGEST = 20.0
"""Seconds; after that the page is shown as it is, and goes on waiting by itself."""
_PAUSE = 0.25


async def restarted(request: Request, verb: str) -> Mapping[str, Any]:
    """Return what ``verb`` answers once the settings are in use, or were taken back; empty if that takes too long.

    ``verb`` is one that whoever asks may ask, and that answers ``applying``.
    """
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until:
        await asyncio.sleep(_PAUSE)
        try:
            found = (await ask(request, verb)).result
        except DaemonAway:
            continue
        except DaemonRefused as error:
            if error.kind != "busy":
                raise
            continue
        if not found["applying"]:
            return found
    return {}
