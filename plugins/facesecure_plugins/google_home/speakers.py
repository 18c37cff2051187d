"""The configured devices: found, played on in parallel, and restored to their volume."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from facesecure.domain.errors import PluginError
from facesecure.util.backoff import Backoff
from facesecure.util.plain_text import quoted
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.device import Device
from facesecure_plugins.google_home.discovery import Browser
from facesecure_plugins.google_home.known_devices import ONLY_DEVICE, KnownDevices, replaced
from facesecure_plugins.google_home.media_server import FileServer
from facesecure_plugins.google_home.playback import (
    RESTORE_SECONDS,
    Attempt,
    AudioClip,
    PlaybackContext,
    play_on,
    raise_unless_delivered,
    restore,
    time_limit,
)
from facesecure_plugins.google_home.session import IS_IT_ON, connect
from facesecure_plugins.google_home.settings import GoogleHomeConfig
from facesecure_plugins.google_home.targets import Target
from facesecure_plugins.google_home.volume import PendingRestore, PendingRestores

SEARCH_SECONDS = 2.5
"""Seconds that an alert waits for a device that has not been found yet."""

STRAGGLERS_SECONDS = 0.7
"""Seconds that it waits for missing devices while others are there."""

LISTEN_SECONDS = 1.5
"""Seconds to listen before the only device that answered counts as the only one."""

RESTORE_RETRY_SECONDS = 5.0, 60.0
"""The first and the longest delay between attempts to restore a volume."""

RESTORE_SHARE = 0.15
"""The share of an attempt's time that is reserved for restoring everything if nothing was played."""

log = logging.getLogger(__name__)


