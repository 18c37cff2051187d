"""The timeline: visits with their pictures, filters, and that they were reviewed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web import visits
from facesecure.web.daemon import Answer, DaemonRefused
from facesecure.web.request import ask, language_of, local_path, redirect, render
from facesecure.web.times import time_of

IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
FILTERS = ("verdict", "person", "camera", "day", "subject", "to_review", "door")
_PLACE = re.compile(r"[0-9T:.+-]{19,32}~[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST = 100
_STILL = timedelta(minutes=10)
"""How far back visits are shown again to a page that is open: they go on, and more is told of them."""

DONE = {
    "all-reviewed": "All visits that were shown are marked as reviewed.",
}


async def show(request: Request) -> Response:
    """Show a page of the timeline, the newest or an older one."""
    wanted, before = _wanted(request), _place(request.query_params.get("before"))
    answer = await ask(request, "timeline", {**wanted, **({"before": before} if before else {})})
    result = answer.result
    return render(
        request,
        "timeline.html",
        {
            **result,
            **_words(request),
            "days": visits.by_day(result["visits"]),
            "camera_choices": _choices(result["cameras"]),
            "people_choices": _choices(result["people"]),
            "door_choices": [(identifier, name) for name, identifier in result["doors"]],
            "chosen": {name: request.query_params.get(name, "") for name in FILTERS},
            "filtered": bool(wanted),
            "is_newest": before is None,
            "live": _address("/timeline/newest", wanted, after=result["newest"] or ""),
            "older_page": _address("/timeline", wanted, before=result["older"]) if result["older"] else None,
            "newest_page": _address("/timeline", wanted),
        },
    )


async def newest(request: Request) -> Response:
    """Show what has come since a page was opened, and what goes on, for the page to put in its place."""
    wanted, after = _wanted(request), _place(request.query_params.get("after"))
    if after is None:  # the page shows nothing yet
        found = (await ask(request, "timeline", {**wanted, "size": 1})).result["visits"]
        return Response(status_code=200, headers={"HX-Refresh": "true"}) if found else Response(status_code=204)
    seen = time_of(after.partition("~")[0])
    since = f"{(seen - _STILL).isoformat()}~0"
    result = (await ask(request, "timeline", {**wanted, "after": since, "size": 50})).result
    if any(time_of(visit["first_seen"]).date() > seen.date() for visit in result["visits"]):
        return Response(status_code=200, headers={"HX-Refresh": "true"})  # below another day's heading
    values = {
        **_words(request),
        "visits": result["visits"],
        "after": after,
        "live": _address("/timeline/newest", wanted, after=max(result["newest"], after, key=_moment)),
    }
    return render(request, "timeline_newest.html", values)


async def reviewed(request: Request) -> Response:
    """Mark all visits as reviewed that the page showed."""
    form = await request.form()
    place = _place(str(form.get("newest", "")))
    if place is None:
        raise HTTPException(400)
    await ask(request, "timeline-review", {"newest": place})
    return redirect(request, local_path(str(form.get("back", "")), "/timeline"), done="all-reviewed")


async def small(request: Request) -> Response:
    """Send the small picture of a visit."""
    return await picture(request, "thumbnail", {"visit": identifier(request)})


async def snapshot(request: Request) -> Response:
    """Send the snapshot of a visit."""
    return await picture(request, "snapshot", {"visit": identifier(request)})


async def picture(request: Request, verb: str, arguments: Mapping[str, Any]) -> Response:
    """Send the JPEG that ``verb`` answers."""
    answer = await found(request, verb, arguments)
    return Response(answer.body, media_type="image/jpeg", headers={"Content-Disposition": "inline"})


def identifier(request: Request) -> str:
    """Return the identifier of the visit in the address. Raises HTTPException (404) if there can be none."""
    text: str = request.path_params["identifier"]
    if not IDENTIFIER.fullmatch(text):
        raise HTTPException(404)
    return text


async def found(request: Request, verb: str, arguments: Mapping[str, Any]) -> Answer:
    """Ask for something in an address: what is not there, or can be nowhere, is the same page (404)."""
    try:
        return await ask(request, verb, arguments)
    except DaemonRefused as error:
        if error.kind in ("missing", "invalid"):
            raise HTTPException(404) from None
        raise


def _wanted(request: Request) -> dict[str, Any]:
    """Return the filters in the address that are set."""
    given = {name: request.query_params.get(name, "").strip() for name in FILTERS}
    wanted: dict[str, Any] = {name: text[:_LONGEST] for name, text in given.items() if text}
    if "to_review" in wanted:
        wanted["to_review"] = True
    return wanted


def _place(text: str | None) -> str | None:
    """Return a place on the timeline if ``text`` can be one."""
    if not text or not _PLACE.fullmatch(text):
        return None
    try:
        return text if time_of(text.partition("~")[0]).year > 1970 else None
    except (ValueError, OverflowError):
        return None


def _moment(place: str) -> tuple[Any, str]:
    when, _, name = place.partition("~")
    return time_of(when), name


def _address(path: str, wanted: Mapping[str, Any], **more: str) -> str:
    query = {name: "yes" if value is True else value for name, value in wanted.items()} | more
    return f"{path}?{urlencode(query)}" if query else path


def _choices(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _words(request: Request) -> dict[str, Callable[..., Any]]:
    """Return what the templates say visits with."""
    language = language_of(request)
    return {
        "who_it_was": lambda visit: visits.who(visit, language),
        "heard": lambda visit: visits.heard(visit, language),
        "colour": visits.colour,
        "duration": visits.duration,
    }


ROUTES = [
    Route("/timeline", show),
    Route("/timeline/newest", newest),
    Route("/timeline/reviewed", reviewed, methods=["POST"]),
    Route("/visit/{identifier}/small.jpg", small),
    Route("/visit/{identifier}/snapshot.jpg", snapshot),
]
