"""The section [policy]: who is told of whom, by which channels, in which words, and how soon again.

Rules are read from the top and the first that fits wins; what it leaves out is as it would be without any rule.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from facesecure.config.base import Section
from facesecure.domain.errors import UsageError, did_you_mean
from facesecure.domain.names import person_name
from facesecure.domain.schedule import Hours

ALL, NONE = "all", "none"
PEOPLE = ("known", "stranger", "unidentified")
SPEAKS = ("google_home", "speaker")

Verdict = Literal["known", "stranger", "unidentified", "camera", "service"]
ModeName = Literal["home", "away", "off"]


def _several(value: Any) -> Any:
    """One word stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _hours(text: str) -> str:
    Hours.parse(text)
    return text


def _name(text: str) -> str:
    try:
        return person_name(text)
    except UsageError as error:
        raise ValueError(error.message) from error


def _configured(context: str) -> Callable[[str, ValidationInfo], str]:
    """A validator that knows the plugins by the validation's context; without one it knows nothing and lets pass."""

    def check(name: str, info: ValidationInfo) -> str:
        known = (info.context or {}).get(context)
        if known is None or name in known or name in (ALL, NONE):
            return name
        hint = did_you_mean(name, [*known, ALL, NONE]) or f"there are: {', '.join(sorted(known)) or 'none'}"
        raise ValueError(f"there is no [plugins.{name}] in the configuration; {hint}")

    return check


HoursText = Annotated[str, AfterValidator(_hours)]
Name = Annotated[str, AfterValidator(_name)]
Channel = Annotated[str, AfterValidator(_configured("plugins"))]


class When(Section):
    """What a rule is about. Everything that is given must hold; of several words one is enough."""

    verdict: Annotated[tuple[Verdict, ...], BeforeValidator(_several)] = Field(
        (), description="known | stranger | unidentified | camera | service, or several of them; left out: any"
    )
    name: Annotated[tuple[Name, ...], BeforeValidator(_several)] = Field((), description="who, of those known")
    mode: Annotated[tuple[ModeName, ...], BeforeValidator(_several)] = Field(
        ("home", "away"), description="home | away | off, or several of them; left out: home and away"
    )
    between: Annotated[tuple[HoursText, ...], BeforeValidator(_several)] = Field(
        (), description='hours, such as "22:00-07:00" or "Mon-Fri 09:00-17:00"'
    )
    quiet: bool | None = Field(None, description="true: only in quiet hours; false: only outside of them")

    @model_validator(mode="after")
    def _only_the_known_have_names(self) -> When:
        others = [verdict for verdict in self.verdict if verdict != "known"]
        if self.name and others:
            raise ValueError(f"only somebody known has a name: leave out name, or {others[0]!r} from verdict")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The verdicts it is about; none means any."""
        return ("known",) if self.name else self.verdict


class RuleConfig(Section):
    """What is to happen when."""

    when: When = Field(default_factory=lambda: When(), description="what it is about; left out: everything")
    channels: Annotated[tuple[Channel, ...] | None, BeforeValidator(_several)] = Field(
        None, description='the plugins to tell, "all" or "none"'
    )
    say: str | None = Field(None, min_length=1, description="the words, with {name}, {where} and {place}")
    cooldown: float | None = Field(None, ge=0, le=86400, description="seconds before the same visitor is told of again")

    @model_validator(mode="after")
    def _makes_sense(self) -> RuleConfig:
        complaints = [*_purpose(self), *_channels(self.channels), *(_words(self.say, self.when) if self.say else ())]
        if complaints:
            raise ValueError("; ".join(complaints))
        return self


def _purpose(rule: RuleConfig) -> list[str]:
    nothing = rule.channels is None and rule.say is None and rule.cooldown is None
    return ["it changes nothing: give it channels, say or cooldown"] if nothing else []


def _channels(channels: tuple[str, ...] | None) -> list[str]:
    alone = [word for word in (ALL, NONE) if channels and word in channels and len(channels) > 1]
    return [f"channels: {alone[0]!r} stands alone"] if alone else []


def _words(say: str, when: When) -> list[str]:
    """What is wrong with the words of a rule."""
    if not when.kinds or not set(when.kinds) <= set(PEOPLE):
        about = "what is said of the camera and the service is in [speech.phrases]"
        return [f"say: words are about somebody: name the verdicts, some of {', '.join(PEOPLE)} ({about})"]
    slots = ("name", "where", "place") if when.kinds == ("known",) else ("where", "place")
    try:
        parts = [part for part in string.Formatter().parse(say) if part[1] is not None]
    except ValueError as error:
        return [f"say: {error}; a slot is written {{where}}"]
    wrong = [slot for _, slot, form, how in parts if slot not in slots or form or how]
    if not wrong:
        return [] if any(map(str.isalnum, say)) else ["say: it says nothing"]
    hint = did_you_mean(str(wrong[0]), slots, shown=_slot) or f"there is {' '.join(map(_slot, slots))}"
    return [f"say: there is no {{{wrong[0]}}} where the verdict is {' or '.join(when.kinds)}; {hint}"]


def _slot(name: str) -> str:
    return f"{{{name}}}"


class PolicyConfig(Section):
    """Who is told of whom, how, and how soon again. A cool-down is each visitor's own: no new face is held back."""

    mode: ModeName = Field(
        "home", description="home | away | off: until somebody says otherwise with: facesecure arm home|away|off"
    )
    away: list[HoursText] = Field(
        default_factory=list,
        description='hours when home becomes away by itself, such as ["Mon-Fri 09:00-17:00"]; what was armed by hand '
        "since they began holds, and off stays off",
    )
    quiet: list[HoursText] = Field(
        default_factory=list,
        description='quiet hours, such as ["22:00-07:00", "weekends 22:00-09:00"]: nothing is said aloud but that '
        "there is a stranger; messages come all the same",
    )
    aloud: list[str] = Field(
        default_factory=lambda: list(SPEAKS), description="the plugins that speak aloud, to be silent in quiet hours"
    )
    known_cooldown: float = Field(
        300.0, ge=0, le=86400, description="seconds before the same person is told of again; 0: always"
    )
    stranger_cooldown: float = Field(
        120.0, ge=0, le=86400, description="the same for the same stranger, told by the face; another is told at once"
    )
    unidentified_cooldown: float = Field(
        300.0, ge=0, le=86400, description="the same for somebody or something without a usable face"
    )
    camera_cooldown: float = Field(600.0, ge=0, le=86400, description="the same for a trouble of the camera")
    camera_settle: float = Field(
        30.0, ge=0, le=3600, description="seconds the camera must work again to be told as back; longer if it flaps"
    )
    service_cooldown: float = Field(3600.0, ge=0, le=86400, description="the same for an event of the service")
    rules: list[RuleConfig] = Field(
        default_factory=list,
        description="what is to be otherwise; the first that fits wins, and what it leaves out is as without it: "
        '[{ when = { verdict = "known", name = "Anna", mode = "away", between = "22:00-07:00" }, channels = ["log"], '
        'say = "{name} is home", cooldown = 900 }]; or a table [[policy.rules]] for each; see docs/arming.md',
    )

    def cooldown(self, kind: str) -> float:
        """Seconds, for one of ``Verdict``."""
        return float(getattr(self, f"{kind}_cooldown"))
