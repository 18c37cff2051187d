"""Drill: rehearse the alarm at a camera, and see each step as it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.request import ask, away, is_partial, redirect, render

TEXTS = (
    "The stranger was shown",
    "Their face was found",
    "They were judged to be a stranger",
    "It was decided whom to notify",
    "Handed to %(channel)s",
    "Trying %(channel)s",
    "Delivered by %(channel)s",
    "%(channel)s failed",
    "%(channel)s took too long",
)
_STEPS = {
    "shown": (TEXTS[0], "ok"),
    "detected": (TEXTS[1], "ok"),
    "judged": (TEXTS[2], "ok"),
    "policy": (TEXTS[3], "ok"),
    "written": (TEXTS[4], "ok"),
    "attempting": (TEXTS[5], "plain"),
    "delivered": (TEXTS[6], "ok"),
    "failed": (TEXTS[7], "failed"),
    "expired": (TEXTS[8], "failed"),
}


async def show(request: Request) -> Response:
    """Show the latest drill, the last good one, and where another can begin."""
    answer = await ask(request, "drill", {"history": True})
    return render(request, "drill.html", _shown(answer.result))


async def steps(request: Request) -> Response:
    """Show the steps so far, for htmx; once the drill is over, have the page loaded anew."""
    answer = await ask(request, "drill")
    drill = answer.result["drill"]
    if not is_partial(request) or not drill or drill["done"]:
        return away(request, "/drill")
    return render(request, "drill_steps.html", _shown(answer.result))


async def begin(request: Request) -> Response:
    """Begin a drill."""
    form = await request.form()
    await ask(request, "drill-begin", {"camera": str(form.get("camera", ""))[:80]})
    return redirect(request, "/drill")


def _shown(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``result`` with the words of each step, and whether a drill is running."""
    drill = result["drill"]
    listed = [_step(step) for step in drill["steps"]] if drill else []
    return {**result, "listed": listed, "running": bool(drill) and not drill["done"]}


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    text, kind = _STEPS.get(step["what"], (step["what"], "plain"))
    return {**step, "text": text, "kind": kind}


ROUTES = [
    Route("/drill", show),
    Route("/drill/steps", steps),
    Route("/drill", begin, methods=["POST"]),
]
