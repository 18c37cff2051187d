"""The state of a recording on a Cast device's player, from the messages of the media namespace."""

from __future__ import annotations

from typing import Any

from pychromecast.controllers.media import MEDIA_PLAYER_ERROR_CODES, STREAM_TYPE_BUFFERED

NAMESPACE = "urn:x-cast:com.google.cast.media"


class MediaState:
    """The state of one recording, distinguished from others on the same player by its URL and media session.

    Example::

        media = MediaState(url)
        media.update(message)
        media.finished
    """

    def __init__(self, url: str) -> None:
        """Begin as not loaded."""
        self.url = url
        self.played = self.finished = False
        self.state = "not loaded"
        self.trouble = ""
        self._session: int | None = None

    def request(self, title: str) -> dict[str, Any]:
        """Return the LOAD message without its session. BUFFERED has an end, unlike pychromecast's default LIVE."""
        metadata = {"metadataType": 0, "title": title}
        media = {"contentId": self.url, "contentType": "audio/mpeg", "streamType": STREAM_TYPE_BUFFERED}
        return {"type": "LOAD", "media": media | {"metadata": metadata}, "autoplay": True, "currentTime": 0}

    @property
    def over(self) -> bool:
        """True if it has finished or failed."""
        return self.finished or bool(self.trouble)

    def update(self, data: dict[str, Any]) -> None:
        """Handle a message of the player."""
        kind = data.get("type")
        if kind == "MEDIA_STATUS":
            for status in data.get("status") or ():
                self._follow(status)
        elif kind in ("LOAD_FAILED", "LOAD_CANCELLED", "INVALID_REQUEST", "INVALID_PLAYER_STATE"):
            code = data.get("detailedErrorCode")
            reason = MEDIA_PLAYER_ERROR_CODES.get(code) or data.get("reason") or code
            self.trouble = f"{kind} ({reason})" if reason else str(kind)

    def _follow(self, status: dict[str, Any]) -> None:
        session = status.get("mediaSessionId")
        if (status.get("media") or {}).get("contentId") == self.url:
            self._session = session
        if session is None or session != self._session:
            return
        self.state = str(status.get("playerState", self.state))
        self.played |= self.state == "PLAYING"
        reason = status.get("idleReason") if self.state == "IDLE" else None
        if reason == "FINISHED" and self.played:
            self.finished = True
        elif reason:
            self.trouble = {"FINISHED": "it ended without a sound"}.get(reason, f"the player stopped ({reason})")