class SpeakerGroup:
    """The devices that the settings name.

    Example::

        speakers = SpeakerGroup(config, ports("8200-8210"), state_dir)
        speakers.start()
        speakers.play(mp3, 2.5, "A stranger is at the front door", report)
    """

    def __init__(self, config: GoogleHomeConfig, ports: range, state: Path | None) -> None:
        """``ports``: where the recording may be served. ``state``: the state directory."""
        _silence_libraries()
        self._config, self._ports = config, ports
        self._targets = [Target.parse(text) for text in config.devices]
        self._browser = Browser(config.interfaces)
        self._pending = PendingRestores(state)
        self._known = KnownDevices(state)
        self._speaking = threading.Lock()
        self._closing = threading.Event()
        self._restorer: threading.Thread | None = None
        self._listening_since: float | None = None

    def start(self) -> None:
        """Listen for devices, unless all are given by address, and restore volumes that the last run could not."""
        try:
            self._listen()
        except PluginError as error:
            log.warning("%s", error.message)
        self._restore_in_background()

    def close(self) -> None:
        """Leave the network. May be called twice."""
        self._closing.set()
        if self._restorer is not None:
            self._restorer.join(RESTORE_SECONDS)
        self._browser.close()

    def find(self, seconds: float) -> tuple[list[Device], list[Target]]:
        """Return the devices that are configured, and the targets not found. Raises PluginError if none is found."""
        try:
            self._listen()
        except PluginError:
            if not any(target.device for target in self._targets):
                raise
        if not self._targets:
            return [self._only_device(seconds)], []
        found = self._wait_for_targets(Deadline(seconds))
        devices: dict[str, Device] = {}
        for device in [target.device for target in self._targets if target.device] + found:
            wanted = any(self._means(target, device) for target in self._targets)
            if wanted and not _shares_address(device, devices.values()):
                devices[device.key] = device
        missing = self._missing(found)
        if not devices:
            raise self._not_found(missing, found)
        return list(devices.values()), missing

    def check(self, seconds: float) -> None:
        """Raise PluginError if a device is missing or does not accept a connection."""
        deadline = Deadline(seconds)
        devices, missing = self.find(seconds)
        if missing:
            raise self._not_found(missing, self._browser.devices())
        for device in devices:
            _check_reachable(device, deadline)

    def play(self, mp3: bytes, seconds: float, title: str, report: Callable[[str], None]) -> None:
        """Play ``mp3``, which lasts ``seconds``, on all devices at once, and report the steps.

        Returns when enough devices have played it to the end; raises PluginError otherwise.
        """
        begin_by = Deadline((1 - RESTORE_SHARE) * self._config.attempt_seconds)
        devices, missing = self.find(begin_by.left(SEARCH_SECONDS))
        volume = None if self._config.volume == "keep" else self._config.volume
        clip = AudioClip(mp3, seconds, title)
        with self._speaking, FileServer(self._config.serve_address, self._ports) as server:
            context = PlaybackContext(
                server, self._pending, self._known, volume, begin_by, self._browser.find_again, report
            )
            attempts = [Attempt(device, partial(play_on, device, clip, context)) for device in devices]
            until = Deadline(time_limit(clip, context))
            errors = [attempt.error(until) for attempt in attempts]
        self._restore_in_background()
        self._remember([device for device, error in zip(devices, errors, strict=True) if error is None])
        lost = [self._lost(target) for target in missing]
        raise_unless_delivered([*errors, *lost], by_all=self._config.confirm == "all")

    def _remember(self, played: list[Device]) -> None:
        """Record which devices the names stand for: those that have played under them."""
        named = {target.name: [one for one in played if target.matches(one)] for target in self._targets if target.name}
        for name, devices in (named if self._targets else {ONLY_DEVICE: played}).items():
            if devices:
                self._known.remember_name(name, devices)

    # Finding devices --------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._targets and all(target.address for target in self._targets):
            return
        self._browser.start()
        self._listening_since = self._listening_since or time.monotonic()

    def _wait_for_targets(self, deadline: Deadline) -> list[Device]:
        """Return once all targets are found, or after STRAGGLERS_SECONDS some of them, or at ``deadline`` none."""
        found = self._browser.wait_for(lambda found: not self._missing(found), deadline.left(STRAGGLERS_SECONDS))
        if any(target.device or target not in self._missing(found) for target in self._targets):
            return found
        return self._browser.wait_for(lambda found: self._missing(found) != self._targets, deadline.left())

    def _missing(self, found: Sequence[Device]) -> list[Target]:
        unmet = [target for target in self._targets if target.device is None]
        return [target for target in unmet if not any(self._means(target, device) for device in found)]

    def _means(self, target: Target, device: Device) -> bool:
        """Return whether ``device`` is the one that ``target`` names, and not another that has taken its name."""
        return target.matches(device) and (target.name is None or self._known.admits(target.name, device))

    def _only_device(self, seconds: float) -> Device:
        """Return the only device on the network; to speak on all of them unasked might wake a child."""
        deadline = Deadline(seconds)
        assert self._listening_since is not None
        time.sleep(deadline.left(max(0.0, self._listening_since + LISTEN_SECONDS - time.monotonic())))
        found = self._browser.wait_for(bool, deadline.left())
        if len(found) > 1:
            names = ", ".join(quoted(device.name) for device in found)
            raise PluginError(f"there are {len(found)} devices, and none is named", f"say which: devices = [{names}]")
        if not found:
            raise self._not_found([], found)
        if not self._known.admits(ONLY_DEVICE, found[0]):
            raise replaced(f"{found[0].name} is another device than the only one before", ONLY_DEVICE)
        return found[0]

    def _not_found(self, missing: Sequence[Target], found: Sequence[Device]) -> PluginError:
        for taken in filter(None, (_taken(target, found) for target in missing)):
            return taken
        names = ", ".join(repr(target.text) for target in missing)
        message = f"{names}: not on the network" if missing else "no Cast device found"
        others = ", ".join(device.name for device in found)
        return PluginError(message, f"there are: {others}" if others else IS_IT_ON)

    def _lost(self, target: Target) -> PluginError:
        taken = _taken(target, self._browser.devices())
        return taken or PluginError(f"{target.text!r} is not on the network", IS_IT_ON)

    # Restoring volumes ------------------------------------------------------------------------------------------

    def _restore_in_background(self) -> None:
        """Start a thread that restores pending volumes as soon as their devices answer."""
        running = self._restorer is not None and self._restorer.is_alive()
        if not running and not self._closing.is_set() and self._pending.open():
            self._restorer = threading.Thread(target=self._restore_all, name="google_home-volumes", daemon=True)
            self._restorer.start()

    def _restore_all(self) -> None:
        first, longest = RESTORE_RETRY_SECONDS
        backoff = Backoff(longest, first=first, jitter=(1.0, 1.0))
        while (pending := self._pending.open()) and not self._closing.wait(backoff.pause()):
            for entry in pending:
                self._restore_one(entry)

    def _restore_one(self, entry: PendingRestore) -> None:
        found = {device.key: device for device in self._browser.devices()}
        device = found.get(entry.device.key, entry.device)
        try:
            with self._speaking, connect(device, RESTORE_SECONDS, self._known) as session:
                restore(session, device, self._pending)
        except PluginError as error:
            log.debug("the volume of %s is not restored to %s yet: %s", device.name, entry.loudness, error.message)
        else:
            log.info("the volume of %s is restored to %s", device.name, entry.loudness)


def _taken(target: Target, found: Iterable[Device]) -> PluginError | None:
    """Return the error for a target whose name only another device has; None if no device has it."""
    others = [device.address for device in found if target.matches(device)]
    return replaced(f"{target.text!r} is another device than before, at {others[0]}", target.text) if others else None


def _silence_libraries() -> None:
    """Hide the libraries' log: they report each lost connection with a traceback, facesecure in a sentence."""
    if not log.isEnabledFor(logging.DEBUG):
        for library in ("pychromecast", "zeroconf"):
            logging.getLogger(library).setLevel(logging.CRITICAL)


def _shares_address(device: Device, others: Iterable[Device]) -> bool:
    return any(set(device.addresses) & set(other.addresses) for other in others)


def _check_reachable(device: Device, deadline: Deadline) -> None:
    for host, port in device.addresses:
        with contextlib.suppress(OSError), socket.create_connection((host, port), max(0.05, deadline.left())):
            return
    raise PluginError(f"{device.name} ({device.address}) does not accept a connection", IS_IT_ON)
