"""Which channels an alert goes to, and who speaks when one of them cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from facesecure.config.schema import find_circle

if TYPE_CHECKING:
    from facesecure.alerts.delivery.channel import Channel
    from facesecure.domain import Alert


class FallbackRouter:
    """The channels in use and their fallbacks."""

    def __init__(self, channels: Mapping[str, Channel], fallback: Mapping[str, str] | None = None) -> None:
        """``fallback``: for a plugin's name, the one to try where it fails; without a circle in it."""
        self._channels, self._fallback = channels, dict(fallback or {})
        if circle := find_circle(self._fallback):
            raise ValueError(f"fallbacks go round in a circle: {' > '.join(circle)}")
        self._spare = {spare for name in channels for spare in self._after(name)}

    def primary(self, alert: Alert) -> list[str]:
        """The plugins that ``alert`` is for: those it names, or all in use but those that only stand in for others."""
        if alert.channels is not None:
            return list(dict.fromkeys(alert.channels))
        return [name for name in self._channels if name not in self._spare]

    def chain(self, head: str, alert: Alert) -> list[Channel]:
        """``head`` and those after it that are in use. One that ``alert`` names for itself stands in for nobody."""
        others = set(self.primary(alert)) - {head}
        names = [head, *self._after(head)]
        return [self._channels[name] for name in names if name in self._channels and name not in others]

    def without_fallback(self) -> list[tuple[str, str]]:
        """Plugins in use whose fallback is not, with that fallback."""
        pairs = [(name, self._fallback[name]) for name in self._channels if name in self._fallback]
        return [(name, spare) for name, spare in pairs if not any(s in self._channels for s in self._after(name))]

    def _after(self, name: str) -> Iterator[str]:
        while name in self._fallback:
            name = self._fallback[name]
            yield name
