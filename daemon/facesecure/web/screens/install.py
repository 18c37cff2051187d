"""What a phone needs to install the page as an app."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from facesecure.web.request import language_of
from facesecure.web.static import static

_GROUND = "#f5f6f4"


async def manifest(request: Request) -> Response:
    """Describe the app: its name, its icons, and how it opens."""
    language = language_of(request)
    document = {
        "id": "/",
        "name": "facesecure",
        "short_name": "facesecure",
        "description": language("Who is at the door"),
        "lang": language.code,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": _GROUND,
        "theme_color": _GROUND,
        "icons": [
            _icon("icon.svg", "any", "image/svg+xml"),
            _icon("icon-192.png", "192x192"),
            _icon("icon-512.png", "512x512"),
            {**_icon("icon-512-maskable.png", "512x512"), "purpose": "maskable"},
        ],
        "shortcuts": [
            {"name": language("Live"), "url": "/live"},
            {"name": language("Timeline"), "url": "/timeline"},
        ],
    }
    return JSONResponse(document, media_type="application/manifest+json", headers={"Cache-Control": "no-cache"})


def _icon(name: str, sizes: str, kind: str = "image/png") -> dict[str, str]:
    return {"src": static(name), "sizes": sizes, "type": kind}


ROUTES = [Route("/manifest.webmanifest", manifest)]
