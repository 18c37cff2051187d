"""The modes of a household."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """The mode of the household, which decides on alerts."""

    HOME = "home"
    AWAY = "away"
    OFF = "off"
    """Disarmed: no visitor is announced."""

    @property
    def words(self) -> str:
        """The mode as in "watching, armed away"."""
        return "disarmed" if self is Mode.OFF else f"armed {self.value}"

    @property
    def strictness(self) -> int:
        """A number that is higher the stricter the mode is: off, home, away."""
        return (Mode.OFF, Mode.HOME, Mode.AWAY).index(self)
