"""The public interface of alert plugins. plugins/README.md shows a complete plugin on one page.

A plugin is a class named by an entry point in the group ``facesecure.plugins``:

- ``Config`` (optional): a subclass of ``PluginConfig``, its settings. The table [plugins.NAME] of the configuration
  file is read into it; wrong settings are reported and the plugin is left out.
- ``__init__(config)``: store the settings. Must be quick, on whatever thread: open nothing that can hang. A plugin that
  is not ready after ten seconds is left out.
- ``attach(context)`` (optional): store what the daemon provides, such as the state directory and speech. Called before
  the methods below.
- ``check()`` (optional): raise if alerts could not be delivered now (a host that does not answer, a folder that cannot
  be written). The plugin stays in use: a speaker that is off at start-up may be on when it matters.
- ``check_settings()`` (optional): raise if alerts can never be delivered with these settings (a folder that does not
  exist). ``facesecure config check`` calls it, so it must use neither the network nor a device, and change nothing.
- ``send(alert)``: deliver, or raise. This method alone makes a class an ``AlertPlugin`` (``domain.interfaces``).
- ``close()`` (optional): release everything, the daemon is stopping. Called after the last ``send``.

A plugin that speaks aloud has ``speaks = True``: the log reports alerts that no such plugin has spoken in time.

Each plugin has its own thread, and its methods are never called twice at once. It may block and it may raise: that
delays no other plugin, and an alert that it did not deliver goes to its fallback, or is retried after a delay until it
expires.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from facesecure.domain import Alert
from facesecure.domain.errors import FacesecureError
from facesecure.util.containment import contained


class PluginConfig(BaseModel):
    """The settings that every plugin has; base class of a plugin's ``Config``.

    Settings are immutable, unknown ones are refused, and each has a working default. ``enabled`` is not among them: it
    is read before the plugin is loaded. A plugin that speaks overrides ``expires`` with a shorter default.

    Example::

        class Config(PluginConfig):
            url: str = Field("http://localhost:8123", description="where to post to")
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt_seconds: float = Field(
        30.0, gt=0, le=600, description="seconds one attempt may take; then the next channel in the chain is tried"
    )
    expires: float = Field(86400.0, gt=0, description="seconds after which an alert is no longer worth delivering here")


class Speech(Protocol):
    """Text-to-speech, which the daemon provides to plugins."""

    def recording(self, text: str) -> Path:
        """Return an MP3 file that says ``text`` after a short silence, from the cache or synthesised now.

        Raises PluginError if no voice can make it.
        """

    def length(self, recording: Path) -> float:
        """Return how many seconds ``recording`` plays, its silences included. Raises PluginError if it is damaged."""


class Clips(Protocol):
    """The films of visits, which the daemon provides to plugins."""

    def film(self, alert: Alert, most_bytes: int) -> AbstractContextManager[Path | None]:
        """Yield the path of the film of ``alert`` as MP4, which exists during the block; None if there is none.

        While the visit lasts it is the film so far. It is cut where it would be larger than ``most_bytes``.
        """


class _NoClips:
    def film(self, alert: Alert, most_bytes: int) -> AbstractContextManager[Path | None]:  # noqa: ARG002
        return nullcontext()


@dataclass(frozen=True, slots=True)
class PluginContext:
    """The services that the daemon provides to a plugin with ``attach``.

    ``state_dir`` is a directory for the plugin's own files. ``place`` is the camera's name, that of the first where
    there are several, and ``places`` are the names of all; ``source`` of an alert's sighting says which of them it was.
    ``language`` is an IETF tag such as "en" or "fr". ``progress`` may be called with an alert and a word for how far
    its delivery has come ("fetched", "playing", "finished"), which a drill shows. ``clips`` provides the films of
    visits.
    """

    state_dir: Path
    place: str
    language: str
    speech: Speech
    progress: Callable[[Alert, str], None]
    places: tuple[str, ...] = ()
    clips: Clips = field(default_factory=_NoClips)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", self.places or (self.place,))


@runtime_checkable
class HasAttach(Protocol):
    """A plugin that uses what the daemon provides."""

    def attach(self, context: PluginContext) -> None:
        """Store ``context``. Called once, before ``check`` and ``send``."""


@runtime_checkable
class HasCheck(Protocol):
    """A plugin that can check whether it would work."""

    def check(self) -> None:
        """Raise if alerts could not be delivered now."""


@runtime_checkable
class HasCheckSettings(Protocol):
    """A plugin that can check its settings on this machine, without the network and without its device."""

    def check_settings(self) -> None:
        """Raise PluginError if alerts can never be delivered with these settings. Changes nothing."""


@runtime_checkable
class HasClose(Protocol):
    """A plugin that holds resources."""

    def close(self) -> None:
        """Release them. May be called twice."""


class SerializedPlugin:
    """A plugin whose methods are called one at a time, whichever threads call. Methods that it lacks do nothing.

    Whatever they raise comes out as a FacesecureError or a ContainedError (``util.containment``). Example::

        plugin = SerializedPlugin(LogPlugin(config), config)
        plugin.check()
    """

    def __init__(self, plugin: Any, config: PluginConfig | None = None) -> None:
        """Wrap ``plugin``; ``config`` are its settings, by default those that every plugin has."""
        self.plugin = plugin
        self.config = config or PluginConfig()
        self._lock = threading.Lock()

    def attach(self, context: PluginContext) -> None:
        """Call ``attach`` if the plugin has it."""
        self._call("attach", context)

    def check(self) -> None:
        """Call ``check`` if the plugin has it."""
        self._call("check")

    def check_settings(self) -> None:
        """Call ``check_settings`` if the plugin has it."""
        self._call("check_settings")

    def send(self, alert: Alert) -> None:
        """Deliver ``alert``, or raise what went wrong."""
        self._call("send", alert)

    def close(self) -> None:
        """Call ``close`` if the plugin has it."""
        self._call("close")

    def _call(self, method: str, *arguments: Any) -> None:
        with self._lock:
            contained(lambda: getattr(self.plugin, method, _nothing)(*arguments), passed=FacesecureError)


def _nothing(*_: Any) -> None:
    """Do nothing, in place of a method that a plugin lacks."""
