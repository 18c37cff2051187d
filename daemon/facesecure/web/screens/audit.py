"""The audit log: who did what and when, and whether the log is as facesecure wrote it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.audit_words import ACTIONS, ORIGINS
from facesecure.web.request import ask, language_of, render

TEXTS = (*ACTIONS.values(), *ORIGINS.values())
"""What the templates translate by a variable."""
_MOST_DAYS = 365
_LARGEST = 2**53 - 1


async def show(request: Request) -> Response:
    """Show a page of the log, newest first, filtered as the address says."""
    given = request.query_params
    wanted: dict[str, Any] = {
        "action": action if (action := given.get("action", "")) in ACTIONS else "",
        "actor": given.get("actor", "")[:64],
        "subject": given.get("subject", "").strip()[:120],
        "days": _number(given.get("days", ""), _MOST_DAYS),
        "before": _number(given.get("before", ""), _LARGEST),
    }
    found = (await ask(request, "audit", wanted)).result
    kept = {name: value for name, value in wanted.items() if value and name != "before"}
    older = urlencode({**kept, "before": found["next"]}) if found["next"] else ""
    _ = language_of(request)
    choices = [(action, _(text)) for action, text in ACTIONS.items() if action in found["actions"]]
    people = [(name, name) for name in found["actors"]]
    values = {"wanted": wanted, "older": older, "filtered": bool(kept), "choices": choices, "people": people}
    return render(request, "audit.html", {**found, **values, "words": ACTIONS, "origins": ORIGINS})


def _number(text: str, largest: int) -> int | None:
    """Return a number of an address; None for anything else."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(largest)) else 0
    return number if 1 <= number <= largest else None


ROUTES = [Route("/audit", show)]
