"""The section [policy]: which visits raise an alert, on which channels, in which words, and how soon again.

The first rule that matches applies; for everything that it leaves out, the defaults apply.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from facesecure.config.base import Section, SettingError
from facesecure.domain.errors import UsageError, did_you_mean
from facesecure.domain.names import camera_key, person_name
from facesecure.domain.schedule import Hours

ALL, NONE = "all", "none"
DEFAULT_PLUGIN = "log"
"""The plugin that is in use unless the configuration switches it off."""
PEOPLE = ("known", "stranger", "unidentified")
SPEAKS = ("google_home", "speaker")
LONGEST_DELAY = 300.0
"""Seconds: whoever may arm could otherwise put an alarm off for long."""

Verdict = Literal["known", "stranger", "unidentified", "camera", "service"]
ModeName = Literal["home", "away", "off"]
SubjectName = Literal["person", "animal", "vehicle", "nothing"]
VisitorKind = Literal["known", "stranger", "unidentified"]


def _several(value: Any) -> Any:
    """Accept a single word as a list of one."""
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
    """Return a validator that checks a name against the validation context; without a context it accepts any name."""

    def check(name: str, info: ValidationInfo) -> str:
        known = (info.context or {}).get(context)
        if known is None or name in known or name in (DEFAULT_PLUGIN, ALL, NONE):
            return name
        hint = did_you_mean(name, [*known, ALL, NONE]) or f"there are: {', '.join(sorted(known)) or 'none'}"
        raise ValueError(f"there is no [plugins.{name}] in the configuration; {hint}")

    return check


def _camera(name: str, info: ValidationInfo) -> str:
    """Check the name of a camera against the validation context; without a context any name is accepted."""
    known = (info.context or {}).get("cameras")
    keys = {camera_key(each): each for each in known or ()}
    if known is None or camera_key(name) in keys:
        return name
    hint = did_you_mean(camera_key(name), keys, shown=lambda key: repr(keys[key]))
    names = ", ".join(map(repr, known))
    raise ValueError(f"there is no camera called {name!r}; {hint or f'there are: {names}'}")


HoursText = Annotated[str, AfterValidator(_hours)]
Name = Annotated[str, AfterValidator(_name)]
Camera = Annotated[str, AfterValidator(_camera)]
Channel = Annotated[str, AfterValidator(_configured("plugins"))]


class When(Section):
    """The conditions of a rule. All that are given must hold; of a list, one item is enough."""

    verdict: Annotated[tuple[Verdict, ...], BeforeValidator(_several)] = Field(
        (), description="known | stranger | unidentified | camera | service, or a list of them; by default any"
    )
    name: Annotated[tuple[Name, ...], BeforeValidator(_several)] = Field((), description="the names of known people")
    mode: Annotated[tuple[ModeName, ...], BeforeValidator(_several)] = Field(
        ("home", "away"), description="home | away | off, or a list of them; by default home and away"
    )
    between: Annotated[tuple[HoursText, ...], BeforeValidator(_several)] = Field(
        (), description='hours, such as "22:00-07:00" or "Mon-Fri 09:00-17:00"'
    )
    quiet: bool | None = Field(None, description="true: only in quiet hours; false: only outside of quiet hours")
    camera: Annotated[tuple[Camera, ...], BeforeValidator(_several)] = Field(
        (), description="the name of a camera, or a list of them; by default any"
    )

    @model_validator(mode="after")
    def _service_is_at_no_camera(self) -> When:
        if self.camera and "service" in self.verdict:
            raise ValueError("what befalls facesecure itself is at no camera: leave out camera, or 'service'")
        return self

    doubt: bool | None = Field(
        None,
        description="true: only known people whose face may be a picture held up; false: never for those; by default a "
        "rule that lists verdicts or names is not for them",
    )

    @model_validator(mode="after")
    def _only_the_known_are_doubted(self) -> When:
        if self.doubt and self.kinds and "known" not in self.kinds:
            raise ValueError("doubt: only a known person may be a picture: add 'known' to verdict, or leave out doubt")
        return self

    subject: Annotated[tuple[SubjectName, ...], BeforeValidator(_several)] = Field(
        (),
        description="what moved without a usable face: person | animal | vehicle | nothing (known), or a list of them; "
        "by default any",
    )

    @model_validator(mode="after")
    def _only_the_unidentified_have_subjects(self) -> When:
        others: list[str] = [verdict for verdict in self.verdict if verdict != "unidentified"]
        others += ["name"] if self.name else []
        if self.subject and others:
            raise ValueError(f"a subject is what moved without a usable face: leave out subject, or {others[0]!r}")
        return self

    @model_validator(mode="after")
    def _only_the_known_have_names(self) -> When:
        others = [verdict for verdict in self.verdict if verdict != "known"]
        if self.name and others:
            raise ValueError(f"only a known person has a name: leave out name, or {others[0]!r} from verdict")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The verdicts that the rule applies to; empty means any."""
        if self.subject:
            return ("unidentified",)
        return ("known",) if self.name else self.verdict


