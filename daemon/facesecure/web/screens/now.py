"""Now: the state of the house, and the buttons that arm it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.doors import shown_doors
from facesecure.web.language import Language
from facesecure.web.request import ask, language_of, redirect, render

PARTS = {name: f"now_{name}.html" for name in ("state", "troubles", "cameras", "name", "visits", "doors")}
"""The parts of the page that are fetched anew when something changes."""
MODES = ("home", "away", "off")
DONE = {
    "armed-home": "Armed: somebody is home.",
    "armed-away": "Armed: nobody is home.",
    "disarmed": "Disarmed.",
    "presence-home": "Noted: at home.",
    "presence-away": "Noted: away.",
}
_LONGEST = 400
_SHOWN_KINDS = ("invalid", "limited", "busy")
"""Refusals that are shown in the form, so that it can be sent again."""
_REPORT = {"home": "armed-home", "away": "armed-away", "off": "disarmed"}


async def show(request: Request) -> Response:
    """Show the state."""
    answer = await ask(request, "now")
    return render(request, "now.html", _shown(answer.result, language_of(request)))


async def part(request: Request) -> Response:
    """Show a part of it."""
    template = PARTS.get(request.path_params["part"])
    if template is None:
        raise HTTPException(404)
    answer = await ask(request, "now")
    return render(request, template, _shown(answer.result, language_of(request)))


def _shown(found: Mapping[str, Any], _: Language) -> dict[str, Any]:
    return {**found, "doors": shown_doors(found["doors"], _)}


async def arm(request: Request) -> Response:
    """Set the mode that was pressed."""
    mode = str((await request.form()).get("mode", ""))
    if mode not in MODES:
        raise HTTPException(400)
    await (ask(request, "disarm") if mode == "off" else ask(request, "arm", {"mode": mode}))
    return redirect(request, "/", done=_REPORT[mode])


async def ask_for_member(request: Request) -> Response:
    """Ask which member of the household disarms here, and for their password."""
    return await _by_password(request)


async def arm_by_password(request: Request) -> Response:
    """Set the mode by the password of a member; whoever is signed in in this browser stays so."""
    form = await request.form()
    mode, name, password = (str(form.get(key, ""))[:_LONGEST] for key in ("mode", "name", "password"))
    if mode not in MODES:
        raise HTTPException(400)
    try:
        await ask(request, "arm-by-password", {"mode": mode, "name": name or "-", "password": password or "-"})
    except DaemonRefused as refused:
        if refused.kind not in _SHOWN_KINDS:
            raise
        return await _by_password(request, name, refused)
    return redirect(request, "/", done=_REPORT[mode])


async def _by_password(request: Request, name: str = "", refused: DaemonRefused | None = None) -> Response:
    """Show the form, and why the password was ``refused``."""
    names = (await ask(request, "members")).result["names"]
    mode = (await ask(request, "now")).result["mode"]
    status = 200 if refused is None else 429 if refused.kind == "limited" else 400
    values = {"options": [(one, one) for one in names], "name": name, "mode": mode, "refused": refused}
    return render(request, "now_password.html", values, status=status)


async def presence(request: Request) -> Response:
    """Say where somebody is."""
    form = await request.form()
    name, where = str(form.get("name", ""))[:100], str(form.get("where", ""))
    if where not in ("home", "away") or not name:
        raise HTTPException(400)
    await ask(request, "presence", {"name": name, "where": where})
    return redirect(request, "/", done=f"presence-{where}")


ROUTES = [
    Route("/", show),
    Route("/presence", presence, methods=["POST"]),
    Route("/now/{part}", part),
    Route("/mode", arm, methods=["POST"]),
    Route("/mode/password", ask_for_member),
    Route("/mode/password", arm_by_password, methods=["POST"]),
]
