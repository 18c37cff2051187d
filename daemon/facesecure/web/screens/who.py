"""Who is this?: visitors with their faces, whom they look like, and naming, merging and forgetting them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.people_words import VERDICTS, words
from facesecure.web.request import ask, is_partial, redirect, render

DONE = {
    "visitor-named": "The name is kept, and past visits have it too.",
    "visitors-merged": "The two visitors are one now.",
    "visitor-forgotten": "The visitor is forgotten. That somebody came stays in the timeline.",
}


async def show_all(request: Request) -> Response:
    """Show the visitors without a name, a page at a time."""
    text = request.query_params.get("skip", "")
    skip = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    answer = await ask(request, "visitors", {"skip": skip})
    template = "who_list.html" if is_partial(request) else "who.html"
    return render(request, template, {**words(), **answer.result, "skip": skip})


async def show(request: Request) -> Response:
    """Show one visitor."""
    return await _show(request)


async def preview(request: Request) -> Response:
    """Show what naming would do, before anything is stored."""
    name = request.query_params.get("name", "")
    try:
        answer = await ask(request, "visitor-preview", {**_which(request), "name": name})
    except DaemonRefused as error:
        return await _name_refused(request, error, name)
    found = answer.result
    return render(
        request, "who_preview.html", {**words(), **found, "verdicts_of": found["verdicts"], "verdicts": VERDICTS}
    )


async def save(request: Request) -> Response:
    """Name the visitor."""
    name = str((await request.form()).get("name", ""))
    try:
        answer = await ask(request, "visitor-name", {**_which(request), "name": name})
    except DaemonRefused as error:
        if error.kind == "failed":  # it would not be stored: the preview says why
            return RedirectResponse(_preview(request, name), 303)
        return await _name_refused(request, error, name)
    return redirect(request, f"/people/{quote(str(answer.result['name']), safe='')}", done="visitor-named")


async def merge(request: Request) -> Response:
    """Make the visits of another visitor this one's."""
    other = str((await request.form()).get("other", ""))
    if not (other.isascii() and other.isdigit() and len(other) < 16):
        return redirect(request, _path(request))
    await ask(request, "visitors-merge", {**_which(request), "other": int(other)})
    return redirect(request, _path(request), done="visitors-merged")


async def forget(request: Request) -> Response:
    """Forget the visitor."""
    await ask(request, "visitor-forget", _which(request))
    return redirect(request, "/who", done="visitor-forgotten")


async def face(request: Request) -> Response:
    """Return a picture of one face."""
    answer = await ask(request, "visitor-face", {**_which(request), "face": request.path_params["face"]})
    return Response(answer.body, media_type="image/jpeg")


async def portrait(request: Request) -> Response:
    """Return a picture of the clearest face."""
    return Response((await ask(request, "visitor-portrait", _which(request))).body, media_type="image/jpeg")


async def _show(request: Request, error: str = "", name: str = "", status: int = 200) -> Response:
    answer = await ask(request, "visitor", _which(request))
    values = {**words(), **answer.result, "error": error, "typed": name}
    return render(request, "who_visitor.html", values, status=status)


async def _name_refused(request: Request, error: DaemonRefused, name: str) -> Response:
    if error.kind != "invalid" or error.field != "name":
        raise error
    return await _show(request, error.message, name[:100], 400)


def _which(request: Request) -> dict[str, Any]:
    return {"visitor": request.path_params["visitor"]}


def _path(request: Request) -> str:
    return f"/who/{request.path_params['visitor']}"


def _preview(request: Request, name: str) -> str:
    return f"{_path(request)}/preview?{urlencode({'name': name})}"


ROUTES = [
    Route("/who", show_all),
    Route("/who/{visitor:int}", show),
    Route("/who/{visitor:int}/preview", preview),
    Route("/who/{visitor:int}/name", save, methods=["POST"]),
    Route("/who/{visitor:int}/merge", merge, methods=["POST"]),
    Route("/who/{visitor:int}/forget", forget, methods=["POST"]),
    Route("/who/{visitor:int}/face/{face:int}.jpg", face),
    Route("/who/{visitor:int}/portrait.jpg", portrait),
]
