"""Put the page together: its screens, its errors, and the checks before them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from facesecure.web import static
from facesecure.web.daemon import Daemon
from facesecure.web.errors import HANDLERS
from facesecure.web.language import Catalogues
from facesecure.web.navigation import reachable
from facesecure.web.page import Page
from facesecure.web.screens import more, now
from facesecure.web.security import Headers, KnownHosts, OwnOrigin, TrustedProxies
from facesecure.web.settings import PageSettings
from facesecure.web.templating import make_templates

SCREENS = (
    now,
    more,
)
"""The modules of the screens: each has ``ROUTES``, and may have ``DONE``, what its redirects report."""


def build_app(daemon: Daemon, settings: PageSettings) -> Starlette:
    """Return the application. Example: ``build_app(Daemon(path), PageSettings())``."""
    routes = [*static.ROUTES, *(route for screen in SCREENS for route in screen.ROUTES)]
    app = Starlette(
        routes=routes,
        exception_handlers=HANDLERS,
        middleware=[
            Middleware(Headers),
            Middleware(TrustedProxies, settings=settings),
            Middleware(KnownHosts, settings=settings),
            Middleware(OwnOrigin),
        ],
    )
    app.state.page = Page(
        daemon=daemon,
        settings=settings,
        templates=make_templates(),
        catalogues=Catalogues(),
        places=reachable(route.path for route in routes if isinstance(route, Route)),
        done={key: text for screen in SCREENS for key, text in getattr(screen, "DONE", {}).items()},
    )
    return app
