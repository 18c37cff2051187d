"""The section [alerts]: which plugin takes over where another fails."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, field_validator

from facesecure.config.base import Section


class AlertsConfig(Section):
    """How alerts are delivered."""

    fallback: dict[str, str] = Field(
        default_factory=lambda: {"google_home": "speaker"},
        description="the plugin that takes over at once if another fails, hangs or is missing; a plugin that is only "
        "a fallback of an enabled one receives no other alerts",
    )

    @field_validator("fallback")
    @classmethod
    def _fallback_ends(cls, fallback: dict[str, str]) -> dict[str, str]:
        if cycle := fallback_cycle(fallback):
            raise ValueError(f"the fallbacks form a circle: {' > '.join(cycle)}")
        return fallback


def fallback_cycle(fallback: Mapping[str, str]) -> list[str]:
    """Return the names of a cycle in ``fallback``, with the first repeated at the end; empty if there is none."""
    for start in fallback:
        path = [start]
        while path[-1] in fallback:
            path.append(fallback[path[-1]])
            if path[-1] in path[:-1]:
                return path[path.index(path[-1]) :]
    return []
