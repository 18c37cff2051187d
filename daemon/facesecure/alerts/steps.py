"""How far alerts have come, passed on to everybody who wants to know."""

from __future__ import annotations

from facesecure.alerts.rounds import OnStep
from facesecure.domain import Alert


class Steps:
    """The dispatcher's ``on_step`` where several follow it: each is told of every step, in the order they came."""

    def __init__(self) -> None:
        self._followers: list[OnStep] = []

    def follow(self, follower: OnStep) -> None:
        """Tell ``follower`` too. To be called before the dispatcher starts."""
        self._followers.append(follower)

    def __call__(self, alert: Alert, channel: str, what: str) -> None:
        for follower in self._followers:
            follower(alert, channel, what)
