"""Notifications: subscribe this browser to Web Push, and the service worker that shows what is pushed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.request import ask, redirect, render
from facesecure.web.static import content

PATH = "/push"
DONE = {
    "push-on": "This browser is notified from now on.",
    "push-off": "That browser is notified no longer.",
}
_LONGEST = {"endpoint": 1000, "p256dh": 100, "auth": 40}


async def show(request: Request) -> Response:
    """Show whether this browser is notified, and which others are."""
    found: dict[str, Any] = (await ask(request, "push")).result
    others = [one for one in found["browsers"] if not one["this"]]
    mine = next((one for one in found["browsers"] if one["this"]), None)
    return render(request, "push.html", {**found, "mine": mine, "others": others})


async def subscribe(request: Request) -> Response:
    """Keep where this browser is notified."""
    form = await request.form()
    asked = {name: str(form.get(name, ""))[: most + 1] for name, most in _LONGEST.items()}
    await ask(request, "push-subscribe", asked)
    return redirect(request, PATH, done="push-on")


async def unsubscribe(request: Request) -> Response:
    """Notify a browser no longer."""
    form = await request.form()
    await ask(request, "push-unsubscribe", {"identifier": str(form.get("identifier", ""))[:64]})
    return redirect(request, PATH, done="push-off")


async def worker(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
    """Send the service worker. It lies at the root, because it opens any page; browsers ask for it anew each time."""
    return Response(content("worker.js"), media_type="text/javascript; charset=utf-8")


ROUTES = [
    Route(PATH, show),
    Route(PATH, subscribe, methods=["POST"]),
    Route(f"{PATH}/remove", unsubscribe, methods=["POST"]),
    Route("/worker.js", worker),
]