class RuleConfig(Section):
    """A rule: its conditions, and what applies if they hold."""

    when: When = Field(default_factory=lambda: When(), description="the conditions; by default every alert matches")
    channels: Annotated[tuple[Channel, ...] | None, BeforeValidator(_several)] = Field(
        None, description='the plugins to notify, or "all" or "none"'
    )
    say: str | None = Field(None, min_length=1, description="the sentence, with {name}, {where} and {place}")
    cooldown: float | None = Field(
        None, ge=0, le=86400, description="seconds before another alert about the same visitor"
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> RuleConfig:
        found = [*_purpose(self), *_channels(self.channels), *(_words(self.say, self.when) if self.say else ())]
        if found:
            raise ValueError("; ".join(found))
        return self


def _purpose(rule: RuleConfig) -> list[str]:
    nothing = rule.channels is None and rule.say is None and rule.cooldown is None
    return ["it changes nothing: add channels, say or cooldown"] if nothing else []


def _channels(channels: tuple[str, ...] | None) -> list[str]:
    alone = [word for word in (ALL, NONE) if channels and word in channels and len(channels) > 1]
    return [f"channels: {alone[0]!r} cannot be combined with others"] if alone else []


def _words(say: str, when: When) -> list[str]:
    """Return the problems of a rule's sentence."""
    if not when.kinds or not set(when.kinds) <= set(PEOPLE):
        about = "sentences about the camera and the service are in [speech.phrases]"
        return [f"say: a sentence is about people: list the verdicts, of {', '.join(PEOPLE)} ({about})"]
    slots = ("name", "where", "place") if when.kinds == ("known",) else ("where", "place")
    try:
        parts = [part for part in string.Formatter().parse(say) if part[1] is not None]
    except ValueError as error:
        return [f"say: {error}; a slot is written {{where}}"]
    wrong = [slot for _, slot, form, how in parts if slot not in slots or form or how]
    if not wrong:
        return [] if any(map(str.isalnum, say)) else ["say: it has no words"]
    hint = did_you_mean(str(wrong[0]), slots, shown=_slot) or f"there is {' '.join(map(_slot, slots))}"
    return [f"say: there is no {{{wrong[0]}}} where the verdict is {' or '.join(when.kinds)}; {hint}"]


def _slot(name: str) -> str:
    return f"{{{name}}}"


class PolicyConfig(Section):
    """Which visits raise an alert, how, and how soon again.

    Each visitor has a cool-down of their own, so that a new face always raises an alert.
    """

    mode: ModeName = Field(
        "home", description="home | away | off: the mode until it is changed with: facesecure arm home|away|off"
    )
    away: list[HoursText] = Field(
        default_factory=list,
        description='hours when home changes to away by itself, such as ["Mon-Fri 09:00-17:00"]; a mode set by hand '
        "since they began is kept, and off stays off",
    )
    quiet: list[HoursText] = Field(
        default_factory=list,
        description='quiet hours, such as ["22:00-07:00", "weekends 22:00-09:00"]: only strangers are announced '
        "aloud; messages are sent as usual",
    )
    aloud: list[str] = Field(
        default_factory=lambda: list(SPEAKS), description="the plugins that speak aloud: they are silent in quiet hours"
    )
    known_cooldown: float = Field(
        300.0, ge=0, le=86400, description="seconds before another alert about the same person; 0: always"
    )
    stranger_cooldown: float = Field(
        120.0,
        ge=0,
        le=86400,
        description="the same for a stranger, recognised by the face; another stranger raises an alert at once",
    )
    unidentified_cooldown: float = Field(300.0, ge=0, le=86400, description="the same for visits without a usable face")
    camera_cooldown: float = Field(600.0, ge=0, le=86400, description="the same for a camera fault")
    camera_settle: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="seconds that the camera must work before it is reported as back; longer if faults recur",
    )
    service_cooldown: float = Field(3600.0, ge=0, le=86400, description="the same for a service event")
    exit_delay: float = Field(
        0.0,
        ge=0,
        le=LONGEST_DELAY,
        description="seconds after arming away until away applies, so that whoever leaves is not reported; until then "
        "the mode before applies",
    )
    entry_delay: float = Field(
        0.0,
        ge=0,
        le=LONGEST_DELAY,
        description="seconds for which alerts about visitors wait while armed away, so that whoever comes home can "
        "disarm; then they are sent",
    )
    entry_delay_for: Annotated[list[VisitorKind], BeforeValidator(_several)] = Field(
        default_factory=lambda: list[VisitorKind](("stranger", "unidentified")),
        description="whose alerts wait: stranger | unidentified | known, or a list of them; known people who may be a "
        "picture wait as strangers do",
    )
    known_disarms: list[Name] = Field(
        default_factory=list,
        description="people whose face at the door changes away to home during the entry delay; only in daylight, and "
        "after: facesecure models pull antispoof; read docs/arming.md first",
        examples=[["Anna"]],
    )
    rules: list[RuleConfig] = Field(
        default_factory=list,
        description="exceptions to these settings; the first rule that matches applies, and what it leaves out keeps "
        "its default: "
        '[{ when = { verdict = "known", name = "Anna", mode = "away", between = "22:00-07:00" }, channels = ["log"], '
        'say = "{name} is home", cooldown = 900 }]; or a table [[policy.rules]] for each; see docs/arming.md',
    )

    @model_validator(mode="after")
    def _a_face_needs_time(self) -> PolicyConfig:
        if self.known_disarms and not self.entry_delay:
            raise SettingError("needs an entry_delay: a face disarms only during it", ("known_disarms",))
        return self

    def cooldown(self, kind: str) -> float:
        """Return the cool-down in seconds for a kind of ``Verdict``."""
        return float(getattr(self, f"{kind}_cooldown"))
