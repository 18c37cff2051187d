"""What the policy says: the household's own words where a rule has some, else the phrases of its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from facesecure.alerts.policy.visit import VisitToNotify
from facesecure.config.policy import PEOPLE, RuleConfig
from facesecure.domain import AlertKind
from facesecure.domain.messages import Phrases
from facesecure.domain.names import name_key


def sentence(phrases: Phrases, seen: VisitToNotify, say: str | None, *, correction: bool) -> str:
    """What to say of ``seen``. A correction is said as one, whatever a rule would say."""
    if say is not None and not correction:
        return phrases.own(say, seen.name)
    if seen.kind is AlertKind.KNOWN:
        return phrases.known(seen.name or "", correction=correction)
    if seen.kind is AlertKind.STRANGER:
        return phrases.stranger(correction=correction)
    return phrases.unidentified()


def every_sentence(phrases: Phrases, rules: Sequence[RuleConfig], names: Iterable[str]) -> list[str]:
    """All that a household with these ``names`` and ``rules`` can need said, the most urgent first; none twice."""
    names = list(names)
    own = [said for rule in rules for said in _own(phrases, rule, names)]
    of_strangers = [
        phrases.own(rule.say) for rule in rules if rule.say and "name" not in rule.say and _tells(rule, "stranger")
    ]
    drills = [phrases.drill(said) for said in of_strangers]
    return list(dict.fromkeys([*of_strangers, *phrases.every(names), *own, *drills]))


def _own(phrases: Phrases, rule: RuleConfig, names: Sequence[str]) -> Iterator[str]:
    if rule.say is None:
        return
    if any(_tells(rule, kind) for kind in PEOPLE if kind != "known"):
        yield phrases.own(rule.say)
        return
    wanted = {name_key(name) for name in rule.when.name}
    yield from (phrases.own(rule.say, name) for name in names if not wanted or name_key(name) in wanted)


def _tells(rule: RuleConfig, kind: str) -> bool:
    return not rule.when.kinds or kind in rule.when.kinds
