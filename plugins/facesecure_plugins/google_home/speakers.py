"""The devices of a household: found, spoken to side by side, and given their volume back."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.device import Device
from facesecure_plugins.google_home.discovery import Browser
from facesecure_plugins.google_home.media_server import FileServer
from facesecure_plugins.google_home.playback import (
    PUT_BACK_SECONDS,
    Attempt,
    AudioClip,
    PlaybackContext,
    announce,
    judge,
    longest,
    settle,
)
from facesecure_plugins.google_home.session import IS_IT_ON, connect
from facesecure_plugins.google_home.targets import Target
from facesecure_plugins.google_home.volume import PendingRestore, PendingRestores

if TYPE_CHECKING:
    from facesecure_plugins.google_home.plugin import GoogleHomePlugin

SEARCH_SECONDS = 2.5
"""How long an alert waits for a device that has not been heard yet."""

STRAGGLERS_SECONDS = 0.7
"""How long it waits for some while others are there."""

LISTEN_SECONDS = 1.5
"""How long to have listened before the only device that was heard counts as the only one."""

COLLECT_SECONDS = 5.0, 60.0
"""The first and the longest pause between tries to set a volume back."""

TIDYING = 0.15
"""The share of an attempt's time that is kept for putting everything back where nothing was heard."""

log = logging.getLogger(__name__)


