"""The sentences of alerts: a rule's own words, or the phrases of the household's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from facesecure.alerts.policy.visit import VisitToNotify
from facesecure.config.policy import PEOPLE, RuleConfig
from facesecure.domain import AlertKind
from facesecure.domain.messages import PhraseBook, Phrases
from facesecure.domain.names import camera_key, name_key


def sentence(book: PhraseBook, visit: VisitToNotify, say: str | None, *, correction: bool) -> str:
    """Return the sentence for ``visit``, which says where by its camera.

    It is ``say`` if a rule has words, else a phrase; corrections ignore ``say``.
    """
    phrases = book.of(visit.camera)
    if say is not None and not correction:
        return phrases.own(say, visit.name)
    if visit.doubted:
        return phrases.doubted(visit.name or "")
    if visit.kind is AlertKind.KNOWN:
        return phrases.known(visit.name or "", correction=correction)
    if visit.kind is AlertKind.STRANGER:
        return phrases.stranger(correction=correction)
    usable = visit.sighting.verdict.faces_used > 0
    return phrases.unidentified(None if usable else visit.subject)


def aloud(book: PhraseBook, visit: VisitToNotify, words: str) -> str:
    """Return what is spoken of ``visit`` where ``words`` are written: without the name where it may be a picture."""
    return book.of(visit.camera).doubted_aloud() if visit.doubted else words


def every_sentence(book: PhraseBook, rules: Sequence[RuleConfig], names: Iterable[str]) -> list[str]:
    """Return every sentence that a household with ``names`` and ``rules`` can need, most urgent first, each once.

    The most urgent sentences of every camera come before the less urgent ones of any.
    """
    names = list(names)
    each = [_sentences(phrases, [rule for rule in rules if _is_for(rule, phrases)], names) for phrases in book.all]
    in_turn = (words for turn in zip_longest(*each) for words in turn if words is not None)
    return list(dict.fromkeys(in_turn))


def _sentences(phrases: Phrases, rules: Sequence[RuleConfig], names: Sequence[str]) -> list[str]:
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


def _is_for(rule: RuleConfig, phrases: Phrases) -> bool:
    return not rule.when.camera or camera_key(phrases.place) in map(camera_key, rule.when.camera)


def _covers(rule: RuleConfig, kind: str) -> bool:
    return not rule.when.kinds or kind in rule.when.kinds
