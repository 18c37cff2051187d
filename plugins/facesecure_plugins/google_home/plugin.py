"""The google_home plugin: what the daemon calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from facesecure.alerts.plugins.api import PluginContext
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.settings import GoogleHomeConfig, ports

if TYPE_CHECKING:
    from facesecure_plugins.google_home.speakers import SpeakerGroup

CHECK_SECONDS = 0.8
"""Time limit of the check; the daemon's start waits a second for all checks together."""


class GoogleHomePlugin:
    """Announces every alert on Google Home and other Cast devices.

    Example::

        plugin = GoogleHomePlugin(GoogleHomePlugin.Config(devices=["Kitchen"]))
        plugin.attach(context)
        plugin.send(alert)
    """

    speaks = True
    Config = GoogleHomeConfig

    def __init__(self, config: GoogleHomeConfig) -> None:
        """Store the settings; nothing is loaded yet."""
        self.config = config
        self._context: PluginContext | None = None
        self._speakers: SpeakerGroup | None = None

    def attach(self, context: PluginContext) -> None:
        """Begin to listen for devices, so that an alert need not search for them first."""
        self._context = context
        self._speaker_group().start()

    def check(self) -> None:
        """Raise PluginError if no device, or not every configured one, can be found and reached."""
        self._speaker_group().check(CHECK_SECONDS)

    def send(self, alert: Alert) -> None:
        """Announce ``alert`` and return when it was played to its end. Raises PluginError if it was not."""
        context = self._context
        if context is None:
            raise PluginError("google_home has no speech service", "it speaks when the daemon or a drill runs it")
        recording = context.speech.recording(alert.speech)
        length = context.speech.length(recording)
        report = _FirstTimeOnly(lambda step: context.progress(alert, step))
        self._speaker_group().play(recording.read_bytes(), length, alert.text, report)

    def close(self) -> None:
        """Leave the network. May be called twice."""
        if self._speakers is not None:
            self._speakers.close()
            self._speakers = None

    def _speaker_group(self) -> SpeakerGroup:
        """Return the devices, created by the first call, since that loads pychromecast."""
        if self._speakers is None:
            from facesecure_plugins.google_home.speakers import SpeakerGroup

            state = self._context.state_dir if self._context is not None else None
            self._speakers = SpeakerGroup(self.config, ports(self.config.serve_ports), state)
        return self._speakers


class _FirstTimeOnly:
    """Report each step when the first device reaches it."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report, self._reported, self._lock = report, set[str](), threading.Lock()

    def __call__(self, step: str) -> None:
        with self._lock:
            if step not in self._reported:
                self._reported.add(step)
                self._report(step)
