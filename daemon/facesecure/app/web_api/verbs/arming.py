"""When it is armed: the hours of the week, the rules, and what would happen if somebody came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.app.web_api.verbs.settings import Revision, problems_of, saved
from facesecure.config.loader import validated
from facesecure.config.policy import PolicyConfig, RuleConfig
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from facesecure.domain.names import name_key
from facesecure.domain.schedule import Hours
from facesecure.services import settings_file
from facesecure.services.settings_file import SettingsRefused
from facesecure.services.what_if import Guest, Question, what_if

MOST_HOURS = 42
_AHEAD = timedelta(days=8)
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_END = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"
_KINDS = ("away", "quiet")


class Span(Arguments):
    """Hours on some days of the week, 0 is Monday; an end that is not after the start is on the next day."""

    days: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]
    start: Annotated[str, Field(pattern=_CLOCK)]
    end: Annotated[str, Field(pattern=_END)]


class Week(Arguments):
    """The hours when it arms itself, and the quiet ones; ``revision`` is that of the settings they were made from."""

    revision: Revision
    away: list[Span] = Field(max_length=MOST_HOURS)
    quiet: list[Span] = Field(max_length=MOST_HOURS)


class Imagined(Arguments):
    """Who comes where and when, in which mode; each is by default as it is now."""

    guest: Annotated[Guest, Field(strict=False)] = Guest.STRANGER
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    camera: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    at: Annotated[datetime, Field(strict=False)] | None = None
    mode: Annotated[Mode, Field(strict=False)] | None = None


def arming(call: Call[Nothing]) -> Answer:
    """Return the mode, the hours of the week, the rules, and whom and what a question can be about."""
    parts, armed = call.parts, call.parts.commands.arming.armed
    policy, revision = _written(call)
    access = parts.settings
    return Answer(
        {
            "mode": parts.policy.mode.value,
            "set": armed.mode.value,
            "since": armed.since.isoformat() if armed.since else None,
            "leaving": parts.commands.arming.leaving,
            **parts.commands.entry_document(),
            "delays": {"exit": policy.exit_delay, "entry": policy.entry_delay, "for": list(policy.entry_delay_for)},
            "known_disarms": list(policy.known_disarms),
            **parts.commands.presence_document(),
            "by_presence": {"arm": parts.config.presence.arm, "disarm": parts.config.presence.disarm},
            "quiet_now": parts.policy.quiet,
            "now": datetime.now().astimezone().isoformat(timespec="minutes"),
            "hours": {kind: [_as_json(text) for text in getattr(policy, kind)] for kind in _KINDS},
            "rules": [_rule(rule) for rule in policy.rules],
            "cooldowns": _cooldowns(policy),
            "aloud": [report.name for report in parts.dispatcher.reports() if report.name in policy.aloud],
            "people": [person.name for person in parts.store.people()],
            "cameras": list(parts.policy.cameras),
            "channels": [report.name for report in parts.dispatcher.reports()],
            "revision": revision,
            "applying": access is not None and access.applying(),
            "rejected": access is not None and settings_file.history(access.place).rejected is not None,
        }
    )


def save_hours(call: Call[Week]) -> Answer:
    """Set the hours when it arms itself, and the quiet ones."""
    (policy, _), week = _written(call), call.arguments
    changes: dict[KeyPath, Any] = {
        ("policy", kind): texts
        for kind, spans in (("away", week.away), ("quiet", week.quiet))
        if (texts := _texts(kind, spans)) != [Hours.parse(text).text for text in getattr(policy, kind)]
    }
    try:
        return Answer(saved(call, changes, week.revision))
    except SettingsRefused as error:
        return Answer({"problems": problems_of(error), "diff": "", "names": [], "applying": False})


def _written(call: Call[Any]) -> tuple[PolicyConfig, str | None]:
    """Return the policy as it is written, with its revision: a change may not be in use yet. None: it is no file's."""
    access = call.parts.settings
    if access is None:
        return call.parts.config.policy, None
    settings = settings_file.read(access.place)
    config, _ = validated(settings.file)
    return (config or call.parts.config).policy, settings.revision


def imagine(call: Call[Imagined]) -> Answer:
    """Return what would happen, without notifying anybody. Raises Refused if there is no such person or camera."""
    asked, parts = call.arguments, call.parts
    name = None
    if asked.guest is Guest.KNOWN:
        name = _known(asked.name, (person.name for person in parts.store.people()), "name")
    camera = None if asked.camera is None else _known(asked.camera, parts.policy.cameras, "camera")
    question = Question(asked.guest, name, camera, _moment(asked.at), asked.mode)
    return Answer(what_if(parts.policy, parts.dispatcher, question))


def _moment(at: datetime | None) -> datetime | None:
    """Return ``at``, a time of the house if it has no zone. Raises Refused if it is not in the days to come."""
    if at is None:
        return None
    now = datetime.now(UTC)
    try:
        at = at.astimezone()
    except (OverflowError, ValueError):  # a year in which a zone cannot be looked up, such as 1 or 9999
        at = datetime.max.replace(tzinfo=UTC)
    if not now - timedelta(days=1) <= at <= now + _AHEAD:
        raise Refused(Refusal.INVALID, "the time must be within the next week", argument="at")
    return at


def _known(wanted: str | None, names: Iterable[str], argument: str) -> str:
    """Return which of ``names`` is ``wanted``. Raises Refused if none is."""
    by_key = {name_key(name): name for name in names}
    found = by_key.get(name_key(wanted)) if wanted and wanted.strip() else None
    if found is None:
        raise Refused(Refusal.INVALID, f"there is nobody and nothing called {wanted!r}", argument=argument)
    return found


def _texts(kind: str, spans: Sequence[Span]) -> list[str]:
    """Return ``spans`` as the configuration writes them. Raises Refused for one that ends as it begins."""
    texts = []
    for span in spans:
        if span.start == span.end:
            message = "hours cannot begin and end at the same time; a whole day is 00:00 to 24:00"
            raise Refused(Refusal.INVALID, message, argument=kind)
        start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (span.start, span.end))
        texts.append(Hours(start, end, frozenset(span.days)).text)
    return list(dict.fromkeys(texts))


def _as_json(text: str) -> dict[str, Any]:
    hours = Hours.parse(text)
    return {"text": hours.text, "days": sorted(hours.days), "start": hours.start, "end": hours.end}


def _rule(rule: RuleConfig) -> dict[str, Any]:
    """Return the conditions of ``rule`` and what applies then; what it leaves out is empty or null."""
    when = rule.when
    return {
        "verdict": list(when.kinds),
        "name": list(when.name),
        "mode": list(when.mode),
        "between": [Hours.parse(text).text for text in when.between],
        "quiet": when.quiet,
        "camera": list(when.camera),
        "doubt": when.doubt,
        "subject": list(when.subject),
        "channels": None if rule.channels is None else list(rule.channels),
        "say": rule.say,
        "cooldown": rule.cooldown,
    }


def _cooldowns(policy: PolicyConfig) -> dict[str, float]:
    return {kind: policy.cooldown(kind) for kind in ("known", "stranger", "unidentified", "camera", "service")}


VERBS = (
    Verb("arming", Role.VIEWER, Nothing, arming),
    Verb("arming-hours", Role.MEMBER, Week, save_hours, confirmed=True, changes=(Topic.SETTINGS,)),
    Verb("what-if", Role.VIEWER, Imagined, imagine),
)
