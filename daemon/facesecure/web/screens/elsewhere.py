"""One visit at another door of the household, as that door tells of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web import visits
from facesecure.web.request import language_of, render
from facesecure.web.screens.timeline import found, identifier


async def show(request: Request) -> Response:
    """Show the visit."""
    visit = (await found(request, "visit-elsewhere", {"visit": identifier(request)})).result
    values = {
        "visit": visit,
        "title": visits.who(visit, language_of(request)),
        "colour": visits.colour(visit),
        "length": visits.duration(visit),
    }
    return render(request, "elsewhere.html", values)


ROUTES = [
    Route("/elsewhere/{identifier}", show),
]
