"""Every sentence that facesecure says, in the household's language: few enough that all can be recorded beforehand."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping

from facesecure.domain.errors import did_you_mean
from facesecure.domain.languages import NEEDED, SHIPPED, SLOTS, base

_SHOWN = 4


class Phrases:
    """The sentences about one camera in one language.

    Each comes back exactly the same for the same arguments, so that a recording made of it yesterday fits today.
    """

    def __init__(
        self,
        language: str = "en",
        place: str = "front door",
        overrides: Mapping[str, str] | None = None,
        where: str | None = None,
    ) -> None:
        """``language`` as gTTS names it ("en", "fr-CA", "de"); ``place``: the camera's name.

        ``overrides`` are the household's own sentences by name (``languages.SLOTS``); a language that facesecure does
        not come with needs all of them. ``where``: how to say where the camera is ("au garage"), left out what the
        language makes of ``place``. Raises ValueError, with every complaint, where a sentence is missing or wrong.
        """
        own = dict(overrides or {})
        complaints = [*problems(own), *missing(language, own)]
        if complaints:
            raise ValueError("; ".join(complaints))
        shipped = SHIPPED.get(base(language))
        self.language = language
        self._sentences = {**(shipped.sentences if shipped else {}), **own}
        self._slots = {"place": place, "where": where or (shipped.where(place) if shipped else place)}

    def known(self, name: str, *, correction: bool = False) -> str:
        """Somebody enrolled is there; ``correction``: an earlier alert of the same visit said otherwise."""
        return self._say("corrected_known" if correction else "known", name=name)

    def stranger(self, *, correction: bool = False) -> str:
        """Somebody is there whom nobody knows."""
        return self._say("corrected_stranger" if correction else "stranger")

    def unidentified(self) -> str:
        """Somebody or something was there; no face was good enough to tell."""
        return self._say("unidentified")

    def camera(self, trouble: str) -> str:
        """``trouble``: offline, back, frozen, covered or moved. Raises ValueError for another."""
        return self._say(_known("camera", trouble))

    def service(self, event: str) -> str:
        """``event``: restored, unwritable, disk_full or undelivered. Raises ValueError for another."""
        return self._say(_known("service", event))

    def drill(self, sentence: str) -> str:
        """``sentence``, said so that nobody takes it for an alarm."""
        return self._say("drill", sentence=sentence)

    def test(self) -> str:
        """What a channel says to show that it works."""
        return self._say("test")

    def held_back(self, text: str, count: int) -> str:
        """``text`` for reading, and how many alerts were held back since the last that was told. Never spoken."""
        if count <= 0:
            return text
        return self._say("one_held_back" if count == 1 else "held_back", text=text, count=str(count))

    def own(self, sentence: str, name: str | None = None) -> str:
        """The words of a household's rule, their slots filled; they may have {where}, {place} and, given it, {name}."""
        return sentence.format_map({**self._slots, **({"name": name} if name else {})})

    def about(self, name: str) -> list[str]:
        """Every sentence that can be said of ``name``; all of them hold the name."""
        sentences = self.known(name), self.known(name, correction=True)
        return [*sentences, *(self.drill(sentence) for sentence in sentences)]

    def every(self, names: Iterable[str] = ()) -> list[str]:
        """All that a household with these ``names`` can need said, the most urgent first; none twice."""
        nobody = [self.stranger(), self.unidentified(), self.stranger(correction=True)]
        people = [self.known(name, correction=later) for later in (False, True) for name in names]
        rest = [self._say(key) for key in SLOTS if key.startswith(("camera_", "service_"))]
        drills = [self.drill(self.stranger()), self.drill(self.unidentified())]
        return list(dict.fromkeys([*nobody, *people, *rest, self.test(), *drills]))

    def _say(self, key: str, **slots: str) -> str:
        return self._sentences[key].format_map({**self._slots, **slots})


def _known(group: str, what: str) -> str:
    key = f"{group}_{what}"
    if key not in SLOTS:
        choices = ", ".join(each.removeprefix(f"{group}_") for each in SLOTS if each.startswith(f"{group}_"))
        raise ValueError(f"nothing is said of a {group} that is {what!r}; there are: {choices}")
    return key


def problems(sentences: Mapping[str, str]) -> list[str]:
    """What is wrong with a household's own sentences, one complaint for each."""
    found = (_problem(key, sentence) for key, sentence in sentences.items())
    return [f"{key}: {complaint}" for key, complaint in zip(sentences, found, strict=True) if complaint]


def _problem(key: str, sentence: str) -> str:
    if key not in SLOTS:
        return f"there is no such sentence; {did_you_mean(key, SLOTS) or f'there are: {_listed(SLOTS)}'}"
    try:
        parts = [part for part in string.Formatter().parse(sentence) if part[1] is not None]
    except ValueError as error:
        return f"{error}; a slot is written {{where}}"
    slots = [f"{slot}" for _, slot, _, _ in parts]
    wrong = [f"{slot}" for _, slot, form, how in parts if slot not in SLOTS[key] or form or how]
    if wrong:
        return f"there is no {{{wrong[0]}}} in it; there is {_listed(f'{{{slot}}}' for slot in sorted(SLOTS[key]))}"
    if not any(character.isalnum() for character in sentence):
        return "it says nothing"
    needed = NEEDED.get(key)
    return f"it needs {{{needed}}}" if needed and needed not in slots else ""


def missing(language: str, sentences: Mapping[str, str]) -> list[str]:
    """A complaint where facesecure has no sentences in ``language`` and the household did not give them all."""
    absent = [] if base(language) in SHIPPED else [key for key in SLOTS if key not in sentences]
    if not absent:
        return []
    english = SHIPPED["en"].sentences
    shown = ", ".join(f'{key} = "{english[key]}"' for key in absent[:_SHOWN])
    more = f", and {_listed(absent[_SHOWN:])}" if absent[_SHOWN:] else ""
    return [f"there are no sentences in {language!r} yet; give them in [speech.phrases], such as {shown}{more}"]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
