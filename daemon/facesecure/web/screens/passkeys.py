"""Passkeys: make one after the password, name and remove them; and what the page's script asks before one signs."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.passkeys import made_in, origin_of
from facesecure.web.request import ask, redirect, render

DONE = {
    "passkey-added": "The passkey was added. You can sign in with it from now on.",
    "passkey-renamed": "The passkey has another name.",
    "passkey-removed": "The passkey was removed. Delete it on your device, too.",
}
_PATH = "/accounts"
_BEGIN = {"sign-in": "passkey-sign-in-begin", "confirm": "passkey-confirm-begin"}
_SHOWN_KINDS = ("invalid", "limited", "busy")


async def options(request: Request) -> Response:
    """Return what the browser asks a passkey with, as JSON."""
    purpose = str((await request.form()).get("purpose", ""))
    try:
        answer = await ask(request, _BEGIN.get(purpose, _BEGIN["sign-in"]), {"origin": origin_of(request)})
    except DaemonRefused as refused:
        return JSONResponse({"kind": refused.kind}, 400)
    return JSONResponse(answer.result["options"])


async def begin(request: Request) -> Response:
    """Show the button that makes a passkey."""
    await request.form()
    return await _show_new(request)


async def add(request: Request) -> Response:
    """Store the passkey that the browser made."""
    form = await request.form()
    name = str(form.get("name", ""))[:400]
    try:
        await ask(request, "passkey-add", {"name": name, **made_in(form, request)})
    except DaemonRefused as refused:
        if refused.kind not in _SHOWN_KINDS:
            raise
        return await _show_new(request, refused, name)
    return redirect(request, _PATH, done="passkey-added")


async def rename(request: Request) -> Response:
    """Give a passkey another name."""
    form = await request.form()
    asked = {"identifier": str(form.get("identifier", "")), "name": str(form.get("name", ""))[:400]}
    await ask(request, "passkey-rename", asked)
    return redirect(request, _PATH, done="passkey-renamed")


async def remove(request: Request) -> Response:
    """Remove a passkey."""
    form = await request.form()
    await ask(request, "passkey-remove", {"identifier": str(form.get("identifier", ""))})
    return redirect(request, _PATH, done="passkey-removed")


async def _show_new(request: Request, refused: DaemonRefused | None = None, name: str = "") -> Response:
    made = (await ask(request, "passkey-add-begin", {"origin": origin_of(request)})).result
    values = {"options": json.dumps(made["options"]), "name": name or made["name"], "refused": refused}
    return render(request, "accounts_passkey.html", values, status=400 if refused else 200)


ROUTES = [
    Route("/passkeys/options", options, methods=["POST"]),
    Route(f"{_PATH}/passkeys/new", begin, methods=["POST"]),
    Route(f"{_PATH}/passkeys", add, methods=["POST"]),
    Route(f"{_PATH}/passkeys/rename", rename, methods=["POST"]),
    Route(f"{_PATH}/passkeys/remove", remove, methods=["POST"]),
]
