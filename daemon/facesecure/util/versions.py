"""Compare versions of facesecure as PEP 440 orders them, without a package for it.

Taken are the forms in which we number releases: ``1.2.3``, ``1.2.3rc1``, ``1.2.3.post1``, ``1.2.3.dev4``, also with a
``v`` before them. Epochs, local versions and other spellings are refused: who offers one does not offer ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 40
"""Characters of a version."""
_PHASES = {"a": 0, "b": 1, "rc": 2}
_FINAL = (3, 0)
_DEVELOPMENT = (-1, 0)
_NEVER = 10**9
_VERSION = re.compile(
    r"v?(?P<numbers>\d{1,8}(\.\d{1,8}){0,4})((?P<phase>a|b|rc)(?P<of_phase>\d{1,8}))?"
    r"(\.post(?P<post>\d{1,8}))?(\.dev(?P<dev>\d{1,8}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version; a later one is greater. Make one with ``parse_version``."""

    numbers: tuple[int, ...]
    phase: tuple[int, int]
    post: int
    dev: int

    @property
    def final(self) -> bool:
        """Whether it is for everybody: no alpha, beta, candidate or development version."""
        return self.phase == _FINAL and self.dev == _NEVER


def parse_version(text: str) -> Version | None:
    """Return the version that ``text`` is, None if it is none.

    Example::

        parse_version("0.10.0") > parse_version("0.9.2rc1")  # True
    """
    found = _VERSION.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    numbers = [int(number) for number in found["numbers"].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()  # 1.0 and 1.0.0 are the same
    post = -1 if found["post"] is None else int(found["post"])
    dev = _NEVER if found["dev"] is None else int(found["dev"])
    return Version(tuple(numbers), _phase(found, post, dev), post, dev)


def _phase(found: re.Match[str], post: int, dev: int) -> tuple[int, int]:
    if found["phase"]:
        return _PHASES[found["phase"]], int(found["of_phase"])
    return _DEVELOPMENT if post < 0 and dev < _NEVER else _FINAL
