"""Masks and zones of a camera: shown, tried on the last hour's movement, and saved as settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.settings_access import SettingsAccess
from facesecure.app.watching import WatchedCamera
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.app.web_api.verbs.live import Slug, camera_of, plain_areas
from facesecure.config import FacesecureConfig
from facesecure.config.areas import MOST_CORNERS, Area, Fraction
from facesecure.config.loader import validated
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.accounts import Role
from facesecure.services import settings_file

MOST_AREAS = 32
_DIGITS = 3
"""Of a fraction of the image: a thousandth is less than two pixels."""


Corner = Annotated[list[Fraction], Field(min_length=2, max_length=2)]
Corners = Annotated[list[Corner], Field(min_length=3, max_length=MOST_CORNERS)]
"""A polygon as the page draws it; the page draws no rectangles."""


class WhichCamera(Arguments):
    """The camera whose areas are shown."""

    camera: Slug


class Drawn(Arguments):
    """Areas as they were drawn, in fractions of the image."""

    camera: Slug
    mask: list[Corners] = Field(max_length=MOST_AREAS)
    zones: list[Corners] = Field(max_length=MOST_AREAS)


class Saved(Drawn):
    """``revision`` is that of the settings that were shown."""

    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


def show(call: Call[WhichCamera]) -> Answer:
    """Return the areas of a camera, its last hour's movements, and where they were."""
    slug, camera = camera_of(call.parts, call.arguments.camera)
    saved, access = _saved(call.parts, camera), call.parts.settings
    mask, zones = saved.motion.mask, saved.camera.zones
    shown = {
        "camera": slug,
        "name": camera.name,
        "size": newest[1] if (newest := camera.view.shown) else None,
        "mask": plain_areas(mask),
        "zones": plain_areas(zones),
        "shared_mask": saved.camera.mask is None and bool(mask),
        "moved": camera.movements.boxes(),
        "revision": settings_file.read(access.place).revision if access else None,
        **_tried(camera, mask, zones),
    }
    return Answer(shown)


def try_out(call: Call[Drawn]) -> Answer:
    """Return what the areas would have left out in the last hour, and how the settings would change."""
    _, camera = camera_of(call.parts, call.arguments.camera)
    tried = _tried(camera, _areas(call.arguments.mask), _areas(call.arguments.zones))
    access = call.parts.settings
    if access is not None:
        tried["diff"] = settings_file.preview(access.place, _changes(call.parts, camera, call.arguments)).diff
    return Answer(tried)


def save(call: Call[Saved]) -> Answer:
    """Save the areas as settings, and put them to use; ``applying``: that has begun."""
    slug, camera = camera_of(call.parts, call.arguments.camera)
    access, changes = _access(call.parts), _changes(call.parts, camera, call.arguments)
    try:
        change = settings_file.change_settings(access.place, changes, call.arguments.revision, by=call.session.account)
    except settings_file.StaleSettings as error:
        raise Refused(Refusal.INVALID, error.message, error.hint, argument="revision") from error
    applying = bool(change.names) and access.put_to_use(change)
    return Answer({"camera": slug, "changed": bool(change.names), "applying": applying})


def _access(parts: WebParts) -> SettingsAccess:
    if parts.settings is None:
        raise Refused(Refusal.FAILED, "these settings cannot be changed here", "they are not those of a file")
    return parts.settings


def _tried(camera: WatchedCamera, mask: Sequence[Area], zones: Sequence[Area]) -> dict[str, Any]:
    trial = camera.movements.tried(mask, zones, camera.config.motion.threshold)
    return {**asdict(trial), "seconds": round(camera.movements.seconds)}


def _changes(parts: WebParts, camera: WatchedCamera, drawn: Drawn) -> dict[KeyPath, Any]:
    """Return the settings that differ: those that were drawn as they are stay as they are written."""
    now, where = _saved(parts, camera), _place(parts, camera)
    changes: dict[KeyPath, Any] = {}
    mask, zones = _rounded(_areas(drawn.mask)), _rounded(_areas(drawn.zones))
    if mask != _rounded(now.motion.mask):
        changes[*where, "mask"] = mask
    if zones != _rounded(now.camera.zones):
        changes[*where, "zones"] = zones
    return changes


def _areas(drawn: Sequence[Sequence[Sequence[float]]]) -> list[Area]:
    return [[(x, y) for x, y in corners] for corners in drawn]


def _saved(parts: WebParts, camera: WatchedCamera) -> FacesecureConfig:
    """Return the camera's settings as they were saved last: for some seconds the daemon may have others."""
    config = None
    if parts.settings is not None:
        config, _ = validated(settings_file.read(parts.settings.place).file)
    each = config.each_camera() if config else ()
    return next((one for one in each if one.camera.name == camera.name), camera.config)


def _place(parts: WebParts, camera: WatchedCamera) -> KeyPath:
    several = [one.name for one in parts.config.cameras]
    return ("cameras", several.index(camera.name)) if several else ("camera",)


def _rounded(areas: Sequence[Area]) -> list[list[list[float]]]:
    return [[[round(x, _DIGITS), round(y, _DIGITS)] for x, y in corners] for corners in plain_areas(list(areas))]


VERBS = (
    Verb("zones", Role.VIEWER, WhichCamera, show),
    Verb("zones-try", Role.OWNER, Drawn, try_out),
    Verb("zones-save", Role.OWNER, Saved, save, confirmed=True, changes=(Topic.SETTINGS,)),
)
