"""Enrol: a name and consent, then pictures that are judged one by one; nothing is stored before Save."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.limits import allow_body
from facesecure.web.people_words import words
from facesecure.web.pictures import DecodingError, accepted_types, decode
from facesecure.web.request import ask, is_partial, learn_who, redirect, render
from facesecure.web.uploads import LARGEST_FORM, Part, parts_of

DONE = {
    "person-enrolled": "Saved. The camera knows this person within a few seconds.",
    "enrolment-cancelled": "Nothing was stored, and the pictures are gone.",
}


async def start(request: Request) -> Response:
    """Ask for the name, and for consent."""
    answer = await ask(request, "people")
    if not (await learn_who(request)).may("member"):  # the daemon would refuse, but only once the form is filled in
        raise HTTPException(403)
    name = request.query_params.get("name", "")[:100]
    return render(request, "enrol.html", {**answer.result, "name": name, "error": "", "consent_error": False})


async def begin(request: Request) -> Response:
    """Begin the enrolment of a person."""
    form = await request.form()
    name, consent = str(form.get("name", "")), form.get("consent") == "yes"
    try:
        answer = await ask(request, "enrol-begin", {"name": name, "consent": consent})
    except DaemonRefused as error:
        if error.kind != "invalid" or error.field not in ("name", "consent"):
            raise
        found = (await ask(request, "people")).result
        wrong = {"error": error.message if error.field == "name" else "", "consent_error": error.field == "consent"}
        return render(request, "enrol.html", {**found, "name": name[:100], **wrong}, status=400)
    return redirect(request, _path(answer.result["draft"]))


async def show(request: Request) -> Response:
    """Show the pictures so far, and what is missing."""
    return await _page(request, (await ask(request, "enrol-draft", _which(request))).result)


async def look(request: Request) -> Response:
    """Show what a camera of the house sees, to take pictures with it."""
    result = (await ask(request, "enrol-draft", _which(request))).result
    found = (await ask(request, "cameras")).result
    camera = next((one for one in found["cameras"] if one["camera"] == request.path_params["camera"]), None)
    if camera is None:
        raise HTTPException(404)
    return render(request, "enrol_camera.html", {**words(), **result, **found, "cameras": [camera]})


async def take(request: Request) -> Response:
    """Take the picture that the camera shows now."""
    camera = request.path_params["camera"]
    result = (await ask(request, "enrol-camera", {**_which(request), "camera": camera[:80]})).result
    if is_partial(request):
        return await _page(request, result)
    return redirect(request, f"{_path(result['draft'])}/camera/{quote(camera, safe='')}")


async def add(request: Request) -> Response:
    """Take pictures: decode each, and have it judged."""
    result = (await ask(request, "enrol-draft", _which(request))).result  # nobody else may send any
    allow_body(request, LARGEST_FORM)
    async with aclosing(parts_of(request)) as parts:
        async for part in parts:
            if part.file is not None and len(result["pictures"]) < result["most"]:
                result = await _judged(request, part)
    return await _page(request, result) if is_partial(request) else redirect(request, _path(result["draft"]))


async def change(request: Request) -> Response:
    """Choose the face that is meant in a picture, or take the picture back."""
    form = await request.form()
    which = {**_which(request), "picture": request.path_params["picture"]}
    face = str(form.get("face", ""))
    if form.get("do") == "drop":
        result = (await ask(request, "enrol-drop", which)).result
    elif face.isascii() and face.isdigit() and len(face) < 4:
        result = (await ask(request, "enrol-choose", {**which, "face": int(face)})).result
    else:
        result = (await ask(request, "enrol-draft", _which(request))).result
    return await _page(request, result) if is_partial(request) else redirect(request, _path(result["draft"]))


async def view(request: Request) -> Response:
    """Return a small view of a picture."""
    which = {**_which(request), "picture": request.path_params["picture"]}
    return Response((await ask(request, "enrol-view", which)).body, media_type="image/jpeg")


async def save(request: Request) -> Response:
    """Store the person."""
    few = (await request.form()).get("few") == "yes"
    try:
        answer = await ask(request, "enrol-save", {**_which(request), "few": few})
    except DaemonRefused as error:
        if error.kind == "invalid" and error.field == "draft":
            return redirect(request, _path(request.path_params["draft"]))  # which says why
        raise
    return redirect(request, f"/people/{quote(str(answer.result['name']), safe='')}", done="person-enrolled")


async def cancel(request: Request) -> Response:
    """Forget the pictures."""
    await ask(request, "enrol-cancel", _which(request))
    return redirect(request, "/people", done="enrolment-cancelled")


async def _judged(request: Request, part: Part) -> dict[str, Any]:
    """Have one picture judged, and return how the enrolment stands."""
    assert part.file is not None
    which = {**_which(request), "source": part.file_name}
    try:
        if part.too_large:
            raise DecodingError("too large")
        picture = await decode(part.file)
    except DecodingError as error:
        return (await ask(request, "enrol-unreadable", {**which, "problem": error.problem})).result
    size = {"width": picture.width, "height": picture.height}
    return (await ask(request, "enrol-picture", {**which, **size}, body=picture.pixels)).result


async def _page(request: Request, result: dict[str, Any]) -> Response:
    values = {**words(), **result}
    if is_partial(request):
        return render(request, "enrol_pictures.html", values)
    cameras = (await ask(request, "cameras")).result["cameras"]
    return render(request, "enrol_draft.html", {**values, "cameras": cameras, "accepted_types": accepted_types()})


def _which(request: Request) -> dict[str, Any]:
    return {"draft": request.path_params["draft"]}


def _path(draft: str) -> str:
    return f"/enrol/{draft}"


ROUTES = [
    Route("/enrol", start),
    Route("/enrol", begin, methods=["POST"]),
    Route("/enrol/{draft}", show),
    Route("/enrol/{draft}/pictures", add, methods=["POST"]),
    Route("/enrol/{draft}/pictures/{picture:int}", change, methods=["POST"]),
    Route("/enrol/{draft}/pictures/{picture:int}.jpg", view),
    Route("/enrol/{draft}/camera/{camera}", look),
    Route("/enrol/{draft}/camera/{camera}", take, methods=["POST"]),
    Route("/enrol/{draft}/save", save, methods=["POST"]),
    Route("/enrol/{draft}/cancel", cancel, methods=["POST"]),
]
