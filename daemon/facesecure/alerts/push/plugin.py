"""The channel ``push``: every alert to each browser that has subscribed on the page."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.alerts.push.message import message_of, urgency
from facesecure.alerts.push.sending import Outcome, Sender
from facesecure.domain import Alert
from facesecure.domain.errors import FacesecureError, PluginError, StoreError
from facesecure.domain.push import PushSubscription
from facesecure.storage.push_subscriptions import PushSubscriptions

EXPIRES = 6 * 3600.0
AT_ONCE = 4
SECONDS = 24.0
"""How long one attempt takes at most, for all browsers; what is left is sent by the next."""
MOST_FAILURES = 50
"""Attempts in a row after which a browser is given up: four hours of them, in which its push service never worked."""
_REMEMBERED = 256
_SEEN_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """``contact`` and ``private``: see ``Sender``. ``signed_in_days``: an unused session gets nothing after these."""

    contact: str
    private: bool
    signed_in_days: float
    places: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whether there were ``any`` browsers, ``at`` a time (monotonic) and a revision of the accounts."""

    revision: int = -1
    at: float = 0.0
    any: bool = False


class PushPlugin:
    """Sends every alert to the subscribed browsers. While there is none it takes no part.

    Example::

        PushPlugin(store.page.push, settings, on_removed=record).send(alert)
    """

    def __init__(
        self,
        subscriptions: PushSubscriptions,
        settings: PushSettings,
        on_removed: Callable[[PushSubscription], None] = lambda _: None,
        make_sender: Callable[[bytes], Sender] | None = None,
    ) -> None:
        """``on_removed`` is called with each browser that was given up; ``make_sender`` is a test's."""
        self.config = PluginConfig(expires=EXPIRES)
        self._subscriptions, self._settings, self._on_removed = subscriptions, settings, on_removed
        self._make_sender = make_sender or partial(Sender, contact=settings.contact, private=settings.private)
        self._reached: OrderedDict[str, set[str]] = OrderedDict()
        """The browsers that each of the latest alerts has reached: a second attempt leaves them out."""
        self._failures: Counter[str] = Counter()
        self._seen = _Seen()

    def has_receivers(self) -> bool:
        """Return whether any browser is subscribed; cheap while nobody changes that."""
        try:
            revision, now = self._subscriptions.revision(), time.monotonic()
            if revision != self._seen.revision or now - self._seen.at > _SEEN_SECONDS:
                self._seen = _Seen(revision, now, bool(self._receivers()))
        except StoreError:
            return True  # an attempt is made, and says what is wrong
        return self._seen.any

    def send(self, alert: Alert) -> None:
        """Send ``alert`` to every browser that it has not reached. Raises PluginError for those that failed."""
        receivers = self._receivers()
        if not receivers:
            raise PluginError("no browser has subscribed", "on the page: More > Notifications > Notify this browser")
        reached = self._reached_by(alert.identifier)
        left = [one for one in receivers if one.identifier not in reached]
        left.sort(key=lambda one: self._failures[one.identifier])  # who hangs keeps nobody else waiting
        sender = self._make_sender(self._subscriptions.key())
        failures = _in_parallel([partial(self._send_to, sender, one, alert, reached) for one in left], SECONDS)
        if failures:
            raise PluginError("; ".join(dict.fromkeys(failures)), "the browsers that it reached are not told again")

    def _receivers(self) -> list[PushSubscription]:
        oldest = datetime.now(UTC) - timedelta(days=self._settings.signed_in_days)
        return [one for one in self._subscriptions.all() if one.used_at >= oldest]

    def _send_to(self, sender: Sender, to: PushSubscription, alert: Alert, reached: set[str]) -> str:
        """Send to one browser; return what went wrong, "" if nothing did."""
        ttl = round(EXPIRES - (datetime.now(UTC) - alert.created_at).total_seconds())
        message = message_of(alert, self._place(alert), to.role, to.language or self._settings.language)
        try:
            outcome = sender.send(to, message, min(max(0, ttl), round(EXPIRES)), urgency(alert))
        except PluginError as error:
            return self._failed(to, error)
        if outcome is Outcome.GONE:
            self._give_up(to, "does not want to be notified any more")
        self._failures.pop(to.identifier, None)
        reached.add(to.identifier)
        return ""

    def _failed(self, to: PushSubscription, error: PluginError) -> str:
        self._failures[to.identifier] += 1
        if self._failures[to.identifier] < MOST_FAILURES:
            return error.message
        self._give_up(to, f"could not be notified {MOST_FAILURES} times: {error.message}")
        return ""

    def _give_up(self, to: PushSubscription, why: str) -> None:
        log.warning("%s of %s %s", to.device or "a browser", to.account, why)
        try:
            if self._subscriptions.remove(to.identifier):
                self._on_removed(to)
        except FacesecureError as error:
            log.warning("its subscription at %s stays: %s", urlsplit(to.endpoint).hostname, error)

    def _place(self, alert: Alert) -> str:
        """Return the camera that saw the visit; of one alone, its name."""
        places = self._settings.places
        return alert.sighting.source if alert.sighting and len(places) > 1 else places[0]

    def _reached_by(self, identifier: str) -> set[str]:
        reached = self._reached.setdefault(identifier, set())
        while len(self._reached) > _REMEMBERED:
            self._reached.popitem(last=False)
        return reached


def _in_parallel(works: Sequence[Callable[[], str]], seconds: float) -> list[str]:
    """Run ``works`` on a few threads and return what they report, without ""; those that take too long count as such.

    The threads do not keep the process alive: a name that is looked up cannot be interrupted.
    """
    waiting: queue.SimpleQueue[Callable[[], str]] = queue.SimpleQueue()
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                one = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(one())
            except Exception as error:  # noqa: BLE001 - of one browser; the others are still to be sent to
                done.put(f"{type(error).__name__}: {error}")

    for one in works:
        waiting.put(one)
    for number in range(min(AT_ONCE, len(works))):
        threading.Thread(target=work, name=f"push-{number}", daemon=True).start()
    deadline, reports = time.monotonic() + seconds, list[str]()
    for _ in works:
        try:
            reports.append(done.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            stop.set()
            return [*filter(None, reports), "a push service takes too long"]
    return [one for one in reports if one]
