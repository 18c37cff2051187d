"""Names of people, doors and cameras: one rule for the command line, the database, speech and file names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from facesecure.domain.errors import UsageError, did_you_mean
from facesecure.util.plain_text import is_plain

LONGEST_NAME = 64
FORGOTTEN = "somebody forgotten"
"""Replaces the name of a person who was removed."""

_HINT = f"a name is 1 to {LONGEST_NAME} characters, without slashes, backslashes or control characters"


def person_name(text: str) -> str:
    """Normalise ``text`` for storage: trimmed, single spaces, NFC. Raises UsageError if it is not a valid name."""
    name, problem = _normalised(text)
    if problem:
        raise UsageError(f"{text!r} cannot be a person's name: {problem}", _HINT)
    return name


def name_at_hub(text: str, of: str) -> str:
    """Normalise the name of a "door" or a "household" (``of``) by the same rule. Raises UsageError."""
    name, problem = _normalised(text)
    if problem:
        raise UsageError(f"{text!r} cannot be the name of a {of}: {problem}", _HINT)
    return name


def name_key(name: str) -> str:
    """Return the key by which names are compared: case and the encoding of accents do not matter."""
    return unicodedata.normalize("NFC", person_name(name).casefold())


def same_name(one: str, other: str) -> bool:
    """Return whether two names are one by ``name_key``; a text that cannot be a name is the same as none."""
    try:
        return name_key(one) == name_key(other)
    except UsageError:
        return False


def camera_key(name: str) -> str:
    """Return the key by which the names of cameras are compared: case, spaces and accents' encoding do not matter."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def known_camera(name: str, known: Iterable[str]) -> str:
    """Return the camera of ``known`` that is called ``name``. Raises UsageError that suggests the closest.

    Example::

        known_camera("Front  door", ["front door", "gate"])  # "front door"
    """
    names = {camera_key(each): each for each in known}
    if camera_key(name) in names:
        return names[camera_key(name)]
    hint = did_you_mean(camera_key(name), names, shown=lambda key: repr(names[key]))
    raise UsageError(f"there is no camera called {name!r}", hint or f"the cameras are: {', '.join(names.values())}")


def camera_slugs(names: Iterable[str]) -> dict[str, str]:
    """Return the name of each camera by the word that stands for it in addresses: letters, digits and hyphens.

    Example::

        camera_slugs(["front door", "Küche", "Дверь"])  # {"front-door": ..., "kuche": ..., "camera-3": ...}
    """
    slugs: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = "-".join(re.findall(r"[a-z0-9]+", plain)) or f"camera-{number}"
        while slug in slugs:
            slug = f"{slug}-{number}"
        slugs[slug] = name
    return slugs


def _normalised(text: str) -> tuple[str, str | None]:
    """Return ``text`` trimmed, with single spaces, in NFC, and what is wrong with it as a name."""
    name = unicodedata.normalize("NFC", text.strip())
    return " ".join(name.split()), _problem(name)


def _problem(name: str) -> str | None:
    if not any(unicodedata.category(character)[0] not in "ZCM" for character in name):
        return "it has no visible characters"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name)} characters"
    if any(character in "/\\" for character in name):
        return "it has a slash or backslash in it"
    if name in (".", ".."):
        return "it means a folder"
    if not is_plain(name):
        return "it has control characters in it, or characters that cannot be seen"
    return None
