"""What an alert plugin is. plugins/README.md shows a whole one on a page.

A plugin is a class named by an entry point in the group ``facesecure.plugins``:

- ``Config`` (optional): a subclass of ``PluginConfig``, its settings. The table [plugins.NAME] of the configuration
  file is read into it; what does not fit is reported and the plugin left out.
- ``__init__(config)``: keep the settings. Cheap: open nothing that can hang.
- ``check()`` (optional): raise if alerts could not be delivered now (an address that does not answer, a folder that
  cannot be written). The plugin stays in use: a speaker that is off at start-up may be on when it matters.
- ``send(alert)``: deliver, or raise. ``stages.AlertPlugin`` is this one method.
- ``close()`` (optional): the daemon is stopping; let go of everything. Called after the last ``send``.

Each plugin has a thread and a short queue of its own, and its methods are never called twice at once. It may block
and it may raise: nobody else waits, and what it raised is logged and counted.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from facesecure.domain import Alert

ENTRY_POINT_GROUP = "facesecure.plugins"


class PluginConfig(BaseModel):
    """Base of a plugin's settings: immutable, and nothing unknown gets past it. Every setting has a default that works.

    ``enabled`` is not among them: it is read before the plugin is loaded at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


@runtime_checkable
class Checks(Protocol):
    """A plugin that can tell beforehand whether it would work."""

    def check(self) -> None: ...


@runtime_checkable
class Closes(Protocol):
    """A plugin that holds something to let go of."""

    def close(self) -> None: ...


class OneAtATime:
    """Any plugin, with all three methods, and never two of them at once, whichever threads call."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self._lock = threading.Lock()

    def check(self) -> None:
        with self._lock:
            if isinstance(self.plugin, Checks):
                self.plugin.check()

    def send(self, alert: Alert) -> None:
        with self._lock:
            self.plugin.send(alert)

    def close(self) -> None:
        with self._lock:
            if isinstance(self.plugin, Closes):
                self.plugin.close()
