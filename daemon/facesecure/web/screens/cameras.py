"""Add a camera: its name and address, a picture of it, and only then the settings."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.request import ask, redirect, render
from facesecure.web.screens.settings import done_of

DONE = {
    "camera-saved": "The camera was added, and is in use.",
    "camera-rejected": "facesecure did not start with this camera: it was taken back.",
    "camera-later": "The camera was added. It is used after the next start of facesecure.",
    "camera-same": "Nothing was changed.",
}
_LONGEST = 1000
_EMPTY = {"name": "", "source": "", "detect": "", "transport": "tcp"}


async def new(request: Request) -> Response:
    """Ask for the name and the address, once the password was given."""
    await ask(request, "camera-new")
    return _form(request, _EMPTY)


async def try_out(request: Request) -> Response:
    """Show a picture of the camera, or what is wrong with it."""
    form = await request.form()
    typed = {key: str(form.get(key, ""))[:_LONGEST] for key in _EMPTY}
    typed["transport"] = "udp" if typed["transport"] == "udp" else "tcp"
    answer = await ask(request, "camera-try", typed)
    found = answer.result
    if found["trial"] is None:
        problems = {one["key"]: one["text"] for one in found["problems"]}
        return _form(request, {**_EMPTY, **found["typed"]}, problems, found["failure"])
    picture = "data:image/jpeg;base64," + b64encode(answer.body).decode()
    return render(request, "cameras_trial.html", {**found, "picture": picture})


async def add(request: Request) -> Response:
    """Add the camera that was tried."""
    form = await request.form()
    asked = {key: str(form.get(key, ""))[:32] for key in ("trial", "revision")}
    answer = (await ask(request, "camera-add", asked)).result
    if answer["problems"]:
        return _form(request, _EMPTY, {"name": "; ".join(one["text"] for one in answer["problems"])})
    done = await done_of(request, answer, "settings-state")
    return redirect(request, "/settings" if done == "rejected" else "/live", done=f"camera-{done}")


def _form(
    request: Request,
    typed: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    failure: Mapping[str, Any] | None = None,
) -> Response:
    values = {"typed": typed, "problems": problems or {}, "failure": failure}
    return render(request, "cameras_new.html", values, status=400 if problems or failure else 200)


ROUTES = [
    Route("/cameras/new", new),
    Route("/cameras/new", try_out, methods=["POST"]),
    Route("/cameras/add", add, methods=["POST"]),
]
