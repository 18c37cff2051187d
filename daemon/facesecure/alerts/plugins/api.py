"""What an alert plugin is. plugins/README.md shows a whole one on a page.

A plugin is a class named by an entry point in the group ``facesecure.plugins``:

- ``Config`` (optional): a subclass of ``PluginConfig``, its settings. The table [plugins.NAME] of the configuration
  file is read into it; what does not fit is reported and the plugin left out.
- ``__init__(config)``: keep the settings. Cheap: open nothing that can hang.
- ``attach(context)`` (optional): keep what the daemon lends: where state lives, and a voice. Before anything below.
- ``check()`` (optional): raise if alerts could not be delivered now (an address that does not answer, a folder that
  cannot be written). The plugin stays in use: a speaker that is off at start-up may be on when it matters.
- ``send(alert)``: deliver, or raise. ``stages.AlertPlugin`` is this one method.
- ``close()`` (optional): the daemon is stopping; let go of everything. Called after the last ``send``.

A plugin that speaks aloud has ``speaks = True``: the log says so loudly where no such one has spoken in time.

Each plugin has a thread of its own, and its methods are never called twice at once. It may block and it may raise:
nobody else waits, and what it did not deliver goes to its fallback, or comes again after a pause, until it expires.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from facesecure.domain import Alert


class PluginConfig(BaseModel):
    """Base of a plugin's settings: immutable, and nothing unknown gets past it. Every setting has a default that works.

    ``enabled`` is not among them: it is read before the plugin is loaded at all. A plugin that speaks, whose words are
    worthless a minute later, overrides ``expires`` with a default of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt_seconds: float = Field(
        30.0, gt=0, le=600, description="seconds one attempt may take; then the next channel in the chain is tried"
    )
    expires: float = Field(86400.0, gt=0, description="seconds after which an alert is no longer worth delivering here")


class Speech(Protocol):
    """A voice that the daemon lends to plugins."""

    def recording(self, text: str) -> Path:
        """An MP3 file that says ``text``, with a short silence before the words: kept from before, or made now.

        Raises PluginError where no voice can make it.
        """

    def length(self, recording: Path) -> float:
        """Seconds that ``recording`` takes to play, its silences included."""


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What the daemon lends to a plugin that has ``attach``.

    ``place`` is what the camera is called; ``language`` an IETF tag such as "en" or "fr". ``progress`` may be called
    with an alert and a word for how far its delivery has come ("fetched", "playing", "finished"): a drill shows it.
    """

    state_dir: Path
    place: str
    language: str
    speech: Speech
    progress: Callable[[Alert, str], None]


@runtime_checkable
class HasAttach(Protocol):
    """A plugin that wants what the daemon lends."""

    def attach(self, context: PluginContext) -> None: ...


@runtime_checkable
class HasCheck(Protocol):
    """A plugin that can tell beforehand whether it would work."""

    def check(self) -> None: ...


@runtime_checkable
class HasClose(Protocol):
    """A plugin that holds something to let go of."""

    def close(self) -> None: ...


class SerializedPlugin:
    """Any plugin, with all its methods, and never two of them at once, whichever threads call."""

    def __init__(self, plugin: Any, config: PluginConfig | None = None) -> None:
        """``config``: the plugin's settings, or as much of them as every plugin has."""
        self.plugin = plugin
        self.config = config or PluginConfig()
        self._lock = threading.Lock()

    def attach(self, context: PluginContext) -> None:
        with self._lock:
            if isinstance(self.plugin, HasAttach):
                self.plugin.attach(context)

    def check(self) -> None:
        with self._lock:
            if isinstance(self.plugin, HasCheck):
                self.plugin.check()

    def send(self, alert: Alert) -> None:
        with self._lock:
            self.plugin.send(alert)

    def close(self) -> None:
        with self._lock:
            if isinstance(self.plugin, HasClose):
                self.plugin.close()
