"""When it is armed: the hours of the week, the rules in words, and what would happen if somebody came."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.language import Language
from facesecure.web.request import ask, is_partial, language_of, redirect, render
from facesecure.web.rule_words import (
    days_in_words,
    mode_in_words,
    outcome_in_words,
    pause_in_words,
    rule_in_words,
    short_days,
)
from facesecure.web.screens.settings import confirmed, done_of

DONE = {
    "hours-saved": "Saved, and in use.",
    "hours-rejected": "facesecure did not start with that: the change was taken back.",
    "hours-later": "Saved. It holds after the next start of facesecure.",
    "hours-same": "Nothing was changed.",
}
_DAY = 24 * 60
_KINDS = ("away", "quiet")
_MOST = 42
_SPARE = 2
"""Empty rows for more hours, without JavaScript."""
_GUESTS = ("stranger", "known", "faceless", "animal")
_AS_NOW = {"name": "", "camera": "", "mode": "", "at": ""}
_CLOCK = re.compile(r"\d{1,2}:\d{2}")


async def show(request: Request) -> Response:
    """Show the week, the rules, and what would happen now."""
    arming = (await ask(request, "arming")).result
    imagined = await _imagined(request)
    values = {**_shown(arming, language_of(request)), "rows": _rows(arming["hours"]), "errors": {}, "password": None}
    return render(request, "arm_outcome.html" if is_partial(request) else "arm.html", {**values, **imagined})


async def save(request: Request) -> Response:
    """Save the hours; ask for the password first, where it was not given lately."""
    form = await request.form()
    hours = {kind: _typed(form, kind) for kind in _KINDS}
    week = {"revision": str(form.get("revision", ""))[:32], **hours}
    wrong = {
        kind: True for kind in _KINDS if not all(row["days"] and row["start"] and row["end"] for row in hours[kind])
    }
    refused = await confirmed(request, form)
    if wrong or refused is not None:
        return await _again(request, week, wrong, refused)
    try:
        answer = (await ask(request, "arming-hours", week)).result
    except DaemonRefused as error:
        if error.kind == "confirm":
            return await _again(request, week, {}, "")
        if error.kind == "invalid" and error.field in _KINDS:
            return await _again(request, week, {error.field: error.message}, None)
        raise
    if answer["problems"]:
        return await _again(request, week, {"away": "; ".join(one["text"] for one in answer["problems"])}, None)
    return redirect(request, "/arm", done=f"hours-{await done_of(request, answer, 'arming')}")


async def _again(
    request: Request, week: Mapping[str, Any], errors: Mapping[str, Any], password: str | None
) -> Response:
    """Show what was typed again, with what is wrong, and with a field for the password unless it is None."""
    arming = (await ask(request, "arming")).result
    values = {**_shown(arming, language_of(request)), **await _imagined(request)}
    rows = {kind: [*week[kind], *_empty()] for kind in _KINDS}
    values |= {"rows": rows, "errors": errors, "password": password, "revision": week["revision"]}
    return render(request, "arm.html", values)


async def _imagined(request: Request) -> dict[str, Any]:
    """Return what would happen in the case that the address describes, by default if a stranger came now."""
    query = request.query_params
    guest = query.get("guest", "stranger")
    asked: dict[str, Any] = {"guest": guest if guest in _GUESTS else "stranger"}
    for name, most in (("name", 100), ("camera", 64), ("mode", 4), ("at", 40)):
        if value := query.get(name, "")[:most]:
            asked[name] = value
    try:
        found = (await ask(request, "what-if", asked)).result
    except DaemonRefused as error:
        if error.kind != "invalid":
            raise
        return {"asked": {**_AS_NOW, **asked}, "outcome": None, "problem": error.message, "why": ""}
    _ = language_of(request)
    outcome = {**found, "mode_words": mode_in_words(found["mode"], _)}
    return {"asked": {**_AS_NOW, **asked}, "outcome": outcome, "problem": "", "why": outcome_in_words(found, _)}


def _shown(arming: Mapping[str, Any], _: Language) -> dict[str, Any]:
    hours = {
        kind: [{**one, "words": f"{days_in_words(one['days'], _)}, {one['text'].split()[-1]}"} for one in each]
        for kind, each in arming["hours"].items()
    }
    return {
        **arming,
        "hours": hours,
        "mode_words": mode_in_words(arming["mode"], _),
        "rules": [rule_in_words(rule, _) for rule in arming["rules"]],
        "cooldowns": {kind: pause_in_words(seconds, _) for kind, seconds in arming["cooldowns"].items()},
        "week": _week(arming["hours"]),
        "day_names": short_days(_),
    }


def _week(hours: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, list[tuple[int, int]]]]:
    """Return for each day the pieces of it, start and length in minutes, that are away hours and quiet hours."""
    days: list[dict[str, list[tuple[int, int]]]] = [{kind: [] for kind in _KINDS} for _ in range(7)]
    for kind, spans in hours.items():
        for span in spans:
            for day, start, end in _pieces(span):
                days[day][kind].append((start, end - start))
    return days


def _pieces(span: Mapping[str, Any]) -> Iterator[tuple[int, int, int]]:
    """Yield day, start and end of each piece of ``span``: hours that pass midnight have one on the next day."""
    start, end = span["start"], span["end"]
    for day in span["days"]:
        if end > start:
            yield day, start, end
        else:
            yield day, start, _DAY
            if end > 0:
                yield (day + 1) % 7, 0, end


def _rows(hours: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the form: one for each span, and empty ones."""
    return {
        kind: [
            *({"days": one["days"], "start": _clock(one["start"]), "end": _clock(one["end"])} for one in spans),
            *_empty(),
        ]
        for kind, spans in hours.items()
    }


def _complete(row: Mapping[str, Any]) -> bool:
    return bool(row["days"] and row["start"] and row["end"])


def _empty() -> list[dict[str, Any]]:
    return [{"days": [], "start": "", "end": ""} for _ in range(_SPARE)]


def _clock(minute: int) -> str:
    """Return a time of day for the form, which knows no 24:00."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def _typed(form: FormData, kind: str) -> list[dict[str, Any]]:
    """Return the rows of ``kind`` that have a start; an end of 00:00 is the end of the day."""
    rows = []
    for number in range(_MOST):
        start, end = (str(form.get(f"{kind}-{number}-{what}", ""))[:5] for what in ("start", "end"))
        days = sorted({int(day) for day in map(str, form.getlist(f"{kind}-{number}-days")) if day in set("0123456")})
        if not start or f"{kind}-{number}-remove" in form:
            continue
        end = "24:00" if end == "00:00" else end if _CLOCK.fullmatch(end) else ""
        rows.append({"days": days, "start": start if _CLOCK.fullmatch(start) else "", "end": end})
    return rows


ROUTES = [
    Route("/arm", show),
    Route("/arm", save, methods=["POST"]),
]
