"""The household's rules: the first that matches decides, or else the defaults.

By default every plugin in use is notified, of movement that is no person's the log alone. In quiet hours plugins that
speak aloud are left out, except for strangers.
When disarmed, no one is notified of visitors, and troubles of the camera or the service go to the log alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from facesecure.alerts.policy.arming import Armed
from facesecure.config.policy import ALL, NONE, PolicyConfig, RuleConfig
from facesecure.domain import AlertKind, Subject
from facesecure.domain.errors import did_you_mean
from facesecure.domain.mode import Mode
from facesecure.domain.names import camera_key, name_key
from facesecure.domain.schedule import Hours, wall_clock, within

Channels = tuple[str, ...] | None
"""Plugins by name; None is every one in use, and an empty tuple is none."""

NO_CHANNELS: tuple[str, ...] = ()
_LOG = "log"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleContext:
    """The facts that rules are matched against: kind of alert, name of the person, mode, time (aware), and camera.

    ``doubted``: whether it is a known person, or a picture of them. ``subject``: what was seen instead of a face; None
    if there was one, or nobody looked.
    """

    kind: AlertKind
    name: str | None
    mode: Mode
    now: datetime
    camera: str | None = None
    doubted: bool = False
    subject: Subject | None = None

    @property
    def unknown_movement(self) -> bool:
        """Whether something moved that was looked at and is no person: an animal, a vehicle, a shadow."""
        return self.kind is AlertKind.UNIDENTIFIED and self.subject not in (None, Subject.PERSON)


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """The channels to notify, the words (None: the default ones), and the cool-down of that visitor in seconds."""

    channels: Channels
    say: str | None
    cooldown: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """An outcome, and the number of the rule that it is of, from 1; None if it is that of the defaults."""

    outcome: RuleOutcome
    rule: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the configuration, parsed."""

    config: RuleConfig
    hours: tuple[Hours, ...]
    names: frozenset[str]
    cameras: frozenset[str]
    channels: Channels
    """Also None if the rule leaves the channels to the defaults."""
    decides_channels: bool

    @classmethod
    def of(cls, config: RuleConfig, reachable: Callable[[str], bool]) -> Rule:
        """Parse ``config``; ``reachable`` says whether a plugin of that name, or a fallback of it, is in use."""
        when = config.when
        hours = tuple(map(Hours.parse, when.between))
        names, cameras = frozenset(map(name_key, when.name)), frozenset(map(camera_key, when.camera))
        if config.channels is None or config.channels == (ALL,):
            return cls(config, hours, names, cameras, None, decides_channels=config.channels is not None)
        wanted = () if config.channels == (NONE,) else config.channels
        channels = tuple(name for name in wanted if reachable(name))
        return cls(config, hours, names, cameras, channels, decides_channels=channels != () or wanted == ())

    def matches(self, context: RuleContext, local: datetime, quiet: bool) -> bool:
        """Return whether every condition holds at the wall-clock time ``local``, in or outside the quiet hours."""
        when = self.config.when
        return (
            (not when.kinds or context.kind.value in when.kinds)
            and (not self.names or (context.name is not None and name_key(context.name) in self.names))
            and (not self.cameras or (context.camera is not None and camera_key(context.camera) in self.cameras))
            and context.mode.value in when.mode
            and (not self.hours or within(self.hours, local) is not None)
            and when.quiet in (None, quiet)
            and self._fits_doubt(context)
            and (not when.subject or (context.subject is not None and (context.subject or "nothing") in when.subject))
        )

    def _fits_doubt(self, context: RuleContext) -> bool:
        """Return whether the rule is for visits as doubtful as this one.

        What a household wants for its known people is not meant for pictures of them, unless it says so.
        """
        if self.config.when.doubt is None:
            return not context.doubted or not self.config.when.kinds
        return self.config.when.doubt == context.doubted


