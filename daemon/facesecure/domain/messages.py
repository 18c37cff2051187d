"""The sentences of alerts in the configured language: few enough that all can be synthesised in advance."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence

from facesecure.domain.errors import did_you_mean
from facesecure.domain.languages import NEEDED, OPTIONAL, SHIPPED, SLOTS, base
from facesecure.domain.names import camera_key

_SHOWN = 4


class Phrases:
    """The sentences for one camera in one language.

    The same arguments always give the same text, so that cached speech can be reused.

    Example::

        Phrases("en", "front door").stranger()  # "A stranger is at the front door"
    """

    def __init__(
        self,
        language: str = "en",
        place: str = "front door",
        overrides: Mapping[str, str] | None = None,
        where: str | None = None,
        *,
        several: bool = False,
    ) -> None:
        """Choose the sentences of ``language``, named as gTTS does ("en", "fr-CA", "de").

        ``place`` is the camera's name. ``overrides`` are sentences from the configuration, by key
        (``languages.SLOTS``); a language that does not ship with facesecure needs all of them. ``where`` phrases the
        location ("au garage"); by default the language derives it from ``place``. ``several``: whether the household
        has other cameras, so that a camera in trouble is named. Raises ValueError, listing every problem, if a sentence
        is missing or invalid.
        """
        own = dict(overrides or {})
        if found := [*problems(own), *missing(language, own)]:
            raise ValueError("; ".join(found))
        shipped = SHIPPED.get(base(language))
        self.language = language
        self._sentences = {
            **(shipped.sentences if shipped else {}),
            **(shipped.several if shipped and several else {}),
            **own,
        }
        self.then = shipped.then if shipped else ", "
        self._slots = {"place": place, "where": where or (shipped.where(place) if shipped else place)}

    @property
    def place(self) -> str:
        """The camera's name."""
        return self._slots["place"]

    @property
    def where(self) -> str:
        """The camera's location, as the language phrases it."""
        return self._slots["where"]

    def known(self, name: str, *, correction: bool = False) -> str:
        """Announce an enrolled person; ``correction`` if an earlier alert of the same visit said otherwise."""
        return self._say("corrected_known" if correction else "known", name=name)

    def doubted(self, name: str) -> str:
        """Say in writing that it is an enrolled person, or a picture of them that is held up."""
        if "doubted" not in self._sentences:
            return f"{self.known(name)} (?)"
        return self._say("doubted", name=name)

    def doubted_aloud(self) -> str:
        """Announce that a face may be a picture, without the name: whoever holds it up shall not hear that it works."""
        return self._say("doubted_aloud" if "doubted_aloud" in self._sentences else "unidentified")

    def stranger(self, *, correction: bool = False) -> str:
        """Announce a person who is not enrolled."""
        return self._say("corrected_stranger" if correction else "stranger")

    def unidentified(self, subject: str | None = None) -> str:
        """Announce movement without a face good enough to recognise: of a ``Subject``, if it was seen what it was."""
        return self._say(subject if subject and subject in self._sentences else "unidentified")

    def camera(self, trouble: str) -> str:
        """Announce a camera event: offline, back, frozen, covered or moved. Raises ValueError for any other."""
        return self._say(_known("camera", trouble))

    def service(self, event: str) -> str:
        """Announce a service event: restored, unwritable, disk_full or undelivered. Raises ValueError for any other."""
        return self._say(_known("service", event))

    def disarmed(self, name: str, *, by_face: bool) -> str:
        """Say that it was disarmed since ``name`` has come home: by the face, or by presence."""
        key = "disarmed_by_face" if by_face else "disarmed_by_presence"
        if key in self._sentences:
            return self._say(key, name=name)
        return SHIPPED["en"].sentences[key].format(name=name)

    def drill(self, sentence: str) -> str:
        """Mark ``sentence`` as part of a drill."""
        return self._say("drill", sentence=sentence)

    def test(self) -> str:
        """Return the sentence of a test alert."""
        return self._say("test")

    def held_back(self, text: str, count: int) -> str:
        """Append to ``text`` how many alerts were suppressed since the last notification. Never spoken."""
        if count <= 0:
            return text
        return self._say("one_held_back" if count == 1 else "held_back", text=text, count=str(count))

    def own(self, sentence: str, name: str | None = None) -> str:
        """Fill the slots of a rule's sentence: {where}, {place} and, if ``name`` is given, {name}."""
        return sentence.format_map({**self._slots, **({"name": name} if name else {})})

    def about(self, name: str) -> list[str]:
        """Return every sentence that mentions ``name``."""
        sentences = self.known(name), self.known(name, correction=True)
        return [*sentences, *(self.drill(sentence) for sentence in sentences)]

    def every(self, names: Iterable[str] = ()) -> list[str]:
        """Return every sentence that a household with these ``names`` may need, the most urgent first."""
        unknown = [self.stranger(), self.unidentified(), self.stranger(correction=True), self.doubted_aloud()]
        unknown[1:1] = [self.unidentified("person")]
        people = [self.known(name, correction=later) for later in (False, True) for name in names]
        rest = [self._say(key) for key in SLOTS if key.startswith(("camera_", "service_"))]
        others = [self.unidentified(subject) for subject in ("animal", "vehicle")]
        drills = [self.drill(self.stranger()), self.drill(self.unidentified())]
        return list(dict.fromkeys([*unknown, *people, *rest, self.test(), *drills, *others]))

    def _say(self, key: str, **slots: str) -> str:
        return self._sentences[key].format_map({**self._slots, **slots})


