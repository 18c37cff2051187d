"""The announcement sentences that ship with facesecure, and how each language phrases a location.

``{name}`` is a person, ``{where}`` a location as the language phrases it ("at the front door"), ``{place}`` the bare
name of the place ("front door"), ``{sentence}`` another sentence, ``{text}`` and ``{count}`` an alert's text and a
number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

SLOTS: Mapping[str, frozenset[str]] = {
    "known": frozenset({"name", "where", "place"}),
    "stranger": frozenset({"where", "place"}),
    "unidentified": frozenset({"where", "place"}),
    "person": frozenset({"where", "place"}),
    "animal": frozenset({"where", "place"}),
    "vehicle": frozenset({"where", "place"}),
    "doubted": frozenset({"name", "where", "place"}),
    "doubted_aloud": frozenset({"where", "place"}),
    "corrected_known": frozenset({"name", "where", "place"}),
    "corrected_stranger": frozenset({"where", "place"}),
    "camera_offline": frozenset({"where", "place"}),
    "camera_back": frozenset({"where", "place"}),
    "camera_frozen": frozenset({"where", "place"}),
    "camera_covered": frozenset({"where", "place"}),
    "camera_moved": frozenset({"where", "place"}),
    "service_restored": frozenset({"where", "place"}),
    "service_unwritable": frozenset({"where", "place"}),
    "service_disk_full": frozenset({"where", "place"}),
    "service_undelivered": frozenset({"where", "place"}),
    "disarmed_by_face": frozenset({"name"}),
    "disarmed_by_presence": frozenset({"name"}),
    "drill": frozenset({"sentence"}),
    "test": frozenset({"where", "place"}),
    "one_held_back": frozenset({"text"}),
    "held_back": frozenset({"text", "count"}),
}
"""Every sentence key, with the slots that its sentence may contain."""

NEEDED: Mapping[str, str] = {
    "known": "name",
    "doubted": "name",
    "corrected_known": "name",
    "disarmed_by_face": "name",
    "disarmed_by_presence": "name",
    "drill": "sentence",
    "one_held_back": "text",
    "held_back": "text",
}
"""The slot that a sentence must contain."""

OPTIONAL = frozenset(
    {"person", "animal", "vehicle", "doubted", "doubted_aloud", "disarmed_by_face", "disarmed_by_presence"}
)
"""Sentences that a language may lack, since a household wrote them before these were needed; others are used."""


@dataclass(frozen=True, slots=True)
class Language:
    """The sentences by key, and the function that phrases a location: "front door" becomes "at the front door".

    ``several``: the sentences that say which camera is meant, for a household with several. ``then`` joins locations in
    the order of a walk.
    """

    sentences: Mapping[str, str]
    where: Callable[[str], str]
    several: Mapping[str, str]
    then: str


_ENGLISH = {
    "known": "{name} is {where}",
    "stranger": "A stranger is {where}",
    "unidentified": "Somebody or something was {where}",
    "person": "A person who shows no face is {where}",
    "animal": "An animal was {where}",
    "vehicle": "A vehicle was {where}",
    "doubted": "{name}, or a picture of them, is {where}",
    "doubted_aloud": "A face {where} may be a picture that is held up",
    "corrected_known": "Correction: {name} is {where}",
    "corrected_stranger": "Correction: a stranger is {where}",
    "camera_offline": "The camera is offline",
    "camera_back": "The camera is back",
    "camera_frozen": "The camera's picture is frozen",
    "camera_covered": "The camera is covered or sees nothing",
    "camera_moved": "The camera was moved",
    "service_restored": "The database was restored from a backup",
    "service_unwritable": "The disk cannot be written",
    "service_disk_full": "The disk is full",
    "service_undelivered": "An alert could not be delivered",
    "disarmed_by_face": "{name} came home: disarmed by face",
    "disarmed_by_presence": "{name} came home: disarmed by presence",
    "drill": "This is a drill. {sentence}",
    "test": "This is a test: nobody is {where}",
    "one_held_back": "{text} (one earlier alert was held back)",
    "held_back": "{text} ({count} earlier alerts were held back)",
}

_ENGLISH_SEVERAL = {
    "camera_offline": "The {place} camera is offline",
    "camera_back": "The {place} camera is back",
    "camera_frozen": "The picture of the {place} camera is frozen",
    "camera_covered": "The {place} camera is covered or sees nothing",
    "camera_moved": "The {place} camera was moved",
}

_FRENCH = {
    "known": "{name} est {where}",
    "stranger": "Une personne inconnue est {where}",
    "unidentified": "Quelqu'un ou quelque chose était {where}",
    "person": "Une personne qui ne montre pas son visage est {where}",
    "animal": "Un animal était {where}",
    "vehicle": "Un véhicule était {where}",
    "doubted": "{name}, ou une photo de cette personne, est {where}",
    "doubted_aloud": "Un visage {where} est peut-être une photo que l'on présente",
    "corrected_known": "Rectification : {name} est {where}",
    "corrected_stranger": "Rectification : une personne inconnue est {where}",
    "camera_offline": "La caméra est hors ligne",
    "camera_back": "La caméra est de retour",
    "camera_frozen": "L'image de la caméra est figée",
    "camera_covered": "La caméra est couverte ou ne voit rien",
    "camera_moved": "La caméra a été déplacée",
    "service_restored": "La base de données a été restaurée à partir d'une sauvegarde",
    "service_unwritable": "Plus rien ne s'écrit sur le disque",
    "service_disk_full": "Le disque est plein",
    "service_undelivered": "Une alerte n'a pas pu être transmise",
    "disarmed_by_face": "{name} est à la maison : désarmé par reconnaissance du visage",
    "disarmed_by_presence": "{name} est à la maison : désarmé par sa présence",
    "drill": "Ceci est un exercice. {sentence}",
    "test": "Ceci est un essai : il n'y a personne {where}",
    "one_held_back": "{text} (une alerte précédente a été retenue)",
    "held_back": "{text} ({count} alertes précédentes ont été retenues)",
}

_FRENCH_SEVERAL = {
    "camera_offline": "La caméra {place} est hors ligne",
    "camera_back": "La caméra {place} est de retour",
    "camera_frozen": "L'image de la caméra {place} est figée",
    "camera_covered": "La caméra {place} est couverte ou ne voit rien",
    "camera_moved": "La caméra {place} a été déplacée",
}

# In French, "at the" depends on the gender of the noun, so known places are listed, in both languages.
_FRENCH_PLACES = {
    "à la porte d'entrée": ("front door", "door", "entrance", "porte d'entrée", "entrée"),
    "à la porte": ("porte", "doorstep"),
    "à la porte de derrière": ("back door", "rear door", "porte de derrière", "porte arrière"),
    "à la porte de côté": ("side door", "porte de côté"),
    "à la porte du garage": ("garage door", "porte du garage"),
    "au garage": ("garage",),
    "au portail": ("gate", "front gate", "portail"),
    "au portillon": ("portillon", "side gate"),
    "à la barrière": ("barrière", "barrier"),
    "dans l'allée": ("driveway", "allée"),
    "dans le jardin": ("garden", "front garden", "jardin"),
    "dans la cour": ("yard", "courtyard", "cour"),
    "derrière la maison": ("back garden", "backyard", "back yard"),
    "sur la terrasse": ("terrace", "patio", "terrasse"),
    "sur le balcon": ("balcony", "balcon"),
    "sur le perron": ("porch", "front porch", "perron"),
    "dans le couloir": ("hallway", "corridor", "hall", "couloir"),
}
_FRENCH_WHERE = {name: where for where, names in _FRENCH_PLACES.items() for name in names}


def _in_english(place: str) -> str:
    return f"at the {place}"


def _in_french(place: str) -> str:
    """Phrase a location; a place that is not in the list is described as "devant la caméra PLACE"."""
    name = place.strip().casefold().replace("’", "'")
    return _FRENCH_WHERE.get(name, f"devant la caméra {place}")


SHIPPED: Mapping[str, Language] = {
    "en": Language(_ENGLISH, _in_english, _ENGLISH_SEVERAL, ", then "),
    "fr": Language(_FRENCH, _in_french, _FRENCH_SEVERAL, ", puis "),
}


def base(language: str) -> str:
    """Return the language without its country: "fr" for "fr-CA" and "FR_ca"."""
    return language.replace("_", "-").partition("-")[0].casefold()
