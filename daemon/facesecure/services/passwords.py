"""Passwords of the page: which are good enough, and their Argon2 hashes.

Argon2id with 19 MiB, two passes and one lane, as OWASP's "Password Storage Cheat Sheet" recommends at the least. One is
computed at a time, so that however many people try to sign in, the daemon needs 19 MiB more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from facesecure.domain.errors import BusyError, UsageError
from facesecure.domain.names import name_key

SHORTEST, LONGEST = 10, 200
"""Characters of a password. Eight at the least is what NIST SP 800-63B asks for; this one opens a door."""
PATIENCE = 5.0
"""Seconds to wait for others' passwords."""
_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1
_USUAL = (
    "password", "passwort", "motdepasse", "azerty", "qwerty", "qwertz", "asdfgh", "zxcvbn", "iloveyou", "letmein",
    "welcome", "admin", "administrator", "football", "baseball", "princess", "sunshine", "dragon", "monkey", "master",
    "superman", "batman", "soleil", "bonjour", "chocolat", "doudou", "jetaime", "facesecure", "raspberry", "changeme",
    "secret", "abcdef", "computer", "internet", "michael", "jordan", "liverpool", "pokemon", "starwars", "trustno",
)  # fmt: skip
"""The most usual passwords, without the digits and signs that people add to them."""


class Hasher(Protocol):
    """Hashes passwords and compares them: ``argon2.PasswordHasher``."""

    def hash(self, password: str) -> str:
        """Return the hash of a password, with a new salt."""

    def verify(self, hash: str, password: str) -> bool:
        """Return True if the hash is the password's; else raise an error."""


class Passwords:
    """Makes and checks hashes, one at a time. A check takes the same time if there is no hash. Thread-safe.

    Example::

        passwords.matches(account.password if account else "", typed)
    """

    def __init__(self, hasher: Hasher | None = None, patience: float = PATIENCE) -> None:
        """``hasher``: Argon2 by default, which is loaded with the first password."""
        self._hasher, self._patience = hasher, patience
        self._nobodys = ""
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        """Return the hash to store. Raises BusyError if too many others wait."""
        with self._turn() as hasher:
            return hasher.hash(password)

    def matches(self, hashed: str, password: str) -> bool:
        """Return whether ``hashed``, which may be empty, is the hash of ``password``. Raises BusyError as ``hash``."""
        with self._turn() as hasher:
            self._nobodys = self._nobodys or hasher.hash("nobody's password")
            try:
                return hasher.verify(hashed or self._nobodys, password[:LONGEST]) and bool(hashed)
            except Exception:  # noqa: BLE001 - whatever the library cannot compare is not the password
                return False

    @contextmanager
    def _turn(self) -> Iterator[Hasher]:
        if not self._lock.acquire(timeout=self._patience):
            raise BusyError("too many passwords are being checked", "try again in some seconds")
        try:
            self._hasher = self._hasher or _argon2()
            yield self._hasher
        finally:
            self._lock.release()


def require_good(password: str, name: str) -> str:
    """Return ``password`` if it may be that of the account ``name``. Raises UsageError that says what is wrong."""
    hint = f"{SHORTEST} characters or more: four words that do not belong together are easy to keep"
    if len(password) < SHORTEST:
        raise UsageError("the password is too short", hint)
    if len(password) > LONGEST:
        raise UsageError("the password is too long", f"{LONGEST} characters at the most")
    plain = password.casefold()
    letters, own = _letters(plain), _letters(name_key(name))
    if plain == name_key(name) or (own and letters and not letters.replace(own, "")):
        raise UsageError("the password is the name of the account", hint)
    if letters in _USUAL or len(set(plain)) < 4 or plain in "01234567890123456789098765432109876543210":
        raise UsageError("the password is one of the first that others try", hint)
    return password


def _letters(text: str) -> str:
    return "".join(one for one in text if one.isalpha())


def _argon2() -> Hasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
