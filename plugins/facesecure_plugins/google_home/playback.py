"""One alert on one device: connected, volume raised, played to the end, and everything restored."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.device import Device, Loudness
from facesecure_plugins.google_home.known_devices import KnownDevices
from facesecure_plugins.google_home.media_server import FileServer, Offer
from facesecure_plugins.google_home.session import App, CastSession, connect
from facesecure_plugins.google_home.volume import PendingRestores

CONNECT_SECONDS = 2.5
SEARCH_SECONDS = 1.5
RESTORE_SECONDS = 2.0
SLACK_SECONDS = 4.0
"""Seconds that a recording may take beyond its length: devices buffer, and report late that they have finished."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AudioClip:
    """An MP3, its length in seconds, and the title that a display shows meanwhile."""

    mp3: bytes
    seconds: float
    title: str


@dataclass(frozen=True, slots=True)
class PlaybackContext:
    """The settings and services shared by all devices that play one alert.

    ``volume`` is that of the announcement, None to leave it unchanged. A device must begin to play by ``begin_by``.
    ``find_again`` searches for a device that is not at its last address; ``report`` is called with each step.
    """

    server: FileServer
    pending: PendingRestores
    known: KnownDevices
    volume: float | None
    begin_by: Deadline
    find_again: Callable[[Device, float], Device]
    report: Callable[[str], None]


def time_limit(clip: AudioClip, context: PlaybackContext) -> float:
    """Return the seconds after which a device that has not finished ``clip`` counts as hanging."""
    return context.begin_by.left() + clip.seconds + SLACK_SECONDS + 4 * RESTORE_SECONDS


def play_on(device: Device, clip: AudioClip, context: PlaybackContext) -> None:
    """Play ``clip`` on ``device``. Returns when it was played to its end; raises PluginError if not.

    The volume is set after the player has replaced what played before, so that music does not become loud.
    """
    with _connected(device, context) as (session, device):
        before = session.loudness
        app = None
        try:
            app = session.launch(context.begin_by.left())
            _require_audible(device, _set_volume(session, device, context, before))
            _play(session, clip, context)
            context.known.remember(device, session.identity)
        finally:
            _restore_or_log(session, device, context.pending, app)


@contextlib.contextmanager
def _connected(device: Device, context: PlaybackContext) -> Iterator[tuple[CastSession, Device]]:
    """Connect to ``device`` at its last address or, if that fails, at a new one. Yields the session and the device."""
    with contextlib.ExitStack() as stack:
        try:
            session = stack.enter_context(connect(device, context.begin_by.left(CONNECT_SECONDS), context.known))
        except PluginError:
            moved = context.find_again(device, context.begin_by.left(SEARCH_SECONDS)) if device.uuid else device
            if moved.addresses == device.addresses:
                raise
            log.info("%s is at %s now", device.name, moved.address)
            session = stack.enter_context(connect(moved, context.begin_by.left(CONNECT_SECONDS), context.known))
            device = moved
        yield session, device


def _set_volume(
    session: CastSession, device: Device, context: PlaybackContext, before: Loudness | None
) -> Loudness | None:
    """Set the announcement's volume and lift muting, after recording what it was. Returns the volume it will have."""
    if context.volume is None or before is None:
        return before
    wanted = Loudness(context.volume, muted=False)
    context.pending.add(device, before)
    try:
        session.set_loudness(wanted)
    except PluginError as error:
        log.warning("%s speaks at volume %s: %s", device.name, before, error.message)
        return before
    return wanted


def _require_audible(device: Device, loudness: Loudness | None) -> None:
    """Raise PluginError for a volume of 0: no one would hear the announcement, and a fallback has to make it."""
    if loudness is not None and (loudness.muted or loudness.level <= 0):
        raise PluginError(f"{device.name} is silent, at volume {loudness}", "set [plugins.google_home] volume")


def _play(session: CastSession, clip: AudioClip, context: PlaybackContext) -> None:
    fetched = partial(context.report, "fetched")
    offer = context.server.offer(session.local_address, clip.mp3, fetched, listener=session.host)
    session.load(offer.url, clip.title)
    try:
        session.wait_for_playing(context.begin_by.left())
    except PluginError as error:
        raise (error if session.lost else _explained(error, offer)) from None
    offer.sent()  # the server may learn later than the player that all of it has arrived
    context.report("playing")
    session.wait_for_the_end(clip.seconds + SLACK_SECONDS)
    context.report("finished")


def _explained(error: PluginError, offer: Offer) -> PluginError:
    """Add the likely reason why the recording was never requested: a firewall."""
    if offer.requested:
        return error
    hint = f"does a firewall keep it from {offer.origin}? See serve_ports in [plugins.google_home]"
    return PluginError(f"{error.message}; it never asked for the recording", hint)


def _restore_or_log(session: CastSession, device: Device, pending: PendingRestores, app: App | None) -> None:
    """Restore volume and app, on this connection or on a new one if it was lost. A failed volume is retried later."""
    try:
        restore(session, device, pending, app)
    except PluginError as error:
        failure = error if not session.lost else _restore_on_new_connection(device, pending, app)
        if failure is not None:
            log.warning("%s was not restored: %s", device.name, failure.message)


def _restore_on_new_connection(device: Device, pending: PendingRestores, app: App | None) -> PluginError | None:
    try:
        with connect(device, RESTORE_SECONDS) as session:
            restore(session, device, pending, app)
    except PluginError as error:
        return error
    return None


def restore(session: CastSession, device: Device, pending: PendingRestores, app: App | None = None) -> None:
    """Restore the volume of ``device`` if that is pending, and end ``app`` if we started it. Raises PluginError."""
    try:
        for entry in pending.open():
            if entry.device.key == device.key:
                session.set_loudness(entry.loudness)
                pending.remove(device)
    finally:
        if app is not None and app.ours:
            session.stop(app)


class Attempt:
    """``work`` for one device, on its own thread, begun at once.

    Example::

        attempts = [Attempt(device, partial(play_on, device, clip, context)) for device in devices]
        errors = [attempt.error(Deadline(20.0)) for attempt in attempts]
    """

    def __init__(self, device: Device, work: Callable[[], None]) -> None:
        """Start the thread."""
        self._device, self._work = device, work
        self._error: PluginError | None = None
        self._thread = threading.Thread(target=self._run, name=f"google_home-{device.name}", daemon=True)
        self._thread.start()

    def error(self, until: Deadline) -> PluginError | None:
        """Wait for the end and return the failure, if any. A thread still running at ``until`` is abandoned."""
        self._thread.join(until.left())
        if self._thread.is_alive():
            return PluginError(f"{self._device.name} hangs", "switch it off and on again")
        return self._error

    def _run(self) -> None:
        try:
            self._work()
        except PluginError as error:
            self._error = error
        except Exception as error:
            log.exception("unexpected error while speaking through %s", self._device.name)
            self._error = PluginError(f"{self._device.name}: {type(error).__name__}: {error}")


def raise_unless_delivered(errors: Sequence[PluginError | None], *, by_all: bool) -> None:
    """Raise PluginError unless one device, or each with ``by_all``, delivered; other failures are logged."""
    failures = [error for error in errors if error is not None]
    if not failures:
        return
    if len(failures) == len(errors) or by_all:
        hint = next((error.hint for error in failures if error.hint), None)
        raise PluginError("; ".join(error.message for error in failures), hint)
    for error in failures:
        log.warning("spoken elsewhere, but %s", error.message)
