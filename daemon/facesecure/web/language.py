"""The languages of the page: English in the templates, other languages in ``locale/LANGUAGE/*.toml``.

A line of a catalogue is ``"English" = "French"``. Texts may have parameters, ``%(name)s``, which both must have.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from facesecure.web.sentences import Sentences

ENGLISH = "en"
_QUALITY = re.compile(r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]{1,32})?\s*(?:;\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?))?\s*")
_OR = "or"
_MOST_WISHES = 20
_BEFORE_SIGN = re.compile(r" (?=[:;?!»])")


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its texts by the English ones. ``singular`` says which counts are.

    Example: ``language("Seen %(ago)s", ago="2 min ago")``.
    """

    code: str
    texts: Mapping[str, str]
    singular: Callable[[float], bool]
    sentences: Sentences | None = None

    def __call__(self, text: str, /, **values: Any) -> str:
        """Return ``text`` in this language, with its parameters filled in. A text that is missing stays English."""
        found = self.texts.get(text, text)
        return found % values if values else found.replace("%%", "%")

    def number(self, one: str, many: str, count: float, /, **values: Any) -> str:
        """Return ``one`` or ``many``, as ``count`` demands; both may show it as ``%(n)s``."""
        return self(one if self.singular(count) else many, n=count, **values)

    def sentence(self, text: str) -> str | None:
        """Return a sentence of the daemon's in this language; None if it is not known. English is as it is."""
        return text if self.sentences is None else self.sentences(text)


IN_ENGLISH = Language(ENGLISH, {}, lambda count: count == 1)


class Catalogues:
    """All languages, read once."""

    def __init__(self) -> None:
        self._languages = {ENGLISH: IN_ENGLISH}
        for folder in files("facesecure.web").joinpath("locale").iterdir():
            if folder.is_dir() and not folder.name.startswith("_"):
                self._languages[folder.name] = _language(folder)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of the languages, English first."""
        return tuple(self._languages)

    def choose(self, chosen: str | None, accepted: str, otherwise: str = ENGLISH) -> Language:
        """Return the language that a person chose, or the first that the browser's Accept-Language asks for."""
        for code in (chosen, *_wishes(accepted), otherwise):
            if code in self._languages:
                return self._languages[code]
        return self._languages[ENGLISH]


def _wishes(accepted: str) -> list[str]:
    """Return the languages of an Accept-Language, best first; what cannot be read is passed over."""
    wishes = [match for part in accepted.split(",")[:_MOST_WISHES] if (match := _QUALITY.fullmatch(part))]
    wanted = [(float(match[2] or 1), match[1].lower()) for match in wishes]
    return [code for quality, code in sorted(wanted, key=lambda wish: -wish[0]) if quality > 0]


def _language(folder: Any) -> Language:
    texts = _texts(folder, "")
    said = Sentences(_texts(folder, "descriptions") | _texts(folder, "sentences"), f" {texts.get(_OR, _OR)} ")
    return Language(folder.name, texts, lambda count: abs(count) < 2, said)


def _texts(folder: Any, name: str) -> dict[str, str]:
    """Return the texts of the catalogues whose names begin with ``name``."""
    texts: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda file: str(file.name)):
        if file.name.endswith(".toml") and file.name.startswith(name):
            texts |= tomllib.loads(file.read_text(encoding="utf-8"))
    return {text: typeset(translated) for text, translated in texts.items()}


def typeset(french: str) -> str:
    """Return ``french`` with printed apostrophes, and spaces where no line may break: before : ; ? ! and »."""
    return _BEFORE_SIGN.sub("\u00a0", french.replace("'", "\u2019")).replace("« ", "«\u00a0")