class PhraseBook:
    """The sentences of every camera of a household; of a camera that it does not know, those of the first.

    Example::

        book = PhraseBook([Phrases("en", "gate", several=True), Phrases("en", "front door", several=True)])
        book.of("gate").stranger()  # "A stranger is at the gate"
    """

    def __init__(self, phrases: Sequence[Phrases]) -> None:
        """``phrases``: those of each camera, at least one."""
        self.all = tuple(phrases)
        self.first = self.all[0]
        self._by_camera = {camera_key(each.place): each for each in reversed(self.all)}

    @property
    def cameras(self) -> tuple[str, ...]:
        """The names of the cameras."""
        return tuple(each.place for each in self.all)

    def of(self, camera: str | None) -> Phrases:
        """Return the sentences of the camera with that name."""
        return self._by_camera.get(camera_key(camera or ""), self.first)

    def route(self, cameras: Iterable[str]) -> str:
        """Return where somebody was, in order: "at the gate, then at the front door"; empty if at one place only."""
        places = [self.of(camera).where for camera in cameras]
        walked = [place for number, place in enumerate(places) if number == 0 or place != places[number - 1]]
        return self.first.then.join(walked) if len(walked) > 1 else ""


def _known(group: str, what: str) -> str:
    key = f"{group}_{what}"
    if key not in SLOTS:
        choices = ", ".join(each.removeprefix(f"{group}_") for each in SLOTS if each.startswith(f"{group}_"))
        raise ValueError(f"there is no sentence for a {group} that is {what!r}; there are: {choices}")
    return key


def problems(sentences: Mapping[str, str]) -> list[str]:
    """Return the problems of sentences from the configuration, at most one for each sentence."""
    found = {key: _problem(key, sentence) for key, sentence in sentences.items()}
    return [f"{key}: {problem}" for key, problem in found.items() if problem]


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
        return "it has no words"
    needed = NEEDED.get(key)
    return f"it needs {{{needed}}}" if needed and needed not in slots else ""


def missing(language: str, sentences: Mapping[str, str]) -> list[str]:
    """Return a problem if ``language`` does not ship with facesecure and ``sentences`` is incomplete."""
    absent = [] if base(language) in SHIPPED else [key for key in SLOTS if key not in sentences and key not in OPTIONAL]
    if not absent:
        return []
    english = SHIPPED["en"].sentences
    shown = ", ".join(f'{key} = "{english[key]}"' for key in absent[:_SHOWN])
    more = f", and {_listed(absent[_SHOWN:])}" if absent[_SHOWN:] else ""
    return [f"there are no sentences in {language!r} yet; give them in [speech.phrases], such as {shown}{more}"]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
