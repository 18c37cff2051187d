"""One visit: its film and faces, what was decided and why, who was told, and corrections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web import visits
from facesecure.web.daemon import DaemonRefused
from facesecure.web.films import send_film
from facesecure.web.language import Language
from facesecure.web.people_words import VERDICTS
from facesecure.web.request import ask, language_of, redirect, render
from facesecure.web.rule_words import mode_in_words
from facesecure.web.screens.timeline import found, identifier, picture

_FILM = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_LONGEST_NAME = 64
_MOST_FACES = 10**18
_FAILED = ("invalid", "failed", "busy")

DONE = {
    "visit-right": "Marked as reviewed.",
    "visit-unseen": "Marked as not yet reviewed.",
    "visit-was-not": "Corrected. The faces are remembered as a stranger's.",
    "visit-was": "Corrected. The faces were learnt.",
}

_STATES = {
    "pending": "waiting",
    "attempting": "being sent",
    "delivered": "delivered",
    "expired": "came too late, and was given up",
    "failed": "failed",
    "withdrawn": "taken back before it was sent",
}
_REASONS = {
    "replaced": "It was judged again: who was told is shown with the later verdict.",
    "held-back": "The same visitor had been notified shortly before.",
    "rules": "By the rules, nobody is notified of such a visit.",
    "disarmed": "The house was disarmed.",
    "otherwise": "Somebody disarmed before the alert was due, or the rules were others then.",
    "unknown": "No alert is on record: the house was disarmed then, or the rules were others.",
}
_CORRECTIONS = {
    "corrected": "Corrected by the household",
    "named later": "Named later, with all their visits",
    "corrected: nobody we know": "Corrected: nobody we know",
}
TEXTS = (*_STATES.values(), *_REASONS.values(), *_CORRECTIONS.values(), "Corrected: not %(name)s")
"""The texts of this module, for the test of the catalogues."""


async def show(request: Request) -> Response:
    """Show a visit."""
    return await _shown(request)


async def right(request: Request) -> Response:
    """Mark a visit as seen, or as not yet seen."""
    form = await request.form()
    seen = form.get("seen") != "no"
    await found(request, "visit-review", {"visit": identifier(request), "reviewed": seen})
    return redirect(request, f"/visit/{identifier(request)}", done="visit-right" if seen else "visit-unseen")


async def was_not(request: Request) -> Response:
    """Correct a visit: it was not somebody, or nobody who is enrolled."""
    form = await request.form()
    name = str(form.get("name", "")).strip()
    return await _correct(request, "visit-was-not", {"name": name[:_LONGEST_NAME]} if name else {})


async def was(request: Request) -> Response:
    """Correct a visit: it was somebody, enrolled or new."""
    form = await request.form()
    name = str(form.get("new", "")).strip() or str(form.get("name", "")).strip()
    if not name:
        return await _shown(request, ("Choose somebody, or write a name.", None), status=400)
    return await _correct(request, "visit-was", {"name": name[: _LONGEST_NAME + 1]})


async def face(request: Request) -> Response:
    """Send a face of a visit."""
    number = int(request.path_params["face"])
    if not 0 < number < _MOST_FACES:
        raise HTTPException(404)
    return await picture(request, "visit-face", {"visit": identifier(request), "face": number})


async def film(request: Request) -> Response:
    """Send a film."""
    name: str = request.path_params["film"]
    if not _FILM.fullmatch(name):
        raise HTTPException(404)
    try:
        return await send_film(request, name)
    except DaemonRefused as error:
        if error.kind in ("missing", "invalid"):
            raise HTTPException(404) from None
        raise


async def _correct(request: Request, verb: str, arguments: Mapping[str, Any]) -> Response:
    visit = identifier(request)
    try:
        await ask(request, verb, {"visit": visit, **arguments})
    except DaemonRefused as error:
        if error.kind == "missing":
            raise HTTPException(404) from None
        if error.kind not in _FAILED:
            raise
        return await _shown(request, (error.message, error.hint), status=400)
    return redirect(request, f"/visit/{visit}", done=verb)


async def _shown(request: Request, problem: tuple[str, str | None] | None = None, status: int = 200) -> Response:
    """Return the page of a visit; ``problem`` says why it could not be corrected."""
    visit = (await found(request, "visit", {"visit": identifier(request)})).result
    language = language_of(request)
    values = {
        "visit": {
            **visit,
            "choices": [(name, name) for name in visit["people"]],
            "faces": [{**one, "too_poor": _too_poor(one, language)} for one in visit["faces"]],
        },
        "problem": problem,
        "title": visits.who(visit, language),
        "colour": visits.colour(visit),
        "length": visits.duration(visit),
        "states": _STATES,
        "why_not_told": _REASONS.get(visit["why_told"]["reason"], ""),
        "mode": visit["mode"] and mode_in_words(visit["mode"], language),
        "correction": _correction(visit["correction"], language),
        "taken_for": _taken_for(visit),
    }
    return render(request, "visit.html", values, status=status)


def _too_poor(face: Mapping[str, Any], language: Language) -> list[str]:
    """Return why a face is not learnt from, in the reader's language."""
    pairs = zip(face["codes"], face["too_poor"], strict=True)
    return [
        language.sentence(reason) or (language(VERDICTS[code]) if code in VERDICTS else reason)
        for code, reason in pairs
    ]


def _taken_for(visit: Mapping[str, Any]) -> list[str]:
    """Return the enrolled people that the visit was taken for, who it may turn out not to have been."""
    return [visit["name"]] if visit["verdict"] == "known" and visit["name"] in visit["people"] else []


def _correction(words: str | None, language: Language) -> str | None:
    if words is None:
        return None
    start = "corrected: not "
    if words.startswith(start):
        return language("Corrected: not %(name)s", name=words.removeprefix(start))
    return language(_CORRECTIONS.get(words, words).replace("%", "%%"))


ROUTES = [
    Route("/visit/{identifier}", show),
    Route("/visit/{identifier}/right", right, methods=["POST"]),
    Route("/visit/{identifier}/was-not", was_not, methods=["POST"]),
    Route("/visit/{identifier}/was", was, methods=["POST"]),
    Route("/visit/{identifier}/face/{face:int}.jpg", face),
    Route("/film/{film}.mp4", film),
]
