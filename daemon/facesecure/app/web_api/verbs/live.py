"""Live: the newest picture of each camera, with what is seen in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from facesecure.app.watching import WatchedCamera
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.config.areas import Area
from facesecure.domain.accounts import Role
from facesecure.domain.names import camera_key, camera_slugs
from facesecure.pipeline.latest_view import Picture, newest
from facesecure.services import live_tokens

LONGEST_WAIT = 10.0
"""Seconds."""
MOST_CAMERAS = 64
_LARGEST = 2**53 - 1  # of JavaScript

Slug = Annotated[str, Field(min_length=1, max_length=80)]
"""The word that stands for a camera in addresses, or its name: looked up among the cameras, never used otherwise."""
Number = Annotated[int, Field(ge=0, le=_LARGEST)]
Width = Literal[320, 640, 1280]


class OneFrame(Arguments):
    """A camera; ``after`` is the number of the picture that is there already: a newer one is waited for."""

    camera: Slug
    after: Number | None = None
    width: Width = 640
    seconds: float = Field(LONGEST_WAIT, ge=0, le=LONGEST_WAIT)


class TokenFrame(OneFrame):
    """The same, for a program that has a live token."""

    secret: str = Field(min_length=1, max_length=200)


class NextFrame(Arguments):
    """The cameras that are looked at, and the number of the picture that was shown last; None: none was.

    The first that has a newer one is answered: the order is who is served first.
    """

    seen: dict[Slug, Number | None] = Field(min_length=1, max_length=MOST_CAMERAS)
    width: Width = 640
    seconds: float = Field(LONGEST_WAIT, ge=0, le=LONGEST_WAIT)


def cameras(call: Call[Nothing]) -> Answer:
    """Return all cameras: name, slug, size and age of the newest picture; areas for those who may see visits."""
    areas = call.session.role.includes(Role.VIEWER)
    found = [_camera(slug, camera, areas=areas) for slug, camera in by_slug(call.parts).items()]
    return Answer({"cameras": found, "live_minutes": call.parts.config.web.live_minutes})


def frame(call: Call[OneFrame]) -> Answer:
    """Return a picture of one camera; with ``after`` one that is another, if there is one within ``seconds``."""
    if call.arguments.after is not None:
        camera_of(call.parts, call.arguments.camera)[1].view.watch()
    return one_frame(call.parts, call.arguments)


def one_frame(parts: WebParts, wanted: OneFrame) -> Answer:
    """Return the answer to ``wanted``, for whoever may see that camera. Raises Refused if there is no picture."""
    slug, camera = camera_of(parts, wanted.camera)
    seconds = 0.0 if wanted.after is None else wanted.seconds
    found = newest([(camera.view, wanted.after)], wanted.width, seconds)
    picture = found[1] if found else camera.view.picture(wanted.width)
    if picture is None:
        raise Refused(Refusal.MISSING, f"there is no image from the {camera.name} yet", "look at its state in Health")
    return _answer(slug, camera, picture)


def token_frame(call: Call[TokenFrame]) -> Answer:
    """Return a picture to whoever has a live token for its camera.

    Of a camera that there is not, and of one that the token is not for, the answer is the same. A camera that rests
    goes on resting: a dashboard looks day and night, and the pictures that it gets are a second old then.
    """
    wanted, parts = call.arguments, call.parts
    token, camera = live_tokens.find(parts.store, wanted.secret), by_slug(parts).get(wanted.camera)
    if token is None or camera is None or not token.shows(camera.name):
        raise Refused(Refusal.FORBIDDEN, "this address does not show anything any more", "make another live token")
    return one_frame(parts, wanted)


def next_frame(call: Call[NextFrame]) -> Answer:
    """Return the next picture of any of the cameras, whichever has one first; ``camera`` is null if none had."""
    wanted = [(*camera_of(call.parts, name), number) for name, number in call.arguments.seen.items()]
    for _, camera, _ in wanted:
        camera.view.watch()
    slugs = {id(camera.view): (slug, camera) for slug, camera, _ in wanted}
    views = [(camera.view, number) for _, camera, number in wanted]
    found = newest(views, call.arguments.width, call.arguments.seconds)
    return _answer(*slugs[id(found[0])], found[1]) if found else Answer({"camera": None})


def by_slug(parts: WebParts) -> dict[str, WatchedCamera]:
    """Return the cameras by the words that stand for them in addresses."""
    return dict(zip(camera_slugs(camera.name for camera in parts.cameras), parts.cameras, strict=True))


def camera_of(parts: WebParts, asked: str) -> tuple[str, WatchedCamera]:
    """Return slug and camera of ``asked``, a slug or a name. Raises Refused."""
    known = by_slug(parts)
    for slug, camera in known.items():
        if asked == slug or camera_key(asked) == camera_key(camera.name):
            return slug, camera
    raise Refused(Refusal.MISSING, "there is no such camera", argument="camera")


def plain_areas(areas: list[Area]) -> list[list[tuple[float, float]]]:
    """Return ``areas`` as the corners of polygons."""
    return [[(x, y) for x, y in _corners(area)] for area in areas]


def _corners(area: Area) -> list[tuple[float, float]]:
    if isinstance(area, list):
        return area
    left, top, right, bottom = area
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _camera(slug: str, camera: WatchedCamera, *, areas: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"camera": slug, "name": camera.name, "number": None, "size": None, "age": None}
    if shown := camera.view.shown:
        number, size, age = shown
        described |= {"number": number, "size": size, "age": round(age, 1)}
    if areas:
        described["mask"] = plain_areas(camera.config.motion.mask)
        described["zones"] = plain_areas(camera.config.camera.zones)
    return described


def _answer(slug: str, camera: WatchedCamera, picture: Picture) -> Answer:
    boxes: list[Mapping[str, Any]] = [
        {"edges": box.edges, "verdict": box.verdict.value, "name": box.name} for box in picture.boxes
    ]
    result = {
        "camera": slug,
        "name": camera.name,
        "number": picture.number,
        "taken_at": picture.taken_at.isoformat(),
        "age": round(picture.age, 1),
        "size": picture.size,
        "boxes": boxes,
    }
    return Answer(result, picture.jpeg)


VERBS = (
    Verb("cameras", Role.KIOSK, Nothing, cameras),
    Verb("frame", Role.KIOSK, OneFrame, frame, waits=True),
    Verb("token-frame", None, TokenFrame, token_frame, waits=True),
    Verb("next-frame", Role.KIOSK, NextFrame, next_frame, waits=True),
)
