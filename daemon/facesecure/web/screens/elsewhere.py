"""One visit at another door of the household, as that door tells of it, and its picture if somebody asks for it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web import visits
from facesecure.web.request import language_of, redirect, render
from facesecure.web.screens.timeline import found, identifier, picture


async def show(request: Request) -> Response:
    """Show the visit."""
    return render(request, "elsewhere.html", await _shown(request))


async def show_picture(request: Request) -> Response:
    """Show how it stands with the picture, for a page that waits for it."""
    return render(request, "elsewhere_picture.html", await _shown(request))


async def ask_for_picture(request: Request) -> Response:
    """Ask that door for the picture."""
    await found(request, "picture-elsewhere-ask", {"visit": identifier(request)})
    return redirect(request, f"/elsewhere/{identifier(request)}")


async def send_picture(request: Request) -> Response:
    """Send the picture that came."""
    return await picture(request, "picture-elsewhere", {"visit": identifier(request)})


async def _shown(request: Request) -> dict[str, Any]:
    visit = (await found(request, "visit-elsewhere", {"visit": identifier(request)})).result
    return {
        "visit": visit,
        "title": visits.who(visit, language_of(request)),
        "colour": visits.colour(visit),
        "length": visits.duration(visit),
    }


ROUTES = [
    Route("/elsewhere/{identifier}", show),
    Route("/elsewhere/{identifier}/picture", show_picture),
    Route("/elsewhere/{identifier}/picture", ask_for_picture, methods=["POST"]),
    Route("/elsewhere/{identifier}/picture.jpg", send_picture),
]
