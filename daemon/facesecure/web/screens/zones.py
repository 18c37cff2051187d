"""Masks and zones: drawn on a picture of a camera, tried on the last hour's movement, saved as settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.request import ask, redirect, render
from facesecure.web.restart import restarted

DONE = {
    "zones-saved": "Saved, and in use. Settings can take it back.",
    "zones-rejected": "That did not work and was taken back: Settings says why.",
    "zones-later": "Saved. It holds after the next start of facesecure.",
    "zones-same": "Nothing was changed.",
}


async def show(request: Request) -> Response:
    """Show the cameras to choose from; of a single one its areas at once."""
    answer = await ask(request, "cameras")
    cameras = answer.result["cameras"]
    if len(cameras) == 1:
        return redirect(request, f"/zones/{cameras[0]['camera']}")
    return render(request, "zones.html", answer.result)


async def edit(request: Request) -> Response:
    """Show the areas of a camera, to change them."""
    answer = await ask(request, "zones", {"camera": _camera(request)})
    return render(request, "zones_camera.html", answer.result)


async def try_out(request: Request) -> Response:
    """Say what the areas as they are drawn would have left out, and how the settings would change."""
    answer = await ask(request, "zones-try", {"camera": _camera(request), **_drawn(await request.form())})
    return render(request, "zones_trial.html", answer.result)


async def save(request: Request) -> Response:
    """Save the areas."""
    form = await request.form()
    revision = str(form.get("revision", ""))
    answer = await ask(request, "zones-save", {"camera": _camera(request), **_drawn(form), "revision": revision})
    done = await _done(request, answer.result)
    return redirect(request, f"/zones/{answer.result['camera']}", done=f"zones-{done}")


async def _done(request: Request, saved: Mapping[str, Any]) -> str:
    """Return what became of the areas; wait until they are in use."""
    if not saved["changed"]:
        return "same"
    if not saved["applying"]:
        return "later"
    return "rejected" if (await restarted(request, "settings-state")).get("rejected") else "saved"


def _camera(request: Request) -> str:
    return str(request.path_params["camera"])[:80]


def _drawn(form: FormData) -> dict[str, Any]:
    """Return the areas of the form as they are: the daemon checks them."""
    return {name: _list(form.get(name)) for name in ("mask", "zones")}


def _list(text: object) -> list[Any]:
    try:
        areas = json.loads(str(text), parse_constant=str)
    except (ValueError, RecursionError):
        raise HTTPException(400) from None
    if not isinstance(areas, list):
        raise HTTPException(400)
    return areas


ROUTES = [
    Route("/zones", show),
    Route("/zones/{camera}", edit),
    Route("/zones/{camera}/try", try_out, methods=["POST"]),
    Route("/zones/{camera}", save, methods=["POST"]),
]
