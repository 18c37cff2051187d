"""Alerts, and plugins that misbehave, found by entry points as a third-party package is."""

from __future__ import annotations

import threading
from importlib.metadata import EntryPoint

import numpy as np

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError
from facesecure.domain.interfaces import ENTRY_POINT_GROUP
from support.store import STRANGER, sighting


def alert(text: str = "A stranger is at the front door", verdict=STRANGER, identifier: str = "20260501-1") -> Alert:  # type: ignore[no-untyped-def]
    """An alert about a visitor."""
    return Alert.about(sighting(identifier, verdict, snapshot=np.zeros((8, 8, 3), np.uint8)), text)


def entry(class_name: str, name: str | None = None, module: str = __name__) -> EntryPoint:
    """The entry point of a plugin class in this module."""
    return EntryPoint(name or class_name.lower(), f"{module}:{class_name}", ENTRY_POINT_GROUP)


class Quiet:
    """Delivers to no one.

    This line is not part of its summary.
    """

    class Config(PluginConfig):
        volume: int = 3
        greeting: str = "hello"

    def __init__(self, config: Config) -> None:
        self.config = config

    def send(self, alert: Alert) -> None:
        pass


class NoSettings:
    """Has no Config at all."""

    def __init__(self, config: PluginConfig) -> None:
        self.config = config

    def send(self, alert: Alert) -> None:
        pass


class Unreachable(Quiet):
    """Its speaker is off."""

    def check(self) -> None:
        raise PluginError("the speaker does not answer", "switch it on")


class Crashes(Quiet):
    """Its check has a bug."""

    def check(self) -> None:
        raise ZeroDivisionError("division by zero")


class HangsInCheck(Quiet):
    """Its check hangs until the test ends."""

    released = threading.Event()

    def check(self) -> None:
        self.released.wait(30)


class Exits(Quiet):
    """Exits like a program."""

    def __init__(self, config: Quiet.Config) -> None:
        raise SystemExit(3)


class RefusesToStart(Quiet):
    """Says what is missing."""

    def __init__(self, config: Quiet.Config) -> None:
        raise PluginError("there is no sound card", "plug one in")


class OddConfig(Quiet):
    """Its Config is not a pydantic model."""

    Config = dict  # type: ignore[assignment]


class CannotSend:
    """Is not a plugin."""


def a_function() -> None:
    """Is not a class."""


class Gate:
    """A plugin that holds every alert until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.sent: list[str] = []
        self.closed_by: str | None = None

    def send(self, alert: Alert) -> None:
        self.entered.set()
        self.opened.wait(30)
        self.sent.append(alert.text)

    def close(self) -> None:
        self.closed_by = threading.current_thread().name
