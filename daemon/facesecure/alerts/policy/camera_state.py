"""What to say of a camera that has troubles: each at once, and that it is back only when it has stayed so for a while.

A camera that comes and goes would otherwise talk all night. Never the other way round: whoever was told last that the
camera works may rely on being told when it does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BACK = "back"
_LATELY = 3600.0
"""Seconds within which troubles count as flapping."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """What the household believes of the camera, and what is so. Times are steady seconds.

    ``believed``: the trouble it was told of last and not told the end of. ``troubles``: which were told lately, and
    when. ``muted``: that telling reached hardly anybody, as it was disarmed. ``held``: what was not told since.
    """

    last_notified: str = ""
    works_since: float | None = None
    troubles: tuple[tuple[str, float], ...] = ()
    silenced: bool = False
    held: int = 0

    def trouble(self, what: str, now: float, cooldown: float) -> tuple[CameraState, bool]:
        """``what`` befell it; returns the story so far and whether to tell."""
        lately = any(told == what and 0 <= now - at < cooldown for told, at in self.troubles)
        if self.last_notified and lately:
            return replace(self, works_since=None, held=self.held + 1), False
        troubles = (*((told, at) for told, at in self.troubles if now - at < _LATELY), (what, now))
        return CameraState(what, None, troubles, held=self.held), True

    def works(self, now: float) -> CameraState:
        """It works again, as far as one can see."""
        if not self.last_notified or self.works_since is not None:
            return self
        return replace(self, works_since=now)

    def settled(self, now: float, settle: float, cooldown: float) -> bool:
        """Whether it has worked for long enough to say so: for ``settle``, twice that after the second trouble, ..."""
        if self.works_since is None:
            return False
        often = sum(now - at < _LATELY for _, at in self.troubles)
        wait = min(settle * 2.0 ** max(0, often - 1), max(settle, cooldown))
        return bool(now - self.works_since >= wait)

    def notified_back(self) -> CameraState:
        return CameraState(troubles=self.troubles)

    @property
    def unheard(self) -> bool:
        """It is in trouble, and hardly anybody was told."""
        return bool(self.last_notified) and self.silenced and self.works_since is None
