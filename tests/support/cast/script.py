"""How the Cast device of ``receiver`` behaves, and what happened to it."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from support.cast.apps import App


@dataclass
class Script:
    """How the device is and behaves; may be changed while it runs."""

    name: str = "Kitchen"
    identifier: uuid.UUID = field(default_factory=uuid.uuid4)
    model: str = "Google Home Mini"
    capabilities: int = 4 | 8  # audio out and in; 1 is a display, 32 a group
    key: str = "its own"  # the device's key by name, made at first use; "": shows no certificate
    proves: str = (
        "own"  # "other": with another device's key; "relayed": of another connection; "broken", "old": no nonce
    )
    volume: float = 0.35
    muted: bool = False
    volume_control: str = "attenuation"  # "fixed": it has no volume to set
    app: App | None = None
    play_seconds: float = 0.05
    together: threading.Barrier | None = None  # plays on until as many devices play
    answers_after: float = 0.0
    no_handshake: bool = False  # takes the connection and does not speak TLS
    silent: bool = False  # speaks TLS and never answers
    launch_error: bool = False
    load_failed: str | None = None  # "bare": no itemId; "full": with itemId and detailedErrorCode
    fetches: bool = True  # False: reports LOAD_FAILED without requesting the URL
    stuck_at: str | None = None  # "BUFFERING", "PLAYING": goes no further
    drops_at: str | None = None  # "LAUNCH", "BUFFERING", "PLAYING": cuts every connection there
    silent_after_drop: bool = False  # and does not answer from then on
    taken_over: bool = False  # another app is started while it plays
    ignores_volume: bool = False  # answers SET_VOLUME no more


@dataclass
class Diary:
    """What happened to the device, with seconds since it started."""

    began: float = field(default_factory=time.monotonic)
    events: list[tuple[str, float]] = field(default_factory=list)
    connections: int = 0
    fetched: list[tuple[str, int, bytes]] = field(default_factory=list)  # (URL, HTTP status, body)
    loads: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[tuple[float, bool]] = field(default_factory=list)
    launched: list[str] = field(default_factory=list)
    stopped: list[str | None] = field(default_factory=list)
    played: int = 0

    def note(self, event: str) -> None:
        self.events.append((event, time.monotonic() - self.began))

    @property
    def steps(self) -> list[str]:
        return [event for event, _ in self.events]
