"""Settings: a form made from the schema, what a change would do, the change itself, and the way back.

Only owners; saving and taking back also need the password. Secrets are never answered, and what runs, reads or writes
something on the machine cannot be changed (``config.changeable``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.settings_access import SettingsAccess
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.config import FacesecureConfig
from facesecure.config.toml_lines import KeyPath
from facesecure.config.wording import dotted
from facesecure.domain.accounts import Role
from facesecure.services import settings_file
from facesecure.services.settings_file import Change, SettingsRefused, StaleSettings
from facesecure.services.settings_form import changes_of, sections
from facesecure.util.redaction import bounded

_FIXED = "this run of facesecure does not read its settings from a file"
_NO_STATE = {"changeable": False, "revision": "", "applying": False, "last": None, "rejected": None}
_MOST_PROBLEMS = 50
_LONGEST = 500
Key = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=20_000)]
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Changes(Arguments):
    """What was typed, by the names of the settings, and those that get their defaults again."""

    revision: Revision
    texts: dict[Key, Text] = Field(default_factory=dict, max_length=settings_file.MOST_CHANGES)
    unset: list[Key] = Field(default_factory=list, max_length=settings_file.MOST_CHANGES)


class At(Arguments):
    """The settings that the page shows."""

    revision: Revision


def access_of(call: Call[Any]) -> SettingsAccess:
    """Return how the settings are reached. Raises Refused where the daemon was not started with a file's settings."""
    if call.parts.settings is None:
        message = "the settings of this run cannot be changed"
        raise Refused(Refusal.FAILED, message, "start facesecure with: facesecure run")
    return call.parts.settings


def schema(call: Call[Nothing]) -> Answer:
    """Return every section with its fields, where changes are kept, and what can be taken back.

    Where the daemon was not started with a file's settings, as in the demo, they are shown all the same.
    """
    access = call.parts.settings
    if access is None:
        return Answer({"sections": _fixed(call.parts.config), "in_file": False, "file": None, **_NO_STATE})
    settings = settings_file.read(access.place)
    found = [section.as_json() for section in sections(settings)]
    in_file = access.place.edits_file
    where = {"in_file": in_file, "file": None if access.place.config_file is None else str(access.place.config_file)}
    return Answer({"sections": found, **where, **_state(access, settings.revision)})


def state(call: Call[Nothing]) -> Answer:
    """Return whether a change is being put to use, and whether the last one was taken back, with the error."""
    access = call.parts.settings
    return Answer(_NO_STATE if access is None else _state(access, settings_file.read(access.place).revision))


def preview(call: Call[Changes]) -> Answer:
    """Return the difference that the changes make, or what is wrong with each, and change nothing."""
    access = access_of(call)
    try:
        change = settings_file.preview(access.place, _changes(call), call.arguments.revision)
    except SettingsRefused as error:
        return Answer({"problems": problems_of(error), "diff": "", "names": []})
    except StaleSettings as error:
        raise stale(error) from error
    return Answer({"problems": [], "diff": change.diff, "names": list(change.names)})


def save(call: Call[Changes]) -> Answer:
    """Make the changes, and have the daemon use them. Answers what is wrong with each where they cannot be made."""
    try:
        return Answer(saved(call, _changes(call), call.arguments.revision))
    except SettingsRefused as error:
        return Answer({"problems": problems_of(error), "diff": "", "names": [], "applying": False})


def undo(call: Call[At]) -> Answer:
    """Take the last change back, and have the daemon use the settings before it."""
    access = access_of(call)
    try:
        change = settings_file.undo(access.place, call.arguments.revision)
    except StaleSettings as error:
        raise stale(error) from error
    return Answer(_used(access, change, undone=True))


def saved(call: Call[Any], changes: Mapping[KeyPath, Any], revision: str | None = None) -> dict[str, Any]:
    """Make ``changes`` and have the daemon use them; return what was done. Raises Refused or SettingsRefused."""
    access = access_of(call)
    try:
        change = settings_file.change_settings(access.place, changes, revision, by=call.session.account)
    except StaleSettings as error:
        raise stale(error) from error
    return _used(access, change)


def stale(error: StaleSettings) -> Refused:
    """Return the refusal of a change that was made from older settings."""
    return Refused(Refusal.INVALID, error.message, error.hint, argument="revision")


def problems_of(error: SettingsRefused) -> list[dict[str, str]]:
    """Return the first problems, each with the name of its setting; ``key`` is that of the field of the form."""
    return [{"key": _field_of(one.path), "text": bounded(one.text, _LONGEST)} for one in error.found[:_MOST_PROBLEMS]]


def _field_of(path: Sequence[str | int]) -> str:
    """Return the name of the setting that ``path`` lies within: a problem may be that of one item of a list."""
    last = max((at for at, part in enumerate(path) if isinstance(part, str)), default=0)
    return dotted(tuple(path[: last + 1]))


def _changes(call: Call[Changes]) -> dict[KeyPath, Any]:
    found = sections(settings_file.read(access_of(call).place))
    return changes_of(found, call.arguments.texts, call.arguments.unset)


def _used(access: SettingsAccess, change: Change, *, undone: bool = False) -> dict[str, Any]:
    applying = bool(change.diff) and access.put_to_use(change, undone=undone)
    return {"problems": [], "diff": change.diff, "names": list(change.names), "applying": applying}


def _fixed(config: FacesecureConfig) -> list[dict[str, Any]]:
    """Return the sections of settings that cannot be changed, as ``schema`` answers them."""
    found = [section.as_json() for section in sections(settings_file.settings_of(config))]
    return [{**one, "fields": [{**field, "reason": _FIXED} for field in one["fields"]]} for one in found]


def _state(access: SettingsAccess, revision: str) -> dict[str, Any]:
    history = settings_file.history(access.place)
    last, rejected = (history.versions[-1] if history.versions else None), history.rejected
    undoable = last is not None and last.after == revision
    return {
        "changeable": True,
        "revision": revision,
        "applying": access.applying(),
        "last": last and {"at": last.at.isoformat(), "by": last.by, "names": list(last.names), "undoable": undoable},
        "rejected": rejected
        and {"at": rejected.at.isoformat(), "names": list(rejected.names), "error": rejected.error},
    }


VERBS = (
    Verb("settings-schema", Role.OWNER, Nothing, schema),
    Verb("settings-state", Role.OWNER, Nothing, state),
    Verb("settings-preview", Role.OWNER, Changes, preview),
    Verb("settings-save", Role.OWNER, Changes, save, confirmed=True, changes=(Topic.SETTINGS,)),
    Verb("settings-undo", Role.OWNER, At, undo, confirmed=True, changes=(Topic.SETTINGS,)),
)
