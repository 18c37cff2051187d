"""Short codes for why a face is not taken or a person not enrolled, for pages that say it in the reader's language."""

from __future__ import annotations

GOOD = "good"
_CODES = (
    ("no face found", "no-face"),
    ("the photo lies", "turned-photo"),
    ("too small", "too-small"),
    ("backlit", "backlit"),
    ("too dark", "too-dark"),
    ("too bright", "too-bright"),
    ("too little contrast", "too-flat"),
    ("blurred", "blurred"),
    ("turned away", "turned-away"),
    ("not surely a face", "unsure"),
    ("not surely a person", "unsure"),
    ("lit from one side", "lit-from-one-side"),
    ("too unclear", "unclear"),
    ("nearly the same as one enrolled before", "known"),
    ("nearly the same as", "twin"),
    ("looks like", "somebody-else"),
    ("does not look like the others", "outsider"),
)
OTHER = "other"
_UNREADABLE = "cannot be read: "
_ENDINGS = (("which one is meant?", "several"), ("faces are enough", "enough"))


def code_of(reason: str) -> str:
    """Return the code of the first of the reasons in ``reason``; GOOD if there is none, OTHER if it has no code.

    Example::

        code_of("too dark: brightness 31 of 255")  # "too-dark"
    """
    if not reason:
        return GOOD
    if reason.startswith(_UNREADABLE):
        return "file-" + reason.removeprefix(_UNREADABLE).replace(" ", "-")
    found = [code for beginning, code in _CODES if reason.startswith(beginning)]
    found += [code for ending, code in _ENDINGS if reason.endswith(ending)]
    return found[0] if found else OTHER


def problem_of(message: str) -> str:
    """Return the code of why a person cannot be enrolled; GOOD if there is no message.

    Example::

        problem_of("only 2 good faces; at least 3 needed")  # "too-few"
    """
    if not message:
        return GOOD
    if message.startswith("only "):
        return "too-few"
    if message.startswith("these photos show "):
        return "enrolled-as" if "who is enrolled already" in message else "several-people"
    return "nothing-new" if message.startswith("all these faces are enrolled") else OTHER
