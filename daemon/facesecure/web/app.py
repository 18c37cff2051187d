"""Put the page together: its screens, its errors, and the checks before them."""

from __future__ import annotations

from types import ModuleType

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from facesecure.web import static
from facesecure.web.daemon import Daemon
from facesecure.web.errors import HANDLERS
from facesecure.web.language import Catalogues
from facesecure.web.limits import BodyLimits, HeadLimits
from facesecure.web.navigation import reachable
from facesecure.web.page import Page
from facesecure.web.screens import (
    accounts,
    arm,
    audit,
    cameras,
    drill,
    elsewhere,
    enrol,
    events,
    health,
    install,
    live,
    more,
    now,
    passkeys,
    people,
    push,
    sign_in,
    timeline,
    visit,
    who,
    zones,
)
from facesecure.web.screens import authority as authority_screen
from facesecure.web.screens import settings as settings_screen
from facesecure.web.security import Headers, KnownHosts, OwnOrigin, TrustedProxies
from facesecure.web.settings import CurrentSettings
from facesecure.web.templating import make_templates

SCREENS: tuple[ModuleType, ...] = (
    authority_screen,
    events,
    install,
    now,
    timeline,
    visit,
    elsewhere,
    who,
    people,
    enrol,
    live,
    zones,
    drill,
    arm,
    health,
    settings_screen,
    cameras,
    accounts,
    passkeys,
    push,
    audit,
    sign_in,
    more,
)
"""The modules of the screens: each has ``ROUTES``, and may have ``DONE``, what its redirects report."""


def build_app(daemon: Daemon, settings: CurrentSettings, authority: bytes | None = None) -> Starlette:
    """Return the application; ``authority`` is the certificate (DER) that it offers to phones.

    Example: ``build_app(Daemon([path]), CurrentSettings())``.
    """
    routes = [*static.ROUTES, *(route for screen in SCREENS for route in screen.ROUTES)]
    app = Starlette(
        routes=routes,
        exception_handlers=HANDLERS,
        middleware=[
            Middleware(Headers),
            Middleware(HeadLimits),
            Middleware(TrustedProxies, settings=settings),
            Middleware(KnownHosts, settings=settings),
            Middleware(OwnOrigin),
            Middleware(BodyLimits),
        ],
    )
    app.state.page = Page(
        daemon=daemon,
        settings=settings,
        templates=make_templates(),
        catalogues=Catalogues(),
        places=reachable(route.path for route in routes if isinstance(route, Route)),
        done={key: text for screen in SCREENS for key, text in getattr(screen, "DONE", {}).items()},
        authority=authority,
    )
    return app
