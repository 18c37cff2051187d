"""People: who is known, how surely and by which pictures; rename, remove and export them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.people_words import TEXTS, words
from facesecure.web.request import ask, ask_for_stream, redirect, render

DONE = {
    "person-renamed": "The name is changed, in past visits too.",
    "person-removed": "The person is forgotten. That somebody came stays in the timeline.",
    "face-removed": "The picture is removed.",
    "person-assigned": "Saved. The other doors follow within seconds.",
}
_LONGEST_DOOR = 64
_MOST_DOORS = 1000
__all__ = ["DONE", "ROUTES", "TEXTS"]


async def show_all(request: Request) -> Response:
    """Show everyone who is known."""
    answer = await ask(request, "people")
    return render(request, "people.html", {**words(), **answer.result})


async def show(request: Request) -> Response:
    """Show one person."""
    return await _show(request)


async def show_one_face(request: Request) -> Response:
    """Show one picture of a person, and how to remove it."""
    return await _show_face(request)


async def portrait(request: Request) -> Response:
    """Return a picture of the clearest face."""
    return Response((await ask(request, "person-portrait", _which(request))).body, media_type="image/jpeg")


async def face(request: Request) -> Response:
    """Return a picture of one face."""
    return Response((await ask(request, "person-face", _which_face(request))).body, media_type="image/jpeg")


async def rename(request: Request) -> Response:
    """Rename the person."""
    new = str((await request.form()).get("new", ""))
    try:
        answer = await ask(request, "person-rename", {**_which(request), "new": new})
    except DaemonRefused as error:
        if error.kind != "invalid" or error.field != "new":
            raise
        return await _show(request, error.message, new[:100], 400)
    return redirect(request, _path(answer.result["name"]), done="person-renamed")


async def remove_face(request: Request) -> Response:
    """Remove one picture of a person."""
    try:
        await ask(request, "person-face-remove", _which_face(request))
    except DaemonRefused as error:
        if error.kind != "invalid":
            raise
        return await _show_face(request, error.message, 400)
    return redirect(request, _path(request.path_params["name"]), done="face-removed")


async def assign(request: Request) -> Response:
    """Change which doors know the person."""
    form = await request.form()
    every = form.get("which") == "all"
    doors = None if every else [str(one)[:_LONGEST_DOOR] for one in form.getlist("door")][:_MOST_DOORS]
    try:
        await ask(request, "person-assign", {**_which(request), "doors": doors})
    except DaemonRefused as error:
        if error.kind not in ("invalid", "failed"):
            raise
        return await _show(request, status=400, refused=error.message)
    return redirect(request, _path(request.path_params["name"]), done="person-assigned")


async def ask_to_remove(request: Request) -> Response:
    """Say what would remain of a person who is removed."""
    answer = await ask(request, "person-remains", _which(request))
    return render(request, "people_remove.html", answer.result)


async def remove(request: Request) -> Response:
    """Forget the person."""
    await ask(request, "person-remove", _which(request))
    return redirect(request, "/people", done="person-removed")


async def ask_to_export(request: Request) -> Response:
    """Show whom an export would write, and ask for a passphrase."""
    return await _ask_to_export(request)


async def export(request: Request) -> Response:
    """Send the encrypted file of everyone who is ticked."""
    form = await request.form()
    passphrase = str(form.get("passphrase", ""))
    if passphrase != str(form.get("again", "")):
        return await _ask_to_export(request, "again")
    names = [str(name) for name in form.getlist("person")]
    if not names:
        return await _ask_to_export(request, "nobody")
    stack = AsyncExitStack()
    try:
        wanted = {"passphrase": passphrase, "names": names}
        answer = await stack.enter_async_context(ask_for_stream(request, "people-export", wanted))
    except DaemonRefused as error:
        if error.kind == "invalid" and error.field == "passphrase":
            return await _ask_to_export(request, "short")
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="people-{date.today():%Y-%m-%d}.faces"',
        "Content-Length": str(answer.size),
    }
    return StreamingResponse(_chunks(stack, answer.chunks()), headers=headers, media_type="application/octet-stream")


async def _chunks(stack: AsyncExitStack, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with stack:
        async for chunk in chunks:
            yield chunk


async def _ask_to_export(request: Request, wrong: str = "") -> Response:
    answer = await ask(request, "people-exportable")
    return render(request, "people_export.html", {**answer.result, "wrong": wrong}, status=400 if wrong else 200)


async def _show(request: Request, error: str = "", new: str = "", status: int = 200, refused: str = "") -> Response:
    answer = await ask(request, "person", _which(request))
    found = answer.result
    values = {**found, **words(), "sureness_code": found["sureness"], "error": error, "new": new or found["name"]}
    values["refused"] = refused
    return render(request, "people_person.html", values, status=status)


async def _show_face(request: Request, error: str = "", status: int = 200) -> Response:
    found = (await ask(request, "person", _which(request))).result
    shown = next((one for one in found["enrolled"] if one["face"] == request.path_params["face"]), None)
    if shown is None:
        return redirect(request, _path(found["name"]))
    values = {**shown, "name": found["name"], "last": len(found["enrolled"]) == 1, "error": error}
    return render(request, "people_face.html", values, status=status)


def _which(request: Request) -> dict[str, Any]:
    return {"name": request.path_params["name"]}


def _which_face(request: Request) -> dict[str, Any]:
    return {"name": request.path_params["name"], "face": request.path_params["face"]}


def _path(name: str) -> str:
    return f"/people/{quote(name, safe='')}"


ROUTES = [
    Route("/people", show_all),
    Route("/people-export", ask_to_export),
    Route("/people-export", export, methods=["POST"]),
    Route("/people/{name}", show),
    Route("/people/{name}/portrait.jpg", portrait),
    Route("/people/{name}/face/{face:int}.jpg", face),
    Route("/people/{name}/face/{face:int}", show_one_face),
    Route("/people/{name}/face/{face:int}/remove", remove_face, methods=["POST"]),
    Route("/people/{name}/rename", rename, methods=["POST"]),
    Route("/people/{name}/doors", assign, methods=["POST"]),
    Route("/people/{name}/remove", ask_to_remove),
    Route("/people/{name}/remove", remove, methods=["POST"]),
]
