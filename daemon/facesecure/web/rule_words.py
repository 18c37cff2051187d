"""Say a household's rules in words, and what would happen if somebody came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facesecure.web.language import Language
from facesecure.web.times import seconds_in_words

_VERDICTS = {
    "known": "a known person",
    "stranger": "a stranger",
    "unidentified": "somebody without a usable face",
    "camera": "a camera fault",
    "service": "a fault of facesecure",
}
_SUBJECTS = {
    "person": "a person without a visible face",
    "animal": "an animal",
    "vehicle": "a vehicle",
    "nothing": "movement that is nothing known",
}
_MODES = {"home": "armed home", "away": "armed away", "off": "disarmed"}
_WHYS = {
    "off": "Nobody would be notified: the house is disarmed.",
    "rule": "Nobody would be notified: rule %(rule)s says so.",
    "quiet": "Nobody would be notified: these are quiet hours, and every channel speaks aloud.",
    "movement": "Nobody would be notified: such movement is only for the log, which is not in use.",
    "cooldown": "Nobody would be notified again for %(time)s: an alert about the same visitor was sent just before.",
    "no-channel": "Nobody would be notified: no channel is in use.",
}
TEXTS = (*_VERDICTS.values(), *_SUBJECTS.values(), *_MODES.values(), *_WHYS.values())
_SHORT_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
TEXTS = (*TEXTS, *_SHORT_DAYS)


def rule_in_words(rule: Mapping[str, Any], _: Language) -> str:
    """Return what ``rule``, as the daemon answers it, is about and what it does."""
    conditions = [text for text in _conditions(rule, _) if text]
    return _("%(who)s: %(what)s.", who=", ".join(conditions), what="; ".join(_effects(rule, _)))


def outcome_in_words(found: Mapping[str, Any], _: Language) -> str:
    """Return why nobody would be notified; empty if somebody would be."""
    why = found["why"]
    if why is None:
        return ""
    return _(_WHYS[why], rule=found["rule"], time=seconds_in_words(found["wait"], _))


def pause_in_words(seconds: float, _: Language) -> str:
    """Return how long there is no other alert: "5 min", or "0 s"."""
    return seconds_in_words(seconds, _) if seconds > 0 else _("%(n)s s", n=0)


def mode_in_words(mode: str, _: Language) -> str:
    """Return a mode as people say it: "armed away"."""
    return _(_MODES[mode])


def days_in_words(days: Sequence[int], _: Language) -> str:
    """Return the days of the week, 0 is Monday: "Mon to Fri"."""
    if len(days) == len(_SHORT_DAYS):
        return _("every day")
    spans = []
    for first in (day for day in days if day - 1 not in days):
        last = first
        while last + 1 in days:
            last += 1
        one, other = _(_SHORT_DAYS[first]), _(_SHORT_DAYS[last])
        spans.append(one if first == last else _("%(first)s to %(last)s", first=one, last=other))
    return ", ".join(spans)


def short_days(_: Language) -> list[str]:
    """Return the short names of the days, Monday first."""
    return [_(day) for day in _SHORT_DAYS]


def _conditions(rule: Mapping[str, Any], _: Language) -> Iterator[str]:
    yield _subject(rule, _)
    if rule["doubt"] is not None:
        yield _("who may be a picture") if rule["doubt"] else _("who is no picture")
    if rule["camera"]:
        yield _("at: %(cameras)s", cameras=_either(rule["camera"], _))
    if rule["mode"] != ["home", "away"]:
        yield _("while %(modes)s", modes=_either([_(_MODES[mode]) for mode in rule["mode"]], _))
    if rule["between"]:
        yield _("at %(hours)s", hours=_either(rule["between"], _))
    if rule["quiet"] is not None:
        yield _("in quiet hours") if rule["quiet"] else _("outside of quiet hours")


def _subject(rule: Mapping[str, Any], _: Language) -> str:
    if rule["name"]:
        return _either(rule["name"], _)
    if rule["subject"]:
        return _either([_(_SUBJECTS[one]) for one in rule["subject"]], _)
    if rule["verdict"]:
        return _either([_(_VERDICTS[one]) for one in rule["verdict"]], _)
    return _("whoever comes")


def _effects(rule: Mapping[str, Any], _: Language) -> Iterator[str]:
    channels = rule["channels"]
    if channels == ["none"]:
        yield _("nobody is notified")
    elif channels == ["all"]:
        yield _("every channel notifies")
    elif channels is not None:
        yield _("notified by %(channels)s", channels=", ".join(channels))
    if rule["say"]:
        yield _("in the words “%(words)s”", words=rule["say"])
    if rule["cooldown"] is not None:
        yield _("again after %(time)s", time=pause_in_words(rule["cooldown"], _))


def _either(parts: Sequence[str], _: Language) -> str:
    *first, last = parts
    return _("%(first)s or %(last)s", first=", ".join(first), last=last) if first else str(last)
