"""Say the daemon's sentences in another language: reasons, descriptions of settings, and what is wrong with one.

The daemon stores and logs them in English, with values in them. A catalogue has them as ``"must be %(what)s"``: the
text between the values is looked for in order, once, so that a text of any length takes no longer than it is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from re import compile as pattern

_PARAMETER = pattern(r"%\((\w+)\)s")
_LONGEST = 2000
_INNER = frozenset({"what", "faces", "reasons", "rarity", "hint", "given"})
"""Values that are sentences themselves, or several."""
_BETWEEN = ("; ", " or ")
"""What stands between several sentences in one text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A sentence with values: the ``literals`` around the ``names``, one more than these, and the translation."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    translated: str

    @classmethod
    def of(cls, english: str, translated: str) -> Shape:
        """Return the shape of a line of a catalogue."""
        parts = _PARAMETER.split(english)
        return cls(tuple(map(_unescaped, parts[::2])), tuple(parts[1::2]), translated)

    @property
    def length(self) -> int:
        """Return how much of a text has to be the same: the more, the more certainly it is this sentence."""
        return sum(map(len, self.literals))

    def values(self, text: str) -> dict[str, str] | None:
        """Return the values in ``text``; None if it is another sentence."""
        first, *_, last = self.literals
        end = len(text) - len(last)
        if not (text.startswith(first) and text.endswith(last) and end >= len(first)):
            return None
        places = [len(first)]
        for literal in self.literals[1:-1]:
            at = text.find(literal, places[-1] + 1, end)
            if at < 0:
                return None
            places += [at, at + len(literal)]
        places.append(end)
        found = [text[begin:stop] for begin, stop in list(pairwise(places))[::2]]
        return dict(zip(self.names, found, strict=True)) if all(found) else None


class Sentences:
    """The sentences of a language.

    Example::

        Sentences({"must be %(what)s": "doit être %(what)s"}, " ou ")("must be 7")  # "doit être 7"
    """

    def __init__(self, texts: Mapping[str, str], either: str = " or ") -> None:
        """``either`` stands between several of which one is meant."""
        plain = {english: text for english, text in texts.items() if not _PARAMETER.search(english)}
        shapes = (Shape.of(english, text) for english, text in texts.items() if english not in plain)
        self._texts = {_unescaped(english): _unescaped(text) for english, text in plain.items()}
        self._shapes = sorted(shapes, key=lambda shape: -shape.length)
        self._between = dict(zip(_BETWEEN, ("; ", either), strict=True))

    def __call__(self, text: str) -> str | None:
        """Return ``text`` in this language; None if it is not known, or only parts of it are."""
        if len(text) > _LONGEST:
            return None
        if text in self._texts:
            return self._texts[text]
        return self._shaped(text) or self._several(text)

    def _shaped(self, text: str) -> str | None:
        for shape in self._shapes:
            values = shape.values(text)
            if values is not None:
                return shape.translated % {name: self._value(name, value) for name, value in values.items()}
        return None

    def _value(self, name: str, value: str) -> str:
        if name not in _INNER:
            return value
        return self(value) or value.replace(_BETWEEN[1], self._between[_BETWEEN[1]])

    def _several(self, text: str) -> str | None:
        for between, said in self._between.items():
            parts = text.split(between)
            if 1 < len(parts) <= 20 and (found := self._each(parts)) is not None:
                return said.join(found)
        return None

    def _each(self, parts: Iterable[str]) -> list[str] | None:
        found = [self(part) for part in parts]
        return None if None in found else [one for one in found if one is not None]


def _unescaped(text: str) -> str:
    return text.replace("%%", "%")
