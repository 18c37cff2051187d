"""Recognise secrets by where they stand in a text: in an address, after a parameter's name, in a header.

These patterns need no knowledge of the configuration. Where they are in doubt they hide too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

HIDDEN = "***"
_PIECE = 4000

_NAME = re.compile(
    r"secret|passw|passphrase|token|credential|api_?key|auth|userpwd|^disarm_code$"
    r"|^(?:p|u|pw|key|pin|sig|usr|user|username|pas|sid)$"
    r"|(?:^|[_.-])(?:pass|pas|pwd|pw|key|pin|sig|signature|usr|user|username)(?:$|[_.-])|^login(?:pas|use|pwd)|pwd$",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][\w.-]*?)=(?!value\b)(?=[^&\s'\"<>])")
_VALUE = re.compile(r"[^&\s'\"<>]+")
_SHORT_NAMES = {"p", "u", "pw", "sig", "pin", "sid"}
# Up to the last @ that is not followed by a comma, so that advice about "%40 for @, %3A for :" stays. A password may
# hold an unescaped @, /, quote or space; another address in the same text begins after a space, bracket or quote.
_USERINFO = re.compile(
    r"((?<=[\w+.-]):(?:\\*/){2})(?!user:password@host\b)(?:(?![\s('\"][A-Za-z][\w+.-]*://)[^\n])*@(?!,)"
)
_ENCODED_USERINFO = re.compile(r"((?<=[\w+.-])%3A%2F%2F)\S*%40", re.IGNORECASE)
_HEADER = re.compile(
    r"(\b(?:authorization|(?:set-)?cookie|x-(?:\w+-)?(?:key|token|secret|auth))['\"]?\s*[:=]\s*['\"]?)[^\n'\"][^\n]*",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Basic|Bearer)\s+(?=[\w+/=.~-]*[\d=])[\w+/=.~-]{8,}")
_KEY = re.compile(r"\bwhsec_[\w+/=-]+")
_QUOTED = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|userpwd)['\"]?\s*[:=]\s*)(['\"])(?:\\.|(?!\2).)+\2",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Return whether a parameter or setting called ``name`` usually holds a secret."""
    return _NAME.search(name) is not None


def hide_patterns(text: str) -> str:
    """Return ``text`` with everything that stands where secrets stand replaced by ``***``.

    A long text is searched piece by piece: some patterns take the square of its length, and senders choose it.
    """
    return "".join(map(_hide, _pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    """Yield ``text`` in pieces of at most _PIECE characters that end at a line, else at a space, if there is one."""
    start = 0
    while len(text) - start > _PIECE:
        window = text[start : start + _PIECE]
        end = window.rfind("\n") + 1 or window.rfind(" ") + 1 or _PIECE
        yield window[:end]
        start += end
    yield text[start:]


def _hide(text: str) -> str:
    if "://" in text or ":\\/" in text:  # JSON may escape a slash
        text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    if "%" in text:
        text = _ENCODED_USERINFO.sub(rf"\1{HIDDEN}%40", text)
    text = _KEY.sub(HIDDEN, _SCHEME.sub(rf"\1 {HIDDEN}", _HEADER.sub(rf"\1{HIDDEN}", text)))
    text = _QUOTED.sub(rf"\1\2{HIDDEN}\2", text)
    return _hide_parameters(text) if "=" in text else text


def _hide_parameters(text: str) -> str:
    """Hide the values of parameters with a secret name, also of one within the value of another: url=rtsp://..."""
    parts, done = [], 0
    for found in _PARAMETER.finditer(text):
        if found.start() < done or not _is_secret(found):
            continue
        parts += [text[done : found.end()], HIDDEN]
        value = _VALUE.match(text, found.end())
        done = value.end() if value else found.end()
    return "".join([*parts, text[done:]])


def _is_secret(found: re.Match[str]) -> bool:
    """Return whether a parameter's name is a secret's. Names of one or two letters count within an address only."""
    name = found[1]
    if not is_secret_name(name) or name.lower() not in _SHORT_NAMES:
        return is_secret_name(name)
    before = found.string[: found.start()].rsplit(maxsplit=1)
    return bool(before) and not found.string[found.start() - 1].isspace() and ("/" in before[-1] or "?" in before[-1])
