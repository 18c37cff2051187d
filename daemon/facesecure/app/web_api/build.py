"""List every verb of the page, and make the socket that answers them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from facesecure.app.web_api.verb import Verb


def all_verbs(*screens: Iterable[Verb[Any]]) -> dict[str, Verb[Any]]:
    """Return the verbs of ``screens`` by name. Raises ValueError if two have the same name."""
    verbs: dict[str, Verb[Any]] = {}
    for verb in (verb for screen in screens for verb in screen):
        if verb.name in verbs:
            raise ValueError(f"two verbs are called {verb.name}")
        verbs[verb.name] = verb
    return verbs
