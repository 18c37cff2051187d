"""Why a verdict or a doubt is what it is: each sentence once, with the names of its values.

They are stored, logged and answered in English; the page takes them apart to say them in the reader's language.
"""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """A sentence, or a part of one, with values in it.

    Example::

        Why.TOO_FEW.say(faces=Why.ONE_FACE, needed=3)  # "only 1 usable face, 3 needed"
    """

    ONE_FACE = "1 usable face"
    FACES = "%(n)s usable faces"
    NO_FACE_YET = "no usable face yet"
    NO_FACE = "no usable face: %(reasons)s"
    TOO_FEW = "only %(faces)s, %(needed)s needed"
    NOBODY_ENROLLED = "%(faces)s, and nobody is enrolled"
    NAMED = "%(faces)s, %(score)s like %(name)s; %(rarity)s"
    RARE = "1 stranger in %(n)s comes this close"
    RAREST = "fewer than 1 stranger in %(n)s comes this close"
    RIVAL = "%(faces)s, %(score)s like %(name)s, but %(rival)s comes as near too often"
    TOO_CLOSE = "%(faces)s like %(name)s, but %(rival)s comes too close (%(score)s)"
    STRANGER = "%(faces)s, %(score)s like %(name)s at most: nobody we know"
    UNDECIDED = "%(faces)s, %(score)s like %(name)s: too little for a name and too much for a stranger"
    UNCLEAR = "%(faces)s, %(score)s like %(name)s (they are unclear): too little for a name and too much for a stranger"
    MAYBE_ANOTHER = "not certain yet that it is still the same person"
    PERSON_MOVED = "a person moved for %(n)s s and showed no face"
    ANIMAL_MOVED = "an animal moved for %(n)s s and showed no face"
    VEHICLE_MOVED = "a vehicle moved for %(n)s s and showed no face"
    SOMETHING_MOVED = "something moved for %(n)s s and showed no face"
    DAMAGED = "its record is damaged"
    LIKE_A_SCREEN = "%(n)s faces look like a screen or a print (%(score)s of 1)"
    MOVES_ALONG = "its surroundings moved with the face (%(n)s of %(of)s times)"

    def say(self, **values: object) -> str:
        """Return the sentence with its ``values``."""
        return self.value % values
