"""Count the changes of what the page shows, so that a page can wait for the next one instead of asking again and again.

Whoever changes something calls ``ChangeFeed.bump`` with its topic; that never waits for those who follow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

LOOK_EVERY = 2.0
"""Seconds between two looks at what nobody tells of."""


def _go_on() -> bool:
    """Return that somebody waits."""
    return False


class Topic(StrEnum):
    """What a page may show, and therefore wait for a change of."""

    VISITS = "visits"  # a sighting began, changed, ended or was corrected
    MODE = "mode"  # the house was armed or disarmed
    TROUBLES = "troubles"  # a camera was lost or came back, or something is wrong with facesecure
    DELIVERIES = "deliveries"  # an alert got further
    DRILL = "drill"  # a drill began, got further or ended
    VISITORS = "visitors"  # a visitor was found, named, merged or forgotten
    PEOPLE = "people"  # a person was enrolled, renamed or removed
    SETTINGS = "settings"  # the configuration was changed
    ACCOUNTS = "accounts"  # an account, a device or a session was


class ChangeFeed:
    """A number for each topic, which grows with each change. Thread-safe.

    The numbers of one run of the daemon are higher than those of the run before, so that none is taken for another.
    Example::

        feed = ChangeFeed()
        feed.bump(Topic.MODE)
        feed.wait({"mode": 1}, 25.0)["mode"]  # returns at once: it is another number now
    """

    def __init__(self, first: int | None = None) -> None:
        """``first``: the number of every topic before its first change; by default the time in milliseconds."""
        start = int(time.time() * 1000) if first is None else first
        self._numbers = dict.fromkeys(Topic, start)
        self._changed = threading.Condition()
        self._closed = False
        self._followers: list[Callable[[Sequence[Topic]], object]] = []

    def follow(self, follower: Callable[[Sequence[Topic]], object]) -> None:
        """Have ``follower`` called with the topics of each change, on the thread that made it: it must not wait."""
        self._followers.append(follower)

    def bump(self, *topics: Topic) -> None:
        """Note that something of ``topics`` has changed."""
        with self._changed:
            for topic in topics:
                self._numbers[topic] += 1
            self._changed.notify_all()
        for follower in self._followers:
            follower(topics)

    def bumper(self, *topics: Topic) -> Callable[[], None]:
        """Return a function that notes a change of ``topics``."""
        return lambda: self.bump(*topics)

    def numbers(self) -> dict[str, int]:
        """Return the number of each topic."""
        with self._changed:
            return {topic.value: number for topic, number in self._numbers.items()}

    def wait(self, since: Mapping[str, int], seconds: float, look: Callable[[], bool] = _go_on) -> dict[str, int]:
        """Return the number of each topic as soon as one of ``since`` is another, at the latest after ``seconds``.

        Topics that are not in ``since`` are not waited for; an empty ``since`` returns at once. ``look`` is called now
        and then meanwhile: it may notice a change, or return that nobody waits any more.
        """

        def due() -> bool:
            return self._closed or not since or any(self._number(topic) != seen for topic, seen in since.items())

        deadline = time.monotonic() + seconds
        while not look():
            left = deadline - time.monotonic()
            with self._changed:
                if self._changed.wait_for(due, max(0.0, min(left, LOOK_EVERY))) or left <= LOOK_EVERY:
                    break
        return self.numbers()

    def close(self) -> None:
        """Let everybody who waits return, now and from now on: the daemon stops."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _number(self, topic: str) -> int | None:
        return self._numbers.get(Topic(topic)) if topic in set(Topic) else None