class SpeakerGroup:
    """The devices that the settings name. ``state`` is a folder for what must outlive the process."""

    def __init__(self, config: GoogleHomePlugin.Config, ports: range, state: Path | None) -> None:
        _hush()
        self._config, self._ports = config, ports
        self._targets = [Target.parse(text) for text in config.devices]
        self._browser = Browser(config.interfaces)
        self._debts = PendingRestores(state / "volumes.json" if state is not None else None)
        self._speaking = threading.Lock()
        self._closing = threading.Event()
        self._collector: threading.Thread | None = None
        self._listening_since: float | None = None

    def start(self) -> None:
        """Listen for devices, unless all are given by their addresses, and set back what the last run could not."""
        try:
            self._listen()
        except PluginError as error:
            log.warning("%s", error.message)
        self._collect_later()

    def close(self) -> None:
        """Leave the network; may come twice."""
        self._closing.set()
        if self._collector is not None:
            self._collector.join(PUT_BACK_SECONDS)
        self._browser.close()

    def find(self, seconds: float) -> tuple[list[Device], list[Target]]:
        """The devices that are meant, and the targets that nobody answers to. Raises PluginError if there is none."""
        try:
            self._listen()
        except PluginError:
            if not any(target.device for target in self._targets):
                raise
        if not self._targets:
            return [self._only_one(seconds)], []
        seen = self._heard(Deadline(seconds))
        devices: dict[str, Device] = {}
        for device in [target.device for target in self._targets if target.device] + seen:
            if any(target.matches(device) for target in self._targets) and not _known(device, devices.values()):
                devices[device.key] = device
        missing = self._missing(seen)
        if not devices:
            raise self._nobody(missing, seen)
        return list(devices.values()), missing

    def check(self, seconds: float) -> None:
        """Raises PluginError where a device is missing, or does not take a connection."""
        deadline = Deadline(seconds)
        devices, missing = self.find(seconds)
        if missing:
            raise self._nobody(missing, self._browser.devices())
        for device in devices:
            _reach(device, deadline)

    def say(self, mp3: bytes, seconds: float, title: str, tell: Callable[[str], None]) -> None:
        """Play ``mp3`` on all devices at once. Returns if enough played it to the end; raises PluginError if not."""
        playing = Deadline((1 - TIDYING) * self._config.attempt_seconds)
        devices, missing = self.find(playing.left(SEARCH_SECONDS))
        volume = None if self._config.volume == "keep" else self._config.volume
        clip = AudioClip(mp3, seconds, title)
        with self._speaking, FileServer(self._config.serve_address, self._ports) as server:
            means = PlaybackContext(server, self._debts, volume, playing, self._browser.look_again, tell)
            attempts = [Attempt(device, partial(announce, clip, device, means)) for device in devices]
            until = Deadline(longest(clip, means))
            errors = [attempt.error(until) for attempt in attempts]
        self._collect_later()
        lost = [PluginError(f"{target.text!r} is not on the network", IS_IT_ON) for target in missing]
        judge([*errors, *lost], everybody=self._config.confirm == "all")

    def _listen(self) -> None:
        if self._targets and all(target.address for target in self._targets):
            return
        self._browser.start()
        self._listening_since = self._listening_since or time.monotonic()

    def _heard(self, deadline: Deadline) -> list[Device]:
        """What is known once all are, or after a while some; none keeps us waiting as long as there is time."""
        seen = self._browser.wait_for(lambda found: not self._missing(found), deadline.left(STRAGGLERS_SECONDS))
        if any(target.device or target not in self._missing(seen) for target in self._targets):
            return seen
        return self._browser.wait_for(lambda found: self._missing(found) != self._targets, deadline.left())

    def _missing(self, found: Sequence[Device]) -> list[Target]:
        unmet = [target for target in self._targets if target.device is None]
        return [target for target in unmet if not any(target.matches(device) for device in found)]

    def _only_one(self, seconds: float) -> Device:
        """The only device there is: to speak through all of them, unasked, might wake a child."""
        deadline = Deadline(seconds)
        assert self._listening_since is not None
        time.sleep(deadline.left(max(0.0, self._listening_since + LISTEN_SECONDS - time.monotonic())))
        found = self._browser.wait_for(bool, deadline.left())
        if len(found) > 1:
            names = ", ".join(f'"{device.name}"' for device in found)
            raise PluginError(f"there are {len(found)} devices, and none is named", f"say which: devices = [{names}]")
        if not found:
            raise self._nobody([], found)
        return found[0]

    def _nobody(self, missing: Sequence[Target], seen: Sequence[Device]) -> PluginError:
        wanted = ", ".join(repr(target.text) for target in missing) or "no Cast device"
        there = ", ".join(device.name for device in seen)
        message = f"{wanted} found" if not missing else f"{wanted}: not on the network"
        return PluginError(message, f"there are: {there}" if there else IS_IT_ON)

    def _collect_later(self) -> None:
        """Have volumes that are owed set back as soon as their devices answer."""
        running = self._collector is not None and self._collector.is_alive()
        if not running and not self._closing.is_set() and self._debts.open():
            self._collector = threading.Thread(target=self._collect, name="google_home-volumes", daemon=True)
            self._collector.start()

    def _collect(self) -> None:
        pause, longest_pause = COLLECT_SECONDS
        while (debts := self._debts.open()) and not self._closing.wait(pause):
            for debt in debts:
                self._settle(debt)
            pause = min(2 * pause, longest_pause)

    def _settle(self, debt: PendingRestore) -> None:
        known = {device.key: device for device in self._browser.devices()}
        device = known.get(debt.device.key, debt.device)
        try:
            with self._speaking, connect(device, PUT_BACK_SECONDS) as cast:
                settle(cast, device, self._debts)
        except PluginError as error:
            log.debug("%s is not back at volume %s yet: %s", device.name, debt.loudness, error.message)
        else:
            log.info("%s is back at volume %s", device.name, debt.loudness)


def _hush() -> None:
    """They report each lost connection with a traceback; we say the same in a sentence."""
    if not log.isEnabledFor(logging.DEBUG):
        for library in ("pychromecast", "zeroconf"):
            logging.getLogger(library).setLevel(logging.CRITICAL)


def _known(device: Device, others: Iterable[Device]) -> bool:
    return any(set(device.addresses) & set(other.addresses) for other in others)


def _reach(device: Device, deadline: Deadline) -> None:
    for host, port in device.addresses:
        with contextlib.suppress(OSError), socket.create_connection((host, port), max(0.05, deadline.left())):
            return
    raise PluginError(f"{device.name} ({device.address}) takes no connection", IS_IT_ON)
