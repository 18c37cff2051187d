"""List every verb of the page, and make the socket that answers them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from facesecure.app.web_api.guard import Guard, NoSessions, Sessions
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.server import serve_page
from facesecure.app.web_api.verb import Verb
from facesecure.app.web_api.verbs import (
    accounts,
    arming,
    audit,
    cameras,
    drill,
    enrolment,
    health,
    live,
    now,
    page,
    passkeys,
    people,
    push,
    session,
    settings,
    timeline,
    visit,
    visitors,
    zones,
)

SCREENS: tuple[Iterable[Verb[Any]], ...] = (
    accounts.VERBS,
    arming.VERBS,
    audit.VERBS,
    cameras.VERBS,
    drill.VERBS,
    enrolment.VERBS,
    health.VERBS,
    live.VERBS,
    now.VERBS,
    page.VERBS,
    passkeys.VERBS,
    people.VERBS,
    push.VERBS,
    session.VERBS,
    settings.VERBS,
    timeline.VERBS,
    visit.VERBS,
    visitors.VERBS,
    zones.VERBS,
)
"""The verbs of each screen; a module of ``verbs`` that is not named here is not answered."""


def all_verbs(*screens: Iterable[Verb[Any]]) -> dict[str, Verb[Any]]:
    """Return the verbs of ``screens``, by default of all, by name. Raises ValueError if two have the same name."""
    verbs: dict[str, Verb[Any]] = {}
    for verb in (verb for screen in screens or SCREENS for verb in screen):
        if verb.name in verbs:
            raise ValueError(f"two verbs are called {verb.name}")
        verbs[verb.name] = verb
    return verbs


def build_page(parts: WebParts, sessions: Sessions | None = None) -> AbstractContextManager[None]:
    """Return a context manager that answers the page while its block runs, if the configuration says so.

    Example::

        with build_page(parts, sessions):
            daemon.watch()
    """
    if not parts.config.web.enabled:
        return nullcontext()
    return serve_page(Guard(all_verbs(), parts, sessions or NoSessions()), parts.state_dir)
