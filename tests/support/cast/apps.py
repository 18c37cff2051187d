"""The app on the Cast device of ``receiver``: its session, and how it fetches what it plays."""

from __future__ import annotations

import itertools
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

DEFAULT_MEDIA_RECEIVER = "CC1AD845"
YOUTUBE = "233637DE"

_NAMES = {DEFAULT_MEDIA_RECEIVER: "Default Media Receiver", YOUTUBE: "YouTube"}
_numbers = itertools.count(1)


@dataclass
class App:
    """An app on the device. ``session`` and ``transport`` are new for every start."""

    identifier: str
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "IDLE"
    idle_reason: str | None = None
    media: dict[str, Any] | None = None
    media_session: int = 0

    @property
    def transport(self) -> str:
        return f"pid-{self.session[:8]}"

    def begin(self, media: dict[str, Any]) -> None:
        """Load ``media`` in place of what played before."""
        self.media, self.media_session = media, next(_numbers)

    def as_json(self) -> dict[str, Any]:
        """The app in a RECEIVER_STATUS."""
        return {
            "appId": self.identifier,
            "displayName": _NAMES.get(self.identifier, self.identifier),
            "namespaces": [{"name": "urn:x-cast:com.google.cast.media"}],
            "sessionId": self.session,
            "transportId": self.transport,
            "statusText": "",
        }

    def media_status(self) -> list[dict[str, Any]]:
        """The ``status`` of a MEDIA_STATUS: empty until something was loaded."""
        if self.media is None:
            return []
        status: dict[str, Any] = {"mediaSessionId": self.media_session, "playerState": self.state, "currentTime": 0}
        status |= {"media": self.media} if self.state != "IDLE" else {}
        return [status | ({"idleReason": self.idle_reason} if self.idle_reason else {})]


def fetched(url: str, timeout: float = 20.0) -> tuple[int, bytes]:
    """(status, body) of ``url``, requested by a range as a media element does. (0, b"") if there is no answer."""
    request = urllib.request.Request(url, headers={"Range": "bytes=0-", "User-Agent": "CrKey/1.56"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
    except OSError:
        return 0, b""
