"""More: the places that the bar on a phone has no room for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.request import learn_who, render, sign_in_redirect


async def show(request: Request) -> Response:
    """Show the places that the role may go to."""
    who = await learn_who(request)
    return render(request, "more.html") if who.role else sign_in_redirect(request)


ROUTES = [Route("/more", show)]
