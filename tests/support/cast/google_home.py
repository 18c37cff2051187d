"""The google_home plugin with a speech service for tests, which has the same short recording for every text."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from facesecure.alerts.plugins.api import PluginContext
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home import GoogleHomePlugin


@functools.cache
def mp3() -> bytes:
    """A second of a tone, as a real MP3."""
    from facesecure.alerts.speech.audio import RATE, Sound, finished

    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32) * 0.3
    return finished(Sound(tone, RATE), silence=0.2)


@dataclass
class Voice:
    """A ``Speech`` that records the texts it was called with."""

    folder: Path
    seconds: float = 1.2
    said: list[str] = field(default_factory=list)
    dumb: bool = False

    def recording(self, text: str) -> Path:
        if self.dumb:
            raise PluginError("no voice could say it")
        self.said.append(text)
        file = self.folder / "said.mp3"
        file.write_bytes(mp3())
        return file

    def length(self, recording: Path) -> float:
        return self.seconds


class Announcer:
    """The plugin with ``voice``, closed in the end; ``steps`` is the progress that it reported."""

    defaults: ClassVar[dict[str, Any]] = {}
    """Settings that a test need not name, beside the plugin's own defaults."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.plugin = GoogleHomePlugin(GoogleHomePlugin.Config(**{**self.defaults, **settings}))
        self.voice, self.steps = Voice(folder), list[str]()
        self.plugin.attach(
            PluginContext(folder, "front door", "en", self.voice, lambda _, step: self.steps.append(step))
        )

    def say(self, text: str = "A stranger is at the front door") -> None:
        """Raises what ``send`` raises."""
        self.plugin.send(Alert(AlertKind.TEST, text))

    def fails(self, text: str = "A stranger is at the front door") -> PluginError:
        """Return the error with which it fails, as it must."""
        try:
            self.say(text)
        except PluginError as error:
            return error
        raise AssertionError("it was said")

    def __enter__(self) -> Announcer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.plugin.close()
