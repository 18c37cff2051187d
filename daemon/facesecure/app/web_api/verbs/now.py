"""Now: the mode, the cameras, who came last, who is to be named, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.watching import WatchedCamera
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.app.web_api.verbs.live import by_slug
from facesecure.app.web_api.verbs.session import NameAndPassword, browser_of, refusing, sign_in_of
from facesecure.domain.accounts import PAGE, Role
from facesecure.domain.actors import Actor, acting
from facesecure.domain.mode import Mode
from facesecure.domain.wire.timeline import VisitDocument
from facesecure.services.timeline import Wanted, older_visits

VISITS = 5
VISITORS = 6
"""Visitors whose faces are shown; there may be more."""
_LOOK_AT_CAMERA = "check its power, its network and its address: facesecure doctor"


class Reported(Arguments):
    """Where somebody is."""

    name: str = Field(min_length=1, max_length=100)
    where: Literal["home", "away"]


class Arm(Arguments):
    """The mode to arm in."""

    mode: Literal["home", "away"]


class ByPassword(NameAndPassword):
    """The mode that a member of the household sets at another's browser, by their name and password."""

    mode: Literal["home", "away", "off"]


def show_now(call: Call[Nothing]) -> Answer:
    """Answer the state of the house. A kiosk hangs where visitors see it: it is not told who came."""
    parts = call.parts
    result = {**_mode(parts), "cameras": [_camera(slug, camera) for slug, camera in by_slug(parts).items()]}
    if not call.session.role.includes(Role.VIEWER):
        less = {"visits": [], "to_name": [], "more_to_name": False, "presence": [], "arms_in": None, "doors": []}
        return Answer({**result, **less, "troubles": list(_lost(parts))})
    visitors = [one for one in parts.store.visitors.all(VISITORS + 1, named=False) if one.faces]
    to_name = [{"visitor": one.identifier, "faces": one.faces, "visits": one.visits} for one in visitors[:VISITORS]]
    return Answer(
        {
            **result,
            **parts.commands.presence_document(),
            "visits": [VisitDocument.of(visit).as_json() for visit in _last_visits(parts)],
            "to_name": to_name,
            "more_to_name": len(visitors) > VISITORS,
            "troubles": [*_lost(parts), *_troubles(parts)],
            "doors": parts.commands.doors_document(),
        }
    )


def arm(call: Call[Arm]) -> Answer:
    """Arm, as on the panel of an alarm: whoever leaves may press it, but what lowers the guard needs a member.

    A burglar at the tablet on the wall can make it stricter, not laxer. Raises Refused.
    """
    mode, before = Mode(call.arguments.mode), call.parts.commands.strictest
    if mode.strictness < before.strictness and not call.session.role.includes(Role.MEMBER):
        raise Refused(
            Refusal.FORBIDDEN,
            "this needs a member of the household",
            "use a member's own phone, or a member's password",
        )
    return Answer(call.parts.commands.arm({"mode": mode.value}))


def disarm(call: Call[Nothing]) -> Answer:
    """Disarm: nobody is announced until it is armed again."""
    return Answer(call.parts.commands.arm({"mode": Mode.OFF.value}))


def members(call: Call[Nothing]) -> Answer:
    """Return the names of those whose password disarms, for the tablet on the wall."""
    accounts = call.parts.store.page.accounts.all()
    return Answer({"names": [one.name for one in accounts if one.password and one.role.includes(Role.MEMBER)]})


def arm_by_password(call: Call[ByPassword]) -> Answer:
    """Set the mode in the name of the member who gives their password; who is signed in here stays the same."""
    asked, browser = call.arguments, browser_of(call.client)
    with refusing("password"):
        member = sign_in_of(call.parts).vouch(call.session, asked.name, asked.password, Role.MEMBER, browser)
    with acting(Actor(member.name, PAGE)):
        return Answer(call.parts.commands.arm({"mode": asked.mode}))


def report_presence(call: Call[Reported]) -> Answer:
    """Take it that somebody of the household is at home, or away. What follows is in the configuration."""
    asked = call.arguments
    return Answer(call.parts.commands.report_presence({"name": asked.name, "where": asked.where}))


def _last_visits(parts: WebParts) -> Any:
    return older_visits(parts.store, Wanted(), None, VISITS).visits


def _mode(parts: WebParts) -> dict[str, Any]:
    """Return the mode that holds, and the one that was set: by the hours of a week, it may be another."""
    armed = parts.commands.arming.armed
    return {
        "mode": parts.policy.mode.value,
        "set": armed.mode.value,
        "since": armed.since.isoformat() if armed.since else None,
        "leaving": parts.commands.arming.leaving,
        **parts.commands.entry_document(),
        "quiet": parts.policy.quiet,
        "people": len(parts.store.people()),
    }


def _camera(slug: str, camera: WatchedCamera) -> dict[str, Any]:
    shown, trouble = camera.view.shown, camera.camera.monitor.trouble
    number, _, age = shown or (None, None, None)
    return {
        "camera": slug,
        "name": camera.name,
        "number": number,
        "age": None if age is None else round(age, 1),
        "trouble": trouble.message if trouble else None,
    }


def _lost(parts: WebParts) -> Iterator[dict[str, Any]]:
    """Yield a trouble for each camera without an image."""
    for report in parts.commands.cameras:
        for status in filter(None, (report.health, report.main)):
            if trouble := status.trouble:
                yield _trouble("camera", trouble.message, trouble.hint or _LOOK_AT_CAMERA, report.name)
                break


def _troubles(parts: WebParts) -> Iterator[dict[str, Any]]:
    """Yield what else is wrong: with the state directory, the database, and the channels that notify."""
    if parts.commands.complaint:
        yield _trouble("state", parts.commands.complaint, "facesecure doctor says what to do")
    for problem in parts.commands.problems():
        yield _trouble("changed", problem, "facesecure doctor says what to do")
    if lag := parts.store.lag:
        yield _trouble("database", lag.words, "close other programs that have the database open")
    for report in parts.dispatcher.reports():
        if report.hung or report.last_error:
            message = report.last_error or "it has not returned"
            yield _trouble("channel", message, "try it with a drill, and look at its settings", report.name)

    for name, message in parts.commands.front_troubles().items():
        yield _trouble("channel", message, "facesecure doctor says what to do", name)


def _trouble(kind: str, message: str, hint: str, name: str = "") -> dict[str, Any]:
    return {"kind": kind, "name": name, "message": message, "hint": hint}


VERBS = (
    Verb("now", Role.KIOSK, Nothing, show_now),
    Verb("arm", Role.KIOSK, Arm, arm, changes=(Topic.MODE,)),
    Verb("members", Role.KIOSK, Nothing, members),
    Verb("arm-by-password", Role.KIOSK, ByPassword, arm_by_password, changes=(Topic.MODE,)),
    Verb("presence", Role.MEMBER, Reported, report_presence, changes=(Topic.MODE,)),
    Verb("disarm", Role.MEMBER, Nothing, disarm, confirmed=True, changes=(Topic.MODE,)),
)