class RuleSet:
    """The household's rules with the defaults behind them.

    Example::

        rules = RuleSet(config.policy, in_use=["log", "speaker"])
        rules.outcome(RuleContext(AlertKind.STRANGER, None, Mode.HOME, now)).channels
    """

    def __init__(
        self,
        config: PolicyConfig | None = None,
        in_use: Collection[str] = (),
        fallback: Mapping[str, str] | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        """Parse the rules of ``config`` for the plugins ``in_use``, by name; log those that name none of them.

        ``fallback``: which plugin stands in for which; such a plugin gets no other alerts. ``zone``: the household's
        time zone, by default the machine's.
        """
        self.config = config or PolicyConfig()
        self._in_use, self._fallback = tuple(in_use), dict(fallback or {})
        fallbacks = {self._fallback[name] for name in self._in_use if name in self._fallback}
        self._default = tuple(name for name in self._in_use if name not in fallbacks)
        self._zone = zone
        self._quiet = tuple(map(Hours.parse, self.config.quiet))
        self._away = tuple(map(Hours.parse, self.config.away))
        self.rules = tuple(Rule.of(rule, self._reachable) for rule in self.config.rules)
        self._warn()

    def local(self, now: datetime) -> datetime:
        """Return the household's wall-clock time at ``now``."""
        return wall_clock(now, self._zone)

    def quiet(self, now: datetime) -> bool:
        """Return whether ``now`` is within the quiet hours."""
        return within(self._quiet, self.local(now)) is not None

    def mode(self, armed: Armed, now: datetime) -> Mode:
        """Return the mode as armed, or away within the away hours unless it was set since they began."""
        began = within(self._away, self.local(now))
        if began is None or armed.mode is not Mode.HOME:
            return armed.mode
        set_since = armed.since is not None and self.local(armed.since) >= began
        return Mode.HOME if set_since else Mode.AWAY

    def outcome(self, context: RuleContext) -> RuleOutcome:
        """Return the outcome of the first rule that matches ``context``, completed by the defaults."""
        return self.ruling(context).outcome

    def ruling(self, context: RuleContext) -> Ruling:
        """Return the outcome for ``context`` as ``outcome`` does, and which rule it is of."""
        quiet, local = self.quiet(context.now), self.local(context.now)
        cooldown = self.config.cooldown(context.kind.value)
        default = RuleOutcome(self._default_channels(context, quiet), None, cooldown)
        matching = (pair for pair in enumerate(self.rules, 1) if pair[1].matches(context, local, quiet))
        number, rule = next(matching, (None, None))
        if rule is None:
            return Ruling(default)
        outcome = RuleOutcome(
            rule.channels if rule.decides_channels else default.channels,
            rule.config.say,
            default.cooldown if rule.config.cooldown is None else rule.config.cooldown,
        )
        return Ruling(outcome, number)

    def _warn(self) -> None:
        for number, rule in enumerate(self.rules, 1):
            if not rule.decides_channels and rule.config.channels is not None:
                names = ", ".join(rule.config.channels)
                _log.warning("policy rule %d: %s is not in use; the default channels are used instead", number, names)

    def _default_channels(self, context: RuleContext, quiet: bool) -> Channels:
        system = context.kind in (AlertKind.CAMERA, AlertKind.SERVICE)
        if context.mode is Mode.OFF:
            return tuple(name for name in self._in_use if system and name == _LOG)
        if context.unknown_movement:
            return tuple(name for name in self._in_use if name == _LOG)
        if not quiet or context.doubted or context.kind is AlertKind.STRANGER:
            return None
        silent = tuple(name for name in self._default if name not in self.config.aloud)
        return None if silent == self._default else silent

    def _reachable(self, name: str) -> bool:
        """Return whether a plugin of that name, or a fallback of it, is in use."""
        after = self._fallback.get(name)
        return name in self._in_use or (after is not None and self._reachable(after))


def union(one: Channels, other: Channels) -> Channels:
    """Return the plugins of both."""
    return None if one is None or other is None else tuple(dict.fromkeys((*one, *other)))


def warn_of_unknown(config: PolicyConfig, names: Iterable[str]) -> None:
    """Log the rules about a person who is not enrolled: a misspelt name, or a person still to be enrolled."""
    enrolled = {name_key(name): name for name in names}
    for number, rule in enumerate(config.rules, 1):
        for name in rule.when.name:
            if name_key(name) in enrolled:
                continue
            hint = did_you_mean(name_key(name), enrolled, prefix="; ", shown=lambda key: repr(enrolled[key]))
            _log.warning("policy rule %d is about %s, who is not enrolled%s", number, name, hint)
