"""Remove secrets from every text that leaves the program: log, errors, status, reports and alerts.

``redact`` hides first the very strings that ``learn`` and ``learn_address`` were given, as they are, percent-encoded
or escaped, and then whatever stands where secrets stand (``secret_patterns``). What is learned is kept for the life of
the process: a password that was changed may still be in use elsewhere.

A string of less than four characters, or one that is an ordinary word of the program's own sentences, would turn every
text into asterisks: it is hidden within addresses and parameters only. One of less than eight is hidden as a whole
word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from threading import Lock
from urllib.parse import unquote

from facesecure.util.address_secrets import secrets_of_address
from facesecure.util.secret_patterns import HIDDEN, hide_patterns

LONGEST = 1000
"""Characters of a message that ``bounded`` keeps."""
_SHORTEST = 4
_WITHIN_WORDS = 8
_ORDINARY = frozenset(
    """
    admin administrator alert alerts anna anonymous away camera channel config daemon default door doorbell error
    facesecure false front frontdoor garden google guest home host http https known light live local localhost main
    message name network none null object operator pass passwd password path person picture plugin port root rtsp
    secret sent service source speaker stranger stream system test text token true user username video view viewer
    visitor warning watching webhook
    """.split()  # noqa: SIM905
)
_ENTITIES = {"'": ("&#39;", "&#x27;", "&apos;"), '"': ("&quot;", "&#34;"), "&": ("&amp;",), "<": ("&lt;",)}
_WORD = "A-Za-z0-9"
_BEFORE = rf"(?:(?<![{_WORD}])|(?<=%[0-9A-Fa-f]{{2}}))"
_AFTER = rf"(?![{_WORD}])"


class Redactor:
    """Hides the secrets it has learned. ``redact`` uses one for the whole process.

    Example::

        redactor = Redactor()
        redactor.learn("hunter2")
        redactor.redact("cannot log in with hunter2")  # "cannot log in with ***"
    """

    def __init__(self) -> None:
        """Know no secret."""
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget all secrets, for tests."""
        with self._lock:
            self._anywhere: frozenset[str] = frozenset()
            self._in_path: frozenset[str] = frozenset()
            self._strings: re.Pattern[str] | None = None
            self._parts: re.Pattern[str] | None = None

    def learn(self, *secrets: str) -> None:
        """Hide ``secrets`` from now on, except those that are too short or too ordinary."""
        self._add((secret for secret in secrets if _distinct(secret)), ())

    def learn_address(self, address: str) -> None:
        """Hide the secrets that ``address`` holds: its password, and tokens in its path and parameters."""
        found = secrets_of_address(address)
        self._add((secret for secret in found.anywhere if _distinct(secret)), found.in_path)

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret replaced by ``***``."""
        if self._strings is not None:
            text = self._strings.sub(HIDDEN, text)
        text = hide_patterns(text)
        if self._parts is not None and "://" in text:
            text = _ADDRESS.sub(self._hide_parts, text)
        return text

    def _hide_parts(self, address: re.Match[str]) -> str:
        return address[0] if self._parts is None else self._parts.sub(HIDDEN, address[0])

    def _add(self, anywhere: Iterable[str], in_path: Iterable[str]) -> None:
        with self._lock:
            strings = self._anywhere | _decoded(anywhere)
            parts = self._in_path | _decoded(in_path)
            if strings != self._anywhere:
                self._anywhere, self._strings = strings, _any_of(strings, _bounded)
            if parts != self._in_path:
                self._in_path, self._parts = parts, _any_of(parts, _path_part)


_ADDRESS = re.compile(r"\w+://[^\s'\"]*")
_process = Redactor()


def redact(text: str) -> str:
    """Return ``text`` with every secret replaced by ``***``: those learned, and those that show by their place."""
    return _process.redact(text)


def bounded(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` redacted and cut to ``longest`` characters; what cannot be encoded is escaped.

    Twice as much is redacted, not all: megabytes would hold every thread up. What is near the end of that is left out,
    since a secret may be cut in half there.
    """
    whole = len(text) <= 2 * longest
    kept = redact(text[: 2 * longest]).encode(errors="backslashreplace").decode()
    if whole and len(kept) <= longest:
        return kept
    end = longest if whole else min(longest, max(0, len(kept) - longest // 2))
    return f"{kept[:end]}… (cut; {len(text)} characters)"


def learn(*secrets: str) -> None:
    """Hide ``secrets`` in every text of this process from now on."""
    _process.learn(*secrets)


def learn_address(address: str) -> None:
    """Hide the secrets of ``address`` in every text of this process from now on."""
    _process.learn_address(address)


def forget() -> None:
    """Forget all that was learned, for tests."""
    _process.forget()


def _distinct(secret: str) -> bool:
    """Return whether hiding ``secret`` everywhere leaves ordinary text readable."""
    return len(unquote(secret)) >= _SHORTEST and unquote(secret).lower() not in _ORDINARY


def _decoded(secrets: Iterable[str]) -> set[str]:
    """Return ``secrets`` without percent-encoding, and as they are where that is no UTF-8: "100%%", "M%FCller"."""
    decoded = {secret: unquote(secret) for secret in secrets}
    return {*decoded.values(), *(secret for secret, text in decoded.items() if "\ufffd" in text)}


def _any_of(secrets: Iterable[str], form: Callable[[str], str]) -> re.Pattern[str]:
    """Return a pattern for all ``secrets``, the longest first."""
    return re.compile("|".join(form(secret) for secret in sorted(secrets, key=lambda one: (-len(one), one))))


def _bounded(secret: str) -> str:
    if secret[0] == ":" and secret[-1] == "@":
        return f"(?<=:){''.join(map(_written, secret[1:-1]))}(?=@)"
    written = "".join(map(_written, secret))
    if len(secret) >= _WITHIN_WORDS:
        return written
    return f"{_BEFORE if secret[0].isalnum() else ''}{written}{_AFTER if secret[-1].isalnum() else ''}"


def _path_part(part: str) -> str:
    return f"(?<=/){''.join(map(_written, part))}(?=$|[^{_WORD}])"


def _written(character: str) -> str:
    """Return a pattern for ``character``: as it is, percent-encoded, or escaped (Python, JSON, HTML)."""
    code = ord(character)
    encoded = "".join(f"%(?:25){{0,3}}(?i:{byte:02x})" for byte in character.encode(errors="surrogateescape"))
    forms = [rf"\\*{re.escape(character)}" if character in "'\"\\/" else re.escape(character), encoded]
    if not character.isalnum() or code > 127:
        forms.append(rf"\\{{1,2}}(?:u{code:04x}|x{code:02x})" if code < 0x10000 else rf"\\{{1,2}}U{code:08x}")
    forms += map(re.escape, _ENTITIES.get(character, ()))
    forms += [r"\+"] if character == " " else []
    return f"(?:{'|'.join(forms)})"
