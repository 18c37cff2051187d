"""What the screens about people say: why a picture is not taken, what helps, and how alike two people look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERDICTS: Mapping[str, str] = {
    "good": "Good",
    "no-face": "No face found",
    "several": "Several faces",
    "turned-photo": "The photo is not upright",
    "too-small": "The face is too small",
    "backlit": "The light comes from behind",
    "too-dark": "Too dark",
    "too-bright": "Too bright",
    "too-flat": "Too little contrast",
    "blurred": "Blurred",
    "turned-away": "Turned away too far",
    "unsure": "Not surely a face",
    "lit-from-one-side": "Lit from one side",
    "unclear": "Too unclear",
    "known": "Nearly the same as a picture that is kept already",
    "twin": "Nearly the same as another picture",
    "enough": "There are enough of these",
    "somebody-else": "Looks more like somebody else who is known",
    "outsider": "Does not look like the other pictures",
    "file-empty": "The file is empty",
    "file-foreign": "This kind of picture cannot be read here",
    "file-not-an-image": "This is not a picture",
    "file-cut-short": "The file is cut short",
    "file-too-small": "The picture is too small",
    "file-too-large": "The picture is too large",
    "file-faulty": "The file is damaged",
    "file-undecodable": "The file is damaged",
    "file-memory": "The picture is too large to be read here",
    "file-slow": "The picture takes too long to be read",
    "file-crashed": "The file is damaged",
    "file-not-started": "Pictures cannot be read just now",
}
"""By the code of ``services.enrolment_codes``."""

ADVICE: Mapping[str, str] = {
    "no-face": "Come closer and look at the camera.",
    "several": "Tap the one that is meant.",
    "turned-photo": "Turn it, save it, and choose it again.",
    "too-small": "Come closer.",
    "backlit": "Turn around, so that the light falls on the face.",
    "too-dark": "Turn on a light, or go to a window.",
    "too-bright": "Go out of the sun, or away from the lamp.",
    "too-flat": "Go where the light is better.",
    "blurred": "Hold still, and wipe the lens.",
    "turned-away": "Look towards the camera.",
    "unsure": "Take off what covers the face, and try again.",
    "lit-from-one-side": "Turn towards the light.",
    "unclear": "Come closer, and go where the light is better.",
    "twin": "Turn the head a little, or smile.",
    "outsider": "Is it somebody else?",
    "file-foreign": "Save it as JPEG. On an iPhone: Settings, Camera, Formats, Most Compatible.",
    "file-not-an-image": "Choose a photo: JPEG, PNG, WebP or HEIC.",
    "file-cut-short": "Copy it again from where it came from.",
    "file-too-large": "Up to 32 MB and 24 megapixels are read. Save it smaller, or as JPEG.",
    "file-memory": "Make it smaller.",
    "file-not-started": "Try again in a moment.",
}
LIKENESS: Mapping[str, str] = {
    "very": "Very like %(name)s",
    "quite": "Quite like %(name)s",
    "slightly": "A little like %(name)s",
}
ALIKE: Mapping[str, str] = {
    "very": "Very alike",
    "quite": "Quite alike",
    "slightly": "A little alike",
}
PROBLEMS: Mapping[str, str] = {
    "too-few": "%(good)s good of the %(needed)s that are needed",
    "several-people": "These pictures show different people, and it is not clear who is meant",
    "enrolled-as": "These pictures show %(name)s, who is known already",
    "nothing-new": "All these pictures are kept already",
}
PROBLEM_ADVICE: Mapping[str, str] = {
    "too-few": "Add pictures from slightly different sides, and best on different days.",
    "several-people": "Remove the pictures that show somebody else.",
    "enrolled-as": "Add them to that person instead, or rename the person.",
    "nothing-new": "Add pictures of other days and places.",
}
SURENESS: Mapping[str, tuple[str, str]] = {
    "well": ("ok", "Well known"),
    "alike": ("warning", "Has a look-alike"),
    "few": ("warning", "Few pictures"),
    "not": ("failed", "Not recognised"),
}
SURENESS_ADVICE: Mapping[str, str] = {
    "well": "There are enough pictures, and nobody else who is known looks like this.",
    "alike": "Unclear faces of either get no name, rather than the wrong one. More sharp pictures of both help.",
    "few": "With fewer than three pictures a clearer match is needed. More pictures help.",
    "not": "The name was changed outside of facesecure. Remove this person, and add them again.",
}
TEXTS = (
    *VERDICTS.values(),
    *ADVICE.values(),
    *LIKENESS.values(),
    *ALIKE.values(),
    *PROBLEMS.values(),
    *PROBLEM_ADVICE.values(),
    *(text for _, text in SURENESS.values()),
    *SURENESS_ADVICE.values(),
)
"""The texts that templates look up by a code, for the test of the catalogues."""


def words() -> dict[str, Any]:
    """Return what the templates of these screens look texts up in."""
    return {
        "verdicts": VERDICTS,
        "advice": ADVICE,
        "likeness": LIKENESS,
        "alike": ALIKE,
        "problems": PROBLEMS,
        "problem_advice": PROBLEM_ADVICE,
        "sureness": SURENESS,
        "sureness_advice": SURENESS_ADVICE,
    }
