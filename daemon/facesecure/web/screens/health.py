"""Health: what works and what does not, the checks of ``facesecure doctor``, and the copy of the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.doors import shown_doors
from facesecure.web.language import Language
from facesecure.web.request import ask, language_of, redirect, render
from facesecure.web.screens.settings import confirmed

DONE = {"key-kept": "Good. Nobody will be asked for it again until the key is replaced."}
_LITTLE_BYTES = 500_000_000
_UNITS = ("kB", "MB", "GB", "TB")
_STYLES = {"ok": "ok", "warn": "warning", "fail": "failed"}


async def show(request: Request) -> Response:
    """Show everything at once."""
    answer = await ask(request, "health")
    return render(request, "health.html", {**_shown(answer.result, language_of(request)), "password": None})


async def checks(request: Request) -> Response:
    """Show the results of the checks so far; fetched anew with each of them."""
    answer = await ask(request, "health-checks")
    return render(request, "health_checks.html", {"doctor": _doctor(answer.result["doctor"])})


async def check(request: Request) -> Response:
    """Begin the checks."""
    await ask(request, "health-check")
    return redirect(request, "/health#doctor")


async def key_kept(request: Request) -> Response:
    """Note that whoever asks has a copy of the key; ask for the password first, where it was not given lately."""
    refused = await confirmed(request, await request.form())
    if refused is None:
        try:
            await ask(request, "health-key-kept")
            return redirect(request, "/health", done="key-kept")
        except DaemonRefused as error:
            if error.kind != "confirm":
                raise
    answer = await ask(request, "health")
    values = {**_shown(answer.result, language_of(request)), "password": refused or ""}
    return render(request, "health.html", values)


def _shown(health: Mapping[str, Any], _: Language) -> dict[str, Any]:
    disk, memory = health["disk"], health["memory"]
    return {
        **health,
        "disk": {name: size_in_words(disk[name], _) for name in ("free", "total", "used")},
        "folder": disk["folder"],
        "disk_share": round(100 * (1 - disk["free"] / max(1, disk["total"]))),
        "little_space": disk["free"] < _LITTLE_BYTES,
        "memory": {name: size_in_words(size, _) for name, size in memory.items() if size is not None},
        "doctor": _doctor(health["doctor"]),
        "doors": shown_doors(health["doors"], _),
    }


def _doctor(report: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if report is None:
        return None
    order = {"fail": 0, "warn": 1, "ok": 2}
    results = [{**one, "style": _STYLES[one["status"]]} for one in report["results"]]
    if report["ended_at"] is not None:
        results.sort(key=lambda one: order[one["status"]])
    return {**report, "results": results, "fine": not (report["counts"]["fail"] or report["counts"]["warn"])}


def size_in_words(count: float, _: Language) -> str:
    """Return a size for people: "1.4 GB"."""
    size = count / 1000
    for unit in _UNITS[:-1]:
        if size < 1000:
            return _("%(size)s %(unit)s", size=_rounded(size), unit=_(unit))
        size /= 1000
    return _("%(size)s %(unit)s", size=_rounded(size), unit=_(_UNITS[-1]))


def _rounded(size: float) -> str:
    return f"{size:.1f}" if size < 10 else f"{size:.0f}"


TEXTS = _UNITS
ROUTES = [
    Route("/health", show),
    Route("/health/checks", checks),
    Route("/health/check", check, methods=["POST"]),
    Route("/health/key", key_kept, methods=["POST"]),
]
