"""Now: the state of the house, and the buttons that arm it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.request import ask, render


async def show(request: Request) -> Response:
    """Show the state."""
    answer = await ask(request, "now")
    return render(request, "now.html", answer.result)


ROUTES = [Route("/", show)]
