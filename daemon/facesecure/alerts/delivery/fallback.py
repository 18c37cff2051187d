"""The channels that an alert goes to, and the chain of fallbacks of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from facesecure.alerts.delivery.delivery import ChainLink
from facesecure.config.alerts import fallback_cycle

if TYPE_CHECKING:
    from facesecure.domain import Alert


class FallbackRouter:
    """Route alerts through the plugins in use and their fallbacks.

    Example::

        router = FallbackRouter({"google_home": "speaker"})
        router.links = {"google_home": google_home.link, "speaker": speaker.link}
        router.chain("google_home", alert)  # google_home, then speaker
    """

    def __init__(self, fallback: Mapping[str, str] | None = None) -> None:
        """``fallback`` maps a plugin's name to the one to try if it fails. Raises ValueError if it has a circle."""
        self.links: dict[str, ChainLink] = {}
        self._fallback = dict(fallback or {})
        if circle := fallback_cycle(self._fallback):
            raise ValueError(f"fallbacks go round in a circle: {' > '.join(circle)}")

    def primary(self, alert: Alert) -> list[str]:
        """Return the plugins that ``alert`` is for: those it names, or all that have receivers, save mere fallbacks."""
        if alert.channels is not None:
            return list(dict.fromkeys(alert.channels))
        fallbacks = {after for name in self.links for after in self._after(name)}
        return [name for name, link in self.links.items() if name not in fallbacks and link.has_receivers()]

    def chain(self, head: str, alert: Alert) -> list[ChainLink]:
        """Return ``head`` and its fallbacks that are in use, without those that ``alert`` goes to in any case."""
        others = set(self.primary(alert)) - {head}
        names = [head, *self._after(head)]
        return [self.links[name] for name in names if name in self.links and name not in others]

    def without_fallback(self) -> list[tuple[str, str]]:
        """Return the plugins in use whose fallbacks are not, each with its first fallback."""
        pairs = [(name, self._fallback[name]) for name in self.links if name in self._fallback]
        return [(name, after) for name, after in pairs if not any(a in self.links for a in self._after(name))]

    def _after(self, name: str) -> Iterator[str]:
        while name in self._fallback:
            name = self._fallback[name]
            yield name
