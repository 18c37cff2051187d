"""What all requests of the page share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinja2 import Environment
from starlette.requests import HTTPConnection

from facesecure.web.daemon import Daemon
from facesecure.web.language import Catalogues
from facesecure.web.navigation import Place
from facesecure.web.settings import CurrentSettings


@dataclass(slots=True)
class Page:
    """The daemon that is asked, and what answers are shown with.

    ``done``: what a redirect may report, by key. ``authority``: the household's certificate (DER), where it signed
    the page's. ``ending`` is set when the server stops: streams end then.
    """

    daemon: Daemon
    settings: CurrentSettings
    templates: Environment
    catalogues: Catalogues
    places: tuple[Place, ...]
    done: Mapping[str, str]
    authority: bytes | None = None
    ending: asyncio.Event = field(default_factory=asyncio.Event)


def page_of(request: HTTPConnection) -> Page:
    """Return the page that ``request`` came to."""
    page: Page = request.app.state.page
    return page
