"""What is to happen on an occasion: the first of the household's rules that fits, or else what is usual.

Usual is: everybody in use is told. In quiet hours nobody who speaks aloud is, but of a stranger. Where it is disarmed
nobody is told of anybody, and troubles of the camera or the service go to the log alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from facesecure.alerts.policy.arming import Armed, Mode
from facesecure.config.policy import ALL, NONE, PolicyConfig, RuleConfig
from facesecure.domain import AlertKind
from facesecure.domain.errors import did_you_mean
from facesecure.domain.names import name_key
from facesecure.domain.schedule import Hours, wall_clock, within

Channels = tuple[str, ...] | None
"""Plugins by name; None is every one in use, and none at all is nobody."""

NOBODY: tuple[str, ...] = ()
_LOG = "log"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleContext:
    """Something to tell of: what, of whom, in which mode, and when (aware)."""

    kind: AlertKind
    name: str | None
    mode: Mode
    now: datetime


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """Whom to tell, in which words (None: the usual ones), and seconds until the same visitor is told of again."""

    channels: Channels
    say: str | None
    cooldown: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the household's."""

    config: RuleConfig
    hours: tuple[Hours, ...]
    names: frozenset[str]
    channels: Channels
    """None as well where the rule leaves it to what is usual."""
    decides_channels: bool

    @classmethod
    def of(cls, config: RuleConfig, reachable: Callable[[str], bool]) -> Rule:
        when = config.when
        hours = tuple(map(Hours.parse, when.between))
        names = frozenset(map(name_key, when.name))
        if config.channels is None or config.channels == (ALL,):
            return cls(config, hours, names, None, decides_channels=config.channels is not None)
        wanted = () if config.channels == (NONE,) else config.channels
        channels = tuple(name for name in wanted if reachable(name))
        return cls(config, hours, names, channels, decides_channels=channels != () or wanted == ())

    def fits(self, occasion: RuleContext, local: datetime, quiet: bool) -> bool:
        when = self.config.when
        return (
            (not when.kinds or occasion.kind.value in when.kinds)
            and (not self.names or (occasion.name is not None and name_key(occasion.name) in self.names))
            and occasion.mode.value in when.mode
            and (not self.hours or within(self.hours, local) is not None)
            and when.quiet in (None, quiet)
        )


class RuleSet:
    """The household's rules beside what is usual. ``in_use`` are the plugins by name."""

    def __init__(
        self,
        config: PolicyConfig,
        in_use: Collection[str] = (),
        fallback: Mapping[str, str] | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        """``fallback``: who stands in for whom, and is told of nothing else. ``zone``: left out, the machine's."""
        self._config = config
        self._in_use, self._fallback = tuple(in_use), dict(fallback or {})
        spare = {self._fallback[name] for name in self._in_use if name in self._fallback}
        self._usual = tuple(name for name in self._in_use if name not in spare)
        self._zone = zone
        self._quiet = tuple(map(Hours.parse, config.quiet))
        self._away = tuple(map(Hours.parse, config.away))
        self.rules = tuple(Rule.of(rule, self._reachable) for rule in config.rules)
        self._warn()

    def local(self, now: datetime) -> datetime:
        """What the clock on the household's wall shows."""
        return wall_clock(now, self._zone)

    def quiet(self, now: datetime) -> bool:
        return within(self._quiet, self.local(now)) is not None

    def mode(self, armed: Armed, now: datetime) -> Mode:
        """As armed, or away in the hours that make it so; what was armed by hand since those hours began holds."""
        began = within(self._away, self.local(now))
        if began is None or armed.mode is not Mode.HOME:
            return armed.mode
        by_hand = armed.since is not None and self.local(armed.since) >= began
        return Mode.HOME if by_hand else Mode.AWAY

    def treat(self, occasion: RuleContext) -> RuleOutcome:
        quiet, local = self.quiet(occasion.now), self.local(occasion.now)
        cooldown = self._config.cooldown(occasion.kind.value)
        usual = RuleOutcome(self._usual_channels(occasion, quiet), None, cooldown)
        rule = next((rule for rule in self.rules if rule.fits(occasion, local, quiet)), None)
        if rule is None:
            return usual
        return RuleOutcome(
            rule.channels if rule.decides_channels else usual.channels,
            rule.config.say,
            usual.cooldown if rule.config.cooldown is None else rule.config.cooldown,
        )

    def _warn(self) -> None:
        for number, rule in enumerate(self.rules, 1):
            if not rule.decides_channels and rule.config.channels is not None:
                names = ", ".join(rule.config.channels)
                _log.warning("policy rule %d tells %s, not in use now: what is usual is done instead", number, names)

    def _usual_channels(self, occasion: RuleContext, quiet: bool) -> Channels:
        about_us = occasion.kind in (AlertKind.CAMERA, AlertKind.SERVICE)
        if occasion.mode is Mode.OFF:
            return tuple(name for name in self._in_use if about_us and name == _LOG)
        if not quiet or occasion.kind is AlertKind.STRANGER:
            return None
        silent = tuple(name for name in self._usual if name not in self._config.aloud)
        return None if silent == self._usual else silent

    def _reachable(self, name: str) -> bool:
        """Whether a plugin of that name is in use, or one that stands in for it."""
        after = self._fallback.get(name)
        return name in self._in_use or (after is not None and self._reachable(after))


def together(one: Channels, other: Channels) -> Channels:
    """The plugins of both."""
    return None if one is None or other is None else tuple(dict.fromkeys((*one, *other)))


def warn_of_unknown(config: PolicyConfig, names: Iterable[str]) -> None:
    """Log which rules are about somebody who is not enrolled: a slip of the pen, or somebody still to come."""
    enrolled = {name_key(name): name for name in names}
    for number, rule in enumerate(config.rules, 1):
        for name in rule.when.name:
            if name_key(name) in enrolled:
                continue
            hint = did_you_mean(name_key(name), enrolled, prefix="; ", shown=lambda key: repr(enrolled[key]))
            _log.warning("policy rule %d is about %s, who is not enrolled%s", number, name, hint)
