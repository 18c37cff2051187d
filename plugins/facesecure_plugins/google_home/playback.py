"""One alert on one device: found, connected, louder, played to the end, and everything put back."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.device import Device, Loudness
from facesecure_plugins.google_home.media_server import FileServer, Offer
from facesecure_plugins.google_home.session import App, CastSession, connect
from facesecure_plugins.google_home.volume import PendingRestores

CONNECT_SECONDS = 2.5
SEARCH_SECONDS = 1.5
PUT_BACK_SECONDS = 2.0
SLACK_SECONDS = 4.0
"""How much longer than its length a recording may take: devices buffer, and say late that they have finished."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AudioClip:
    """What is to be played: an MP3, how many seconds it takes, and what a display shows meanwhile."""

    mp3: bytes
    seconds: float
    title: str


@dataclass(frozen=True, slots=True)
class PlaybackContext:
    """What all announcements of one alert share. ``volume`` None leaves it as it is.

    ``playing`` is when a device must have begun. ``look_again`` finds a device that is not where it was.
    """

    server: FileServer
    debts: PendingRestores
    volume: float | None
    playing: Deadline
    look_again: Callable[[Device, float], Device]
    tell: Callable[[str], None]


def longest(clip: AudioClip, means: PlaybackContext) -> float:
    """Seconds after which an announcement that has not ended is not going to."""
    return means.playing.left() + clip.seconds + SLACK_SECONDS + 4 * PUT_BACK_SECONDS


def announce(clip: AudioClip, device: Device, means: PlaybackContext) -> None:
    """Play ``clip`` on ``device``. Returns when it was played to its end; raises PluginError if not.

    The volume is set when the player has taken the place of what played before, so that music does not become loud.
    """
    with _reached(device, means) as (cast, device):
        before = cast.loudness
        app = None
        try:
            app = cast.launch(means.playing.left())
            _make_heard(cast, device, means, before)
            _play(cast, clip, means)
        finally:
            _put_back(cast, device, means.debts, app)


@contextlib.contextmanager
def _reached(device: Device, means: PlaybackContext) -> Iterator[tuple[CastSession, Device]]:
    """A conversation with ``device`` where it was, or, if nobody answers there, where it is now; and where it is."""
    with contextlib.ExitStack() as stack:
        try:
            cast = stack.enter_context(connect(device, means.playing.left(CONNECT_SECONDS)))
        except PluginError:
            moved = means.look_again(device, means.playing.left(SEARCH_SECONDS)) if device.uuid else device
            if moved.addresses == device.addresses:
                raise
            log.info("%s is at %s now", device.name, moved.address)
            cast = stack.enter_context(connect(moved, means.playing.left(CONNECT_SECONDS)))
            device = moved
        yield cast, device


def _make_heard(cast: CastSession, device: Device, means: PlaybackContext, before: Loudness | None) -> None:
    """The announcement's volume, and no muting. What it was is noted first."""
    if means.volume is None or before is None:
        return
    wanted = Loudness(means.volume, muted=False)
    means.debts.add(device, before)
    try:
        cast.set_loudness(wanted)
    except PluginError as error:
        log.warning("%s speaks at volume %s: %s", device.name, before, error.message)


def _play(cast: CastSession, clip: AudioClip, means: PlaybackContext) -> None:
    offer = means.server.offer(cast.local_address, clip.mp3, lambda: means.tell("fetched"))
    cast.load(offer.url, clip.title)
    try:
        cast.wait_for_playing(means.playing.left())
    except PluginError as error:
        raise (error if cast.lost else _explained(error, offer)) from None
    offer.sent()  # it must have been; the server may learn later than the player that all of it arrived
    means.tell("playing")
    cast.wait_for_the_end(clip.seconds + SLACK_SECONDS)
    means.tell("finished")


def _explained(error: PluginError, offer: Offer) -> PluginError:
    """The likeliest reason by far for what nobody asked for is a firewall."""
    if offer.asked_for:
        return error
    hint = f"does a firewall keep it from {offer.origin}? See serve_ports in [plugins.google_home]"
    return PluginError(f"{error.message}; it never asked for the recording", hint)


def _put_back(cast: CastSession, device: Device, debts: PendingRestores, app: App | None) -> None:
    """Volume and app as they were: on this connection, or a new one if it broke. A volume that fails is tried later."""
    try:
        settle(cast, device, debts, app)
    except PluginError as error:
        trouble = error if not cast.lost else _put_back_anew(device, debts, app)
        if trouble is not None:
            log.warning("%s was not left as it was found: %s", device.name, trouble.message)


def _put_back_anew(device: Device, debts: PendingRestores, app: App | None) -> PluginError | None:
    try:
        with connect(device, PUT_BACK_SECONDS) as cast:
            settle(cast, device, debts, app)
    except PluginError as error:
        return error
    return None


def settle(cast: CastSession, device: Device, debts: PendingRestores, app: App | None = None) -> None:
    """Set the volume of ``device`` back if that is owed, and end ``app`` if we started it. Raises PluginError."""
    try:
        for debt in debts.open():
            if debt.device.key == device.key:
                cast.set_loudness(debt.loudness)
                debts.remove(device)
    finally:
        if app is not None and app.ours:
            cast.stop(app)


log = logging.getLogger(__name__)


class Attempt:
    """``work`` for one device, begun at once."""

    def __init__(self, device: Device, work: Callable[[], None]) -> None:
        self._device, self._work = device, work
        self._error: PluginError | None = None
        self._thread = threading.Thread(target=self._run, name=f"google_home-{device.name}", daemon=True)
        self._thread.start()

    def error(self, until: Deadline) -> PluginError | None:
        """Why it failed, or None if it did not. One that has not ended ``until`` then is left behind."""
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
            log.exception("a bug while speaking through %s", self._device.name)
            self._error = PluginError(f"{self._device.name}: {type(error).__name__}: {error}")


def judge(errors: Sequence[PluginError | None], *, everybody: bool) -> None:
    """Raises PluginError unless one device, or with ``everybody`` each, delivered; failures that may be are logged."""
    failures = [error for error in errors if error is not None]
    if not failures:
        return
    if len(failures) == len(errors) or everybody:
        hint = next((error.hint for error in failures if error.hint), None)
        raise PluginError("; ".join(error.message for error in failures), hint)
    for error in failures:
        log.warning("spoken elsewhere, but %s", error.message)
