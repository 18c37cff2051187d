"""The sentences of alerts: a rule's own words, or the phrases of the household's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from facesecure.alerts.policy.visit import VisitToNotify
from facesecure.config.policy import PEOPLE, RuleConfig
from facesecure.domain import AlertKind
from facesecure.domain.messages import Phrases
from facesecure.domain.names import name_key


def sentence(phrases: Phrases, visit: VisitToNotify, say: str | None, *, correction: bool) -> str:
    """Return the sentence for ``visit``: ``say`` if a rule has words, else a phrase. Corrections ignore ``say``."""
    if say is not None and not correction:
        return phrases.own(say, visit.name)
    if visit.kind is AlertKind.KNOWN:
        return phrases.known(visit.name or "", correction=correction)
    if visit.kind is AlertKind.STRANGER:
        return phrases.stranger(correction=correction)
    return phrases.unidentified()


def every_sentence(phrases: Phrases, rules: Sequence[RuleConfig], names: Iterable[str]) -> list[str]:
    """Return every sentence that a household with ``names`` and ``rules`` can need, most urgent first, each once."""
    names = list(names)
    own = [words for rule in rules for words in _own(phrases, rule, names)]
    of_strangers = [
        phrases.own(rule.say) for rule in rules if rule.say and "name" not in rule.say and _covers(rule, "stranger")
    ]
    drills = [phrases.drill(words) for words in of_strangers]
    return list(dict.fromkeys([*of_strangers, *phrases.every(names), *own, *drills]))


def _own(phrases: Phrases, rule: RuleConfig, names: Sequence[str]) -> Iterator[str]:
    if rule.say is None:
        return
    if any(_covers(rule, kind) for kind in PEOPLE if kind != "known"):
        yield phrases.own(rule.say)
        return
    wanted = {name_key(name) for name in rule.when.name}
    yield from (phrases.own(rule.say, name) for name in names if not wanted or name_key(name) in wanted)


def _covers(rule: RuleConfig, kind: str) -> bool:
    return not rule.when.kinds or kind in rule.when.kinds
